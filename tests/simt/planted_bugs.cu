#include "tests/simt/planted_bugs.h"

#include "kernels/core/launch.h"
#include "tests/simt/device_buffer.h"

namespace topograd::simt::test {

namespace {

constexpr int kBlock = 256;

// ---- shared memory between threads

__global__ void missing_barrier(float* out, const float* in) {
  __shared__ float tile[kBlock];
  const int t = threadIdx.x;
  tile[t] = in[t];
  // missing: __syncthreads();
  out[t] = tile[kBlock - 1 - t];
}

__global__ void missing_second_barrier(float* out, const float* in) {
  __shared__ float tile[kBlock];
  const int t = threadIdx.x;
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    tile[t] = in[k * kBlock + t];
    __syncthreads();
    sum += tile[(t + 1) % kBlock];
    // missing: __syncthreads();
  }
  out[t] = sum;
}

__global__ void missing_syncwarp(float* out, const float* in) {
  __shared__ float tile[32];
  const int t = threadIdx.x;
  tile[t] = in[t];
  // missing: __syncwarp();
  out[t] = tile[31 - t];
}

__global__ void syncwarp_of_half(float* out, const float* in) {
  __shared__ float tile[32];
  const int t = threadIdx.x;
  tile[t] = in[t];
  __syncwarp(t < 16 ? 0x0000ffffu : 0xffff0000u);  // the other half's values are read
  out[t] = tile[31 - t];
}

__global__ void undefined_accumulator(float* out, const float* in) {
  __shared__ float sum;  // never set to 0
  atomicAdd(&sum, in[threadIdx.x]);
  __syncthreads();
  if (threadIdx.x == 0) out[0] = sum;
}

template <class T>
__global__ void undefined_in_template(float* out, const float* in) {
  __shared__ T tile[kBlock];
  const int t = threadIdx.x;
  if (t != 7) tile[t] = in[t];
  __syncthreads();
  out[t] = tile[t];
}

// ---- barriers and shuffles in divergent code

__global__ void barrier_in_branch(float* out, const float* in) {
  __shared__ float tile[kBlock];
  const int t = threadIdx.x;
  tile[t] = in[t];
  if (t < 200) __syncthreads();
  out[t] = tile[t];
}

__global__ void two_barriers(float* out, const float* in) {
  const int t = threadIdx.x;
  if (t < 200)
    __syncthreads();
  else
    __syncthreads();
  out[t] = in[t];
}

__global__ void return_before_barrier(float* out, const float* in, int n) {
  __shared__ float tile[kBlock];
  const int t = threadIdx.x;
  if (t >= n) return;
  tile[t] = in[t];
  __syncthreads();
  out[t] = tile[n - 1 - t];
}

__global__ void shuffle_in_branch(float* out, const float* in) {
  const int t = threadIdx.x;
  float value = in[t];
  if (t % 32 < 16) value += __shfl_down_sync(0xffffffffu, value, 8);
  out[t] = value;
}

__global__ void shuffle_meets_vote(float* out, const float* in) {
  const int t = threadIdx.x;
  out[t] = t % 32 < 16 ? __shfl_xor_sync(0xffffffffu, in[t], 1)
                       : static_cast<float>(__ballot_sync(0xffffffffu, in[t] > 0));
}

__global__ void shuffle_from_absent_lane(float* out, const float* in) {
  const int t = threadIdx.x;
  out[t] = t % 32 < 16 ? __shfl_down_sync(0x0000ffffu, in[t], 8) : in[t];
}

__global__ void mask_without_self(float* out, const float* in) {
  out[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, in[threadIdx.x], 1);
}

// ---- between blocks

__global__ void sum_without_atomic(float* out, const float* in) {
  if (threadIdx.x != 0) return;
  if (blockIdx.x == 0) out[0] = 0;
  out[0] += in[blockIdx.x];
}

__global__ void last_block_without_fence(float* out, const float* in, float* partial,
                                         unsigned* arrived) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = in[blockIdx.x];
    // missing: __threadfence();
    last = atomicAdd(arrived, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  float sum = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) sum += partial[i];
  out[0] = sum;
}

