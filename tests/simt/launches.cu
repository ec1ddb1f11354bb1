#include "tests/simt/launches.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "kernels/core/launch.h"
#include "tests/simt/device_buffer.h"

namespace topograd::simt::test {

namespace {

__global__ void count_kernel(unsigned long long* count) {
  atomicAdd(count, 1ull);
}

__global__ void coordinates_kernel(int* out) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  // Lane 0 of a warp is the thread whose number is a multiple of 32, x fastest.
  const unsigned first = __shfl_sync(kAllLanes, thread, 0);
  __syncthreads();  // coordinates are a thread's own again after others have run
  const unsigned again = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  out[block * threads + thread] = first == thread / 32 * 32 && again == thread;
}

__global__ void launching_kernel(Context* context, unsigned long long* count) {
  launch(count_kernel, 1, 1, 0, *context, count);
}

__global__ void allocating_kernel() {
  allocate(16);
}

__global__ void throwing_kernel() {
  __syncthreads();
  if (threadIdx.x == 40) throw std::runtime_error("thread 40 gives up");
  __syncthreads();
}

__global__ void throwing_number_kernel() {
  throw 7;
}

__global__ void waiting_kernel() {
  if (threadIdx.x != 1000) __syncthreads();
}

__device__ int recurse(int depth) {
  volatile char filler[1024];
  filler[0] = static_cast<char>(depth);
  return depth == 0 ? filler[0] : recurse(depth - 1) + filler[0];
}
__global__ void recursive_kernel(int* out) {
  out[0] = recurse(1 << 20);
}

__global__ void sum_kernel(float* out) {
  __shared__ float partial[8];
  float value = 1;
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(kAllLanes, value, offset);
  if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    float sum = 0;
    for (float part : partial) sum += part;
    atomicAdd(out, sum);
  }
}

__global__ void parameter_kernel(int* out, int value) {
  value += 1;
  __syncthreads();
  value += 1;
  out[threadIdx.x] = value;
}

}  // namespace

int64_t count_threads(const int64_t (&grid)[3], const int64_t (&block)[3], int64_t shared_bytes,
                      Context& context) {
  const auto size = [](const int64_t(&extents)[3]) {
    return dim3(static_cast<unsigned>(extents[0]), static_cast<unsigned>(extents[1]),
                static_cast<unsigned>(extents[2]));
  };
  const DeviceBuffer<unsigned long long> count(std::vector<unsigned long long>{0});
  launch(count_kernel, size(grid), size(block), static_cast<size_t>(shared_bytes), context,
         count.data());
  return static_cast<int64_t>(count.values()[0]);
}

bool coordinates_are_right(Context& context) {
  const dim3 grid(2, 3, 4), block(5, 3, 7);
  const DeviceBuffer<int> out(size_t{24} * 105);
  launch(coordinates_kernel, grid, block, 0, context, out.data());
  for (int right : out.values())
    if (right != 1) return false;
  return true;
}

void launch_from_inside(Context& context) {
  const DeviceBuffer<unsigned long long> count(1);
  launch(launching_kernel, 1, 1, 0, context, &context, count.data());
}

void allocate_from_inside(Context& context) {
  launch(allocating_kernel, 1, 1, 0, context);
}

void throw_after_barrier(Context& context) {
  launch(throwing_kernel, 2, 64, 0, context);
}

void throw_not_an_exception(Context& context) {
  launch(throwing_number_kernel, 1, 1, 0, context);
}

void wait_in_1023_of_1024(Context& context) {
  launch(waiting_kernel, 1, 1024, 0, context);
}

void overflow_the_stack(Context& context) {
  const DeviceBuffer<int> out(1);
  launch(recursive_kernel, 1, 1, 0, context, out.data());
}

float sum_of_counts(int blocks, Context& context) {
  const DeviceBuffer<float> out(std::vector<float>{0});
  launch(sum_kernel, blocks, 256, 0, context, out.data());
  return out.values()[0];
}

int changed_parameter(Context& context) {
  const DeviceBuffer<int> out(64);
  launch(parameter_kernel, 1, 64, 0, context, out.data(), 40);
  return out.values()[63];
}

int host_containers() {
  std::map<std::string, std::shared_ptr<std::vector<int>>> by_name;
  std::unordered_map<int, std::function<int(int)>> functions;
  std::atomic<int> total{0};
  std::atomic<uint8_t> bits{1};
  for (int i = 0; i < 10; ++i) {
    by_name[std::to_string(i)] = std::make_shared<std::vector<int>>(static_cast<size_t>(i), i);
    functions[i] = [i](int x) { return i * x; };
  }
  for (const auto& [name, values] : by_name)
    total += std::accumulate(values->begin(), values->end(), functions[2](1));
  bits |= 6;
  int expected = 305;
  total.compare_exchange_strong(expected, expected + bits.exchange(0));
  return total.load();
}

}  // namespace topograd::simt::test
