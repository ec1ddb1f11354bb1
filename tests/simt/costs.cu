// What the emulator costs: nanoseconds of processor time for each thing that a thread does. The
// table in kernels/simt/README.md is this program's output, with and without the race checker.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "kernels/core/launch.h"
#include "tests/simt/device_buffer.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 1 << 18;  // of kernels that do one thing in each

__global__ void empty_kernel(float* out) {
  if (threadIdx.x == 9999) out[0] = 1;
}

__global__ void axpy_kernel(float* out, const float* in, int n) {
  const int i = static_cast<int>(first_element());
  if (i < n) out[i] += 2.0f * in[i];
}

__global__ void barrier_kernel(float* out, int repeats) {
  for (int i = 0; i < repeats; ++i) __syncthreads();
  if (threadIdx.x == 9999) out[0] = 1;
}

__global__ void shuffle_kernel(float* out, int repeats) {
  float sum = static_cast<float>(threadIdx.x);
  for (int i = 0; i < repeats; ++i) sum += __shfl_xor_sync(kAllLanes, sum, 1);
  out[threadIdx.x] = sum;
}

__global__ void shared_kernel(float* out, const float* in, int repeats) {
  __shared__ float tile[256];
  const int t = static_cast<int>(threadIdx.x);
  tile[t] = in[t];
  __syncthreads();
  float sum = 0;
  for (int i = 0; i < repeats; ++i) sum += tile[(t + i) % 256];
  out[t] = sum;
}

__global__ void mma_kernel(float* out, int repeats) {
  uint32_t a[4] = {threadIdx.x, 1, 2, 3};
  uint32_t b[2] = {threadIdx.x, 1};
  float d[4] = {0, 0, 0, 0};
  for (int i = 0; i < repeats; ++i) mma_m16n8k16(d, a, b, d);
  out[threadIdx.x] = d[0] + d[1] + d[2] + d[3];
}

double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Prints the median of several runs, and their range, for each of `events`.
template <class Run>
void measure(const std::string& what, double events, const Run& run) {
  run();
  std::array<double, 9> times;
  for (double& time : times) {
    const double start = processor_seconds();
    run();
    time = (processor_seconds() - start) / events * 1e9;
  }
  std::sort(times.begin(), times.end());
  std::printf("%-32s %7.1f ns  (%.1f to %.1f)\n", what.c_str(), times[4], times.front(),
              times.back());
}

void measure_all() {
  Context context(kDevice);
  const test::DeviceBuffer<float> x(std::vector<float>(kThreads, 1.0f));
  const test::DeviceBuffer<float> y(std::vector<float>(kThreads, 1.0f));
  float* out = y.data();
  const float* in = x.data();
  measure("empty thread", kThreads,
          [&] { launch(empty_kernel, kThreads / 256, 256, 0, context, out); });
  measure("thread: out[i] += 2 in[i]", kThreads,
          [&] { launch(axpy_kernel, kThreads / 256, 256, 0, context, out, in, kThreads); });
  for (int block : {32, 256, 1024}) {
    const std::string of_block = ", block of " + std::to_string(block);
    const int repeats = (1 << 20) / block;
    const double events = block * repeats;
    measure("barrier" + of_block, events,
            [&] { launch(barrier_kernel, 1, block, 0, context, out, repeats); });
    measure("shuffle" + of_block, events,
            [&] { launch(shuffle_kernel, 1, block, 0, context, out, repeats); });
  }
  measure("read of shared memory", 256.0 * 4096,
          [&] { launch(shared_kernel, 1, 256, 0, context, out, in, 4096); });
  measure("mma_m16n8k16, the whole warp", 1 << 13,
          [&] { launch(mma_kernel, 1, 32, 0, context, out, 1 << 13); });
}

}  // namespace

}  // namespace topograd::TOPOGRAD_BACKEND

int main() {
  topograd::simt::measure_all();
}