__global__ void overwrite_what_others_read(float* data) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const float next = data[(i + 1) % 1024];
  data[i] = next;
}

// ---- outside of memory

__global__ void read_past_end(float* out, const float* in, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) out[i] = in[i] + 0.0f * in[i + 1];
}

__global__ void overrun_dynamic_shared(float* out, const float* in) {
  float* tile = dynamic_shared<float>();
  const int t = threadIdx.x;
  tile[t + 1] = in[t];
  __syncthreads();
  out[t] = tile[t + 1];
}

__global__ void overrun_static_shared(float* out, const float* in) {
  __shared__ float tile[kBlock];
  const int t = threadIdx.x;
  tile[t + 4] = in[t];
  __syncthreads();
  out[t] = tile[t + 4];
}

__global__ void overrun_static_shared_by_pointer(float* out, const float* in) {
  __shared__ float tile[kBlock];
  float* p = tile;
  const int t = threadIdx.x;
  p[t + 4] = in[t];
  __syncthreads();
  out[t] = p[t + 4];
}

__global__ void copy(float* out, const float* in) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  out[i] = in[i];
}

__global__ void misaligned_vector(float* out, const float* in) {
  const float4 v = *reinterpret_cast<const float4*>(in + 1 + 4 * threadIdx.x);
  *reinterpret_cast<float4*>(out + 4 * threadIdx.x) = v;
}

__global__ void misaligned_double(float* out, const float* in) {
  const int t = threadIdx.x;
  const double v = *reinterpret_cast<const double*>(in + 1 + 2 * t);
  *reinterpret_cast<double*>(out + 2 * t) = v;
}

__global__ void undefined_element(float* out, const float* in, float* scratch) {
  const int t = threadIdx.x;
  if (t < kBlock - 1) scratch[t] = in[t];
  __syncthreads();
  out[t] = scratch[t];
}

// ---- asynchronous copies

__global__ void missing_wait(float* out, const float* in) {
  __shared__ __align__(16) float tile[kBlock];
  const int t = threadIdx.x;
  if (t < kBlock / 4) copy_async_16(tile + 4 * t, in + 4 * t);
  copy_async_commit();
  // missing: copy_async_wait<0>();
  __syncthreads();
  out[t] = tile[t];
}

__global__ void wait_without_barrier(float* out, const float* in) {
  __shared__ __align__(16) float tile[kBlock];
  const int t = threadIdx.x;
  if (t < kBlock / 4) copy_async_16(tile + 4 * t, in + 4 * t);
  copy_async_commit();
  copy_async_wait<0>();
  // missing: __syncthreads();
  out[t] = tile[kBlock - 1 - t];
}

__global__ void misaligned_copy(float* out, const float* in) {
  __shared__ __align__(16) float tile[kBlock];
  const int t = threadIdx.x;
  if (t < kBlock / 4 - 1) copy_async_16(tile + 4 * t, in + 4 * t + 2);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
  if (t < kBlock - 4) out[t] = tile[t];
}

// ---- how they are run, and what should come out

template <auto kKernel, unsigned kBlocks = 1, unsigned kThreads = kBlock>
void simply(float* out, const float* in, Context& context) {
  launch(kKernel, kBlocks, kThreads, 0, context, out, in);
}

using Floats = std::vector<float>;

