// y = a_factor a + b_factor b + constant and y = a b, b repeated along some axes; and the sum over
// these axes that b's gradient is.
//
// Forward, thread i owns elements i, i + step, ... of y: a warp's access to y and a is one line of
// 128 bytes. Which element of b that is, four divisions by multiplication tell
// (kernels/core/divisor.h), some 50 instructions. b is smaller than y by what it is repeated, and
// its elements stay in the cache.
// Traffic: 8 bytes per element (12 where it adds; 12 and 16 where b is as large as a). Work: 2
// FLOP, and the divisions, about as many instructions as an H200's multiprocessor has time for
// while memory delivers: both bound it (predicted).
//
// The sum, first kernel, blocks of 256 threads, grid (outputs / 32, runs): the terms of an output
// are cut into runs. Where the innermost run of axes is kept, thread t owns output t % 32 of its
// block and terms t / 32, t / 32 + 8, ... of its run, so that a warp reads 128 consecutive bytes of
// the larger tensor; eight sums of every output meet in shared memory (2 KB) behind a barrier.
// Where it is repeated, a warp owns an output (four of the block's, one after the other) and lane l
// the terms l, l + 32, ...; five exchanges add the lanes. Second kernel: a thread owns an output
// and adds its runs.
// Runs depend on the shapes alone, and every sum has a fixed order: the same bits every time.
// Traffic: 4 bytes per term, 8 with v. Work: 2 FLOP in double and two divisions per term. Memory
// bounds it where there are blocks enough, 32 outputs or 64 runs for each multiprocessor.
#include "kernels/broadcast/broadcast.h"
#include "kernels/broadcast/broadcast_axes.h"
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;
constexpr int kTermsAtOnce = kThreads / kWarp;
constexpr int64_t kMaxRuns = 64;
constexpr int64_t kTermsPerRun = 256;  // fewest, where there are enough

/// Finds the elements of the smaller tensor.
struct Place {
  Divisor kept2, repeated1, kept1, repeated0;
  int64_t kept1_count, kept2_count;

  explicit Place(const BroadcastAxes& axes)
      : kept2(axes.kept2),
        repeated1(axes.repeated1),
        kept1(axes.kept1),
        repeated0(axes.repeated0),
        kept1_count(axes.kept1),
        kept2_count(axes.kept2) {}
  /// Returns the element that element i of the larger tensor meets.
  __device__ int64_t of(int64_t i) const {
    const auto [rest, k2] = kept2.divide(i);
    const auto [outer, k1] = kept1.divide(repeated1.quotient(rest));
    return (repeated0.quotient(outer) * kept1_count + k1) * kept2_count + k2;
  }
};

/// a and b may be null; y may be a.
__global__ void __launch_bounds__(kThreads)
    sum_kernel(float* y, const float* a, const float* b, int64_t n, Place place, float a_factor,
               float b_factor, float constant, bool accumulate) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    float value = constant;
    if (b) value += b_factor * b[place.of(i)];
    if (a) value += a_factor * a[i];
    y[i] = accumulate ? y[i] + value : value;
  }
}

/// y may be a.
__global__ void __launch_bounds__(kThreads)
    product_kernel(float* y, const float* a, const float* b, int64_t n, Place place,
                   bool accumulate) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const float value = a[i] * b[place.of(i)];
    y[i] = accumulate ? y[i] + value : value;
  }
}

/// The terms of outputs: where they lie in the larger tensor.
struct Terms {
  const float *u, *v;  // v may be null
  Divisor kept1, kept2, repeated1;
  int64_t kept2_count, block, row, outer;  // distances: see at()
  int64_t outputs, terms, terms_per_run;

  Terms(const float* u_, const float* v_, const BroadcastAxes& axes)
      : u(u_),
        v(v_),
        kept1(axes.kept1),
        kept2(axes.kept2),
        repeated1(axes.repeated1),
        kept2_count(axes.kept2),
        block(axes.repeated1 * axes.kept2),
        row(axes.kept1 * block),
        outer(axes.repeated0 * row),
        outputs(axes.outputs()),
        terms(axes.terms()),
        terms_per_run(std::max(ceil_div(terms, kMaxRuns), kTermsPerRun)) {}
  /// Returns the place of an output's term 0.
  __device__ int64_t begin_of(int64_t output) const {
    const auto [rest, k2] = kept2.divide(output);
    const auto [k0, k1] = kept1.divide(rest);
    return k0 * outer + k1 * block + k2;
  }
  /// Returns term t of the output whose terms begin at `begin`.
  __device__ double at(int64_t begin, int64_t t) const {
    const auto [r0, r1] = repeated1.divide(t);
    const int64_t i = begin + r0 * row + r1 * kept2_count;
    return v ? static_cast<double>(u[i]) * v[i] : u[i];
  }
};