template <int kCount>
Floats first(const Floats& in) {
  return Floats(in.begin(), in.begin() + kCount);
}
template <int kCount>
Floats reversed(const Floats& in) {
  return Floats(in.rend() - kCount, in.rend());
}
template <int kCount>
Floats sum(const Floats& in) {
  float result = 0;
  for (int i = 0; i < kCount; ++i) result += in[static_cast<size_t>(i)];
  return {result};
}
Floats sum_of_shifted_tiles(const Floats& in) {
  Floats result(kBlock, 0.0f);
  for (size_t k = 0; k < 4; ++k)
    for (size_t t = 0; t < kBlock; ++t) result[t] += in[k * kBlock + (t + 1) % kBlock];
  return result;
}
Floats shifted(const Floats& in) {
  return Floats(in.begin() + 1, in.end());
}
Floats nothing(const Floats&) {
  return {};
}

void run_last_block(float* out, const float* in, Context& context) {
  const DeviceBuffer<float> partial(8);
  const DeviceBuffer<unsigned> arrived(std::vector<unsigned>{0});
  launch(last_block_without_fence, 8, 32, 0, context, out, in, partial.data(), arrived.data());
}
void run_overwrite(float* out, const float* in, Context& context) {
  copy_within(out, in, 1024 * sizeof(float));
  launch(overwrite_what_others_read, 4, kBlock, 0, context, out);
}
void run_past_end(float* out, const float* in, Context& context) {
  launch(read_past_end, 4, kBlock, 0, context, out, in, 1024);
}
void run_host_pointer(float* out, const float*, Context& context) {
  const Floats in(1024, 1.0f);
  launch(copy, 4, kBlock, 0, context, out, in.data());
}
void run_pointer_to_host_stack(float* out, const float*, Context& context) {
  const float in[kBlock] = {};
  launch(copy, 1, kBlock, 0, context, out, static_cast<const float*>(in));
}
void run_dynamic_overrun(float* out, const float* in, Context& context) {
  launch(overrun_dynamic_shared, 1, kBlock, kBlock * sizeof(float), context, out, in);
}
void run_early_return(float* out, const float* in, Context& context) {
  launch(return_before_barrier, 1, kBlock, 0, context, out, in, 100);
}
void run_undefined_element(float* out, const float* in, Context& context) {
  const DeviceBuffer<float> scratch(kBlock);
  launch(undefined_element, 1, kBlock, 0, context, out, in, scratch.data());
}

using Run = decltype(PlantedBug::run);
using Expected = decltype(PlantedBug::expected);

/// The runtime itself reports it, in every build.
PlantedBug always_reported(const char* name, Run run, std::string_view message) {
  return {name, run, nothing, message, message, message};
}
/// Natural and random schedules give a wrong result; the checker says why.
PlantedBug wrong_result(const char* name, Run run, Expected expected, std::string_view checked) {
  return {name, run, expected, kWrong, kWrong, checked};
}
/// The result is right, by the order in which threads happen to run.
PlantedBug found_by_checker_alone(const char* name, Run run, Expected expected,
                                  std::string_view checked) {
  return {name, run, expected, kUnseen, kUnseen, checked};
}