/// Sets partial[run, output] to the sum of the run's terms; innermost axes are kept.
__global__ void __launch_bounds__(kThreads) columns_kernel(double* __restrict__ partial, Terms in) {
  // This thread owns one output, and every eighth term of its block's run.
  const int t = static_cast<int>(threadIdx.x);
  const int64_t output = static_cast<int64_t>(blockIdx.x) * kWarp + t % kWarp;
  const int64_t first = static_cast<int64_t>(blockIdx.y) * in.terms_per_run;
  const int64_t end = min(first + in.terms_per_run, in.terms);
  double sum = 0;
  if (output < in.outputs) {
    const int64_t begin = in.begin_of(output);
    for (int64_t term = first + t / kWarp; term < end; term += kTermsAtOnce)
      sum += in.at(begin, term);
  }
  __shared__ double sums[kThreads];
  sums[t] = sum;
  __syncthreads();  // all sums are there before they are added
  // The first warp goes on; no barrier follows.
  if (t >= kWarp || output >= in.outputs) return;
  for (int i = t + kWarp; i < kThreads; i += kWarp) sum += sums[i];
  partial[static_cast<int64_t>(blockIdx.y) * in.outputs + output] = sum;
}

/// Sets partial[run, output] to the sum of the run's terms; innermost axes are repeated.
__global__ void __launch_bounds__(kThreads) rows_kernel(double* __restrict__ partial, Terms in) {
  // This thread's warp owns every eighth of its block's 32 outputs.
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t first = static_cast<int64_t>(blockIdx.y) * in.terms_per_run;
  const int64_t end = min(first + in.terms_per_run, in.terms);
  for (int i = static_cast<int>(threadIdx.x) / kWarp; i < kWarp; i += kTermsAtOnce) {
    const int64_t output = static_cast<int64_t>(blockIdx.x) * kWarp + i;
    if (output >= in.outputs) return;  // all lanes alike
    const int64_t begin = in.begin_of(output);
    double sum = 0;
    for (int64_t term = first + lane; term < end; term += kWarp) sum += in.at(begin, term);
    for (int distance = kWarp / 2; distance > 0; distance /= 2)
      sum += __shfl_xor_sync(kAllLanes, sum, distance);
    if (lane == 0) partial[static_cast<int64_t>(blockIdx.y) * in.outputs + output] = sum;
  }
}

/// Sets r[output] = (accumulate ? r[output] : 0) + factor times the sum of the output's runs.
__global__ void __launch_bounds__(kThreads)
    totals_kernel(float* r, const double* __restrict__ partial, int64_t outputs, int64_t runs,
                  double factor, bool accumulate) {
  for (int64_t i = first_element(); i < outputs; i += element_step()) {  // this thread's
    double sum = 0;
    for (int64_t run = 0; run < runs; ++run) sum += partial[run * outputs + i];
    r[i] = static_cast<float>((accumulate ? r[i] : 0.0) + factor * sum);
  }
}

BroadcastAxes axes_of(const Tensor& whole, const Tensor& small) {
  return {whole.shape(), small.defined() ? small.shape() : whole.shape()};
}

void sum(const BroadcastSumArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(sum_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.a), pointer<float>(args.b), n, Place(axes_of(args.y, args.b)),
         static_cast<float>(args.a_factor), static_cast<float>(args.b_factor),
         static_cast<float>(args.constant), args.write == Write::accumulate);
}

void product(const BroadcastProductArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(product_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.a), pointer<float>(args.b), n, Place(axes_of(args.y, args.b)),
         args.write == Write::accumulate);
}

void reduce(const BroadcastReduceArgs& args, Context& context) {
  const int64_t outputs = args.r.size();
  if (outputs == 0) return;
  const BroadcastAxes axes = axes_of(args.u, args.r);
  const Terms in(pointer<float>(args.u), pointer<float>(args.v), axes);
  const int64_t runs = ceil_div(in.terms, in.terms_per_run);
  auto* partial = static_cast<double*>(
      context.workspace(runs * outputs * static_cast<int64_t>(sizeof(double))));
  if (runs > 0) {
    const dim3 grid(static_cast<unsigned>(ceil_div(outputs, kWarp)), static_cast<unsigned>(runs));
    launch(axes.kept2 > 1 ? columns_kernel : rows_kernel, grid, dim3(kThreads), 0, context, partial,
           in);
  }
  launch(totals_kernel, grid_for(outputs, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.r), partial, outputs, runs, args.factor,
         args.write == Write::accumulate);
}

}  // namespace

void register_broadcast_1_stream(OpRegistry& registry) {
  registry.add<BroadcastSumArgs>(
      {"stream", kDevice, [](const BroadcastSumArgs& args) { return all_f32(args.y); }, sum});
  registry.add<BroadcastProductArgs>(
      {"stream", kDevice, [](const BroadcastProductArgs& args) { return all_f32(args.y); },
       product});
  registry.add<BroadcastReduceArgs>(
      {"stream", kDevice, [](const BroadcastReduceArgs& args) { return all_f32(args.u); }, reduce});
}

}  // namespace topograd::TOPOGRAD_BACKEND