std::vector<PlantedBug> synchronisation_bugs() {
  return {
      wrong_result("missing_barrier", simply<missing_barrier>, reversed<kBlock>,
                   "undefined memory: thread 0 at planted_bugs.cu:"),
      wrong_result("missing_second_barrier", simply<missing_second_barrier>, sum_of_shifted_tiles,
                   "writes what is read by thread 255 at planted_bugs.cu:"),
      wrong_result("missing_syncwarp", simply<missing_syncwarp, 1, 32>, reversed<32>,
                   "undefined memory: thread 0 at planted_bugs.cu:"),
      wrong_result("syncwarp_of_half", simply<syncwarp_of_half, 1, 32>, reversed<32>,
                   "race: thread 31 at planted_bugs.cu:"),
      always_reported("barrier_in_branch", simply<barrier_in_branch>,
                      "200 threads (0, ...) in __syncthreads at planted_bugs.cu:"),
      always_reported("two_barriers", simply<two_barriers>, "divergent barrier"),
      always_reported("return_before_barrier", run_early_return, "156 threads (100, ...) returned"),
      always_reported("shuffle_in_branch", simply<shuffle_in_branch, 1, 64>,
                      "in __shfl_down_sync of lanes ffffffff at planted_bugs.cu:"),
      always_reported("shuffle_meets_vote", simply<shuffle_meets_vote, 1, 64>, "__shfl_xor_sync"),
      always_reported("shuffle_from_absent_lane", simply<shuffle_from_absent_lane, 1, 64>,
                      "which does not take part"),
      always_reported("mask_without_self", simply<mask_without_self, 1, 64>,
                      "the mask lacks its own lane"),
      wrong_result("missing_wait", simply<missing_wait>, first<kBlock>,
                   "missing copy_async_wait: thread 255 at planted_bugs.cu:"),
      wrong_result("wait_without_barrier", simply<wait_without_barrier>, reversed<kBlock>,
                   "at planted_bugs.cu:"),
      found_by_checker_alone("sum_without_atomic", simply<sum_without_atomic, 8, 32>, sum<8>,
                             "race between blocks: thread 0 at planted_bugs.cu:"),
      found_by_checker_alone("last_block_without_fence", run_last_block, sum<8>,
                             "race between blocks: thread 0 at planted_bugs.cu:"),
      found_by_checker_alone("overwrite_what_others_read", run_overwrite, shifted,
                             "race between blocks"),
  };
}

std::vector<PlantedBug> memory_bugs() {
  // clang puts no red zones into sections with such a name as __shared__ variables' has, and takes
  // the copy of a float4 for a memcpy, which needs no alignment.
#ifdef __clang__
  constexpr bool kGcc = false;
#else
  constexpr bool kGcc = true;
#endif
  return {
      wrong_result("undefined_accumulator", simply<undefined_accumulator>, sum<kBlock>,
                   "undefined memory"),
      wrong_result("undefined_in_template", simply<undefined_in_template<float>>, first<kBlock>,
                   "undefined memory"),
      wrong_result("undefined_element", run_undefined_element, first<kBlock>,
                   "undefined memory: thread 255 at planted_bugs.cu:"),
      // Without a checker what lies there decides: 0 times NaN is seen, 0 times anything else is not.
      {"read_past_end", run_past_end, first<1024>, "", "AddressSanitizer: heap-buffer-overflow",
       "0 bytes past the end of global memory, an allocation of 4096 bytes"},
      {"overrun_dynamic_shared", run_dynamic_overrun, first<kBlock>, "",
       "AddressSanitizer: heap-buffer-overflow", "0 bytes past the end of dynamic shared memory"},
      {"overrun_static_shared", simply<overrun_static_shared>, first<kBlock>, "",
       "runtime error: index 256 out of bounds", ""},
      {"overrun_static_shared_by_pointer", simply<overrun_static_shared_by_pointer>, first<kBlock>,
       "", kGcc ? "AddressSanitizer: global-buffer-overflow" : "", ""},
      found_by_checker_alone("host_pointer", run_host_pointer, nothing,
                             "out of bounds: thread 0 at planted_bugs.cu:"),
      found_by_checker_alone("pointer_to_host_stack", run_pointer_to_host_stack, nothing,
                             "out of bounds: thread 0 at planted_bugs.cu:"),
      {"misaligned_vector", simply<misaligned_vector, 1, 64>, nothing, "",
       kGcc ? "misaligned address" : "", ""},
      {"misaligned_double", simply<misaligned_double>, nothing, "", "misaligned address",
       "misaligned: thread 0 at planted_bugs.cu:"},
      always_reported("misaligned_copy", simply<misaligned_copy>,
                      "copy_async_16: the source is not 16-byte aligned"),
  };
}

}  // namespace

const std::vector<PlantedBug>& planted_bugs() {
  static const std::vector<PlantedBug> bugs = [] {
    std::vector<PlantedBug> all = synchronisation_bugs();
    for (const PlantedBug& bug : memory_bugs()) all.push_back(bug);
    return all;
  }();
  return bugs;
}

}  // namespace topograd::simt::test
