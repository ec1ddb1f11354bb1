#include "tests/simt/legal_patterns.h"

#include "kernels/core/launch.h"
#include "tests/simt/device_buffer.h"

namespace topograd::simt::test {

namespace {

constexpr int kBlock = 256;
constexpr int kSize = 1024;
using Floats = std::vector<float>;

// ---- barriers

/// Writes again what others have read, with barriers in between.
__global__ void tile_loop(float* out, const float* in) {
  __shared__ float tile[kBlock];
  const int t = threadIdx.x;
  float sum = 0;
  for (int k = 0; k < kSize / kBlock; ++k) {
    tile[t] = in[k * kBlock + t];
    __syncthreads();
    sum += tile[0] + tile[kBlock - 1 - t];
    __syncthreads();
  }
  out[t] = sum;
}
Floats tile_loop_expected(const Floats& in) {
  Floats result(kBlock, 0.0f);
  for (size_t k = 0; k < kSize; k += kBlock)
    for (size_t t = 0; t < kBlock; ++t) result[t] += in[k] + in[k + kBlock - 1 - t];
  return result;
}

/// One warp works while the others wait at the next barrier.
__global__ void one_warp_works(float* out, const float* in) {
  __shared__ float tile[kBlock];
  const int t = threadIdx.x;
  tile[t] = in[t];
  __syncthreads();
  if (t < 32)
    for (int i = t; i < kBlock; i += 32) tile[i] *= 2;
  __syncthreads();
  out[t] = tile[kBlock - 1 - t];
}
Floats one_warp_works_expected(const Floats& in) {
  Floats result(kBlock);
  for (size_t t = 0; t < kBlock; ++t) result[t] = 2 * in[kBlock - 1 - t];
  return result;
}

/// Leaves the loop by a vote of the block.
__global__ void loop_until_all_done(float* out, const float* in) {
  const int t = threadIdx.x;
  const int wanted = static_cast<int>(in[t]) % 7;
  int rounds = 0;
  int done = 0;
  while (__syncthreads_or(done < wanted)) {
    done += done < wanted;
    ++rounds;
  }
  out[t] = static_cast<float>(100 * rounds + done);
}
Floats loop_until_all_done_expected(const Floats& in) {
  Floats result(kBlock);
  for (size_t t = 0; t < kBlock; ++t)
    result[t] = static_cast<float>(600 + static_cast<int>(in[t]) % 7);
  return result;
}

__global__ void dynamic_tile(float* out, const float* in) {
  float* tile = dynamic_shared<float>();
  const int t = threadIdx.x;
  const int i = static_cast<int>(blockIdx.x * blockDim.x) + t;
  tile[t] = in[i];
  __syncthreads();
  out[i] = tile[t ^ 1];
}

template <class T>
__global__ void template_tile(float* out, const float* in) {
  __shared__ T tile[kBlock];
  const int t = threadIdx.x;
  const int i = static_cast<int>(blockIdx.x * blockDim.x) + t;
  tile[t] = static_cast<T>(in[i]);
  __syncthreads();
  out[i] = static_cast<float>(tile[t ^ 1]);
}
Floats swapped_pairs(const Floats& in) {
  Floats result(in.size());
  for (size_t i = 0; i < in.size(); ++i) result[i] = in[i ^ 1];
  return result;
}

// ---- warps

__global__ void exchange_in_warp(float* out, const float* in) {
  __shared__ float tile[64];
  const int t = threadIdx.x;
  tile[t] = in[t];
  __syncwarp();
  const float other = tile[t ^ 31];
  __syncwarp();
  tile[t] = 2;
  __syncwarp();
  out[t] = other + tile[t ^ 1];
}
Floats exchange_in_warp_expected(const Floats& in) {
  Floats result(64);
  for (size_t t = 0; t < 64; ++t) result[t] = in[t ^ 31] + 2;
  return result;
}

/// Passes a number from lane to lane: each __syncwarp joins two neighbours only, and what one has
/// learnt the next one learns from it.
__global__ void chain_of_pairs(float* out, const float* in) {
  __shared__ float first;
  const int lane = threadIdx.x;
  if (lane == 0) first = in[0];
  for (int i = 0; i < 31; ++i)
    if (lane == i || lane == i + 1) __syncwarp(3u << i);
  if (lane == 31) out[0] = first;
}
Floats first_one(const Floats& in) {
  return {in[0]};
}

__global__ void halves_of_warps(float* out, const float* in) {
  const int t = threadIdx.x;
  const float value = in[t];
  if (t % 32 < 16)
    out[t] = value + __shfl_xor_sync(0x0000ffffu, value, 8, 16);
  else
    out[t] = value - __shfl_xor_sync(0xffff0000u, value, 1, 16);
}
Floats halves_of_warps_expected(const Floats& in) {
  Floats result(kBlock);
  for (size_t t = 0; t < kBlock; ++t)
    result[t] = t % 32 < 16 ? in[t] + in[t ^ 8] : in[t] - in[t ^ 1];
  return result;
}

// ---- atomic operations and fences

__global__ void atomic_sum(float* out, const float* in) {
  __shared__ float sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, in[blockIdx.x * blockDim.x + threadIdx.x]);
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(out, sum);
}
void run_atomic_sum(float* out, const float* in, Context& context) {
  fill_zero(out, sizeof(float));
  launch(atomic_sum, kSize / kBlock, kBlock, 0, context, out, in);
}
Floats sum(const Floats& in) {
  float result = 0;
  for (float value : in) result += value;
  return {result};
}

/// The last block to finish adds what all blocks have left: the programming guide's pattern.
__global__ void last_block_adds(float* out, const float* in, float* partial, unsigned* arrived) {
  __shared__ float tile[kBlock];
  __shared__ bool last;
  const int t = threadIdx.x;
  tile[t] = in[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  if (t < 32) {
    float value = 0;
    for (int i = t; i < kBlock; i += 32) value += tile[i];
    partial[blockIdx.x * 32 + t] = value;
    __syncwarp();
  }
  if (t == 0) {
    __threadfence();
    last = atomicAdd(arrived, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  if (t < 32) {
    float value = 0;
    for (unsigned i = t; i < 32 * gridDim.x; i += 32) value += partial[i];
    for (int offset = 16; offset > 0; offset /= 2)
      value += __shfl_down_sync(0xffffffffu, value, offset);
    if (t == 0) out[0] = value;
  }
}
void run_last_block_adds(float* out, const float* in, Context& context) {
  const DeviceBuffer<float> partial(kSize / kBlock * 32);
  const DeviceBuffer<unsigned> arrived(std::vector<unsigned>{0});
  launch(last_block_adds, kSize / kBlock, kBlock, 0, context, out, in, partial.data(),
         arrived.data());
}

/// The largest float, by compare and swap of its bits.
__global__ void atomic_largest(float* out, const float* in) {
  int* bits = reinterpret_cast<int*>(out);
  const float mine = in[blockIdx.x * blockDim.x + threadIdx.x];
  int seen = atomicMax(bits, 0);
  while (__int_as_float(seen) < mine) {
    const int before = atomicCAS(bits, seen, __float_as_int(mine));
    if (before == seen) break;
    seen = before;
  }
}
void run_atomic_largest(float* out, const float* in, Context& context) {
  fill_zero(out, sizeof(float));
  launch(atomic_largest, kSize / kBlock, kBlock, 0, context, out, in);
}
Floats largest(const Floats& in) {
  return {*std::max_element(in.begin(), in.end())};
}

// ---- kinds of memory

/// Neighbours write the bytes of one word.
__global__ void bytes_of_words(float* out, const float* in) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  reinterpret_cast<unsigned char*>(out)[i] = static_cast<unsigned char>(in[i]);
}
__global__ void sum_of_bytes(float* out, const float* bytes) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const uchar4 v = reinterpret_cast<const uchar4*>(bytes)[i];
  out[i] = static_cast<float>(v.x + v.y + v.z + v.w);
}
void run_bytes(float* out, const float* in, Context& context) {
  const DeviceBuffer<float> bytes(kSize / 4);
  launch(bytes_of_words, kSize / kBlock, kBlock, 0, context, bytes.data(), in);
  launch(sum_of_bytes, 1, kSize / 4, 0, context, out, bytes.data());
}
Floats sum_of_fours(const Floats& in) {
  Floats result(in.size() / 4, 0.0f);
  for (size_t i = 0; i < in.size(); ++i) result[i / 4] += in[i];
  return result;
}

/// Pairs of 16-bit numbers, written one by one and read as one word.
__global__ void halves_of_words(float* out, const float* in) {
  __shared__ __align__(16) __nv_bfloat16 tile[kBlock];
  const int t = threadIdx.x;
  tile[t] = __float2bfloat16_rn(in[t]);
  __syncthreads();
  const __nv_bfloat162 pair = reinterpret_cast<const __nv_bfloat162*>(tile)[t / 2];
  out[t] = t % 2 ? __low2float(pair) : __high2float(pair);
}
Floats swapped_pairs_of_block(const Floats& in) {
  const Floats all = swapped_pairs(in);
  return Floats(all.begin(), all.begin() + kBlock);
}

/// Whole vectors through shared memory.
__global__ void vectors(float* out, const float* in) {
  __shared__ float4 tile[kSize / 4];
  const int t = threadIdx.x;
  tile[t] = reinterpret_cast<const float4*>(in)[t];
  __syncthreads();
  reinterpret_cast<float4*>(out)[t] = tile[t ^ 1];
}
Floats swapped_fours(const Floats& in) {
  Floats result(in.size());
  for (size_t i = 0; i < in.size(); ++i) result[i] = in[i ^ 4];
  return result;
}

__constant__ float kScales[4] = {1, 2, 3, 4};

__device__ float pick(const float* values, int i) {
  return values[i];
}

/// Constants, and an array of a thread's own behind a pointer.
__global__ void constants_and_locals(float* out, const float* in) {
  static constexpr float kOffsets[4] = {0, 10, 20, 30};
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  float own[4];
  for (int k = 0; k < 4; ++k) own[k] = in[i] * kScales[k] + kOffsets[k];
  out[i] = pick(own, i % 4);
}
Floats constants_and_locals_expected(const Floats& in) {
  Floats result(in.size());
  for (size_t i = 0; i < in.size(); ++i)
    result[i] = in[i] * static_cast<float>(i % 4 + 1) + 10.0f * static_cast<float>(i % 4);
  return result;
}

__global__ void double_in_place(float* data, int n) {
  const int step = static_cast<int>(gridDim.x * blockDim.x);
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < n; i += step)
    data[i] *= 2;
}
void run_in_place(float* out, const float* in, Context& context) {
  copy_within(out, in, kSize * sizeof(float));
  launch(double_in_place, 3, 50, 0, context, out, kSize);
}
Floats doubled(const Floats& in) {
  Floats result = in;
  for (float& value : result) value *= 2;
  return result;
}

// ---- asynchronous copies

/// Two tiles in turn: the next one is on its way while this one is used.
__global__ void double_buffer(float* out, const float* in) {
  constexpr int kTile = 128;
  __shared__ __align__(16) float tile[2][kTile];
  const int t = threadIdx.x;
  const auto start = [&](int k) {
    if (t < kTile / 4) copy_async_16(&tile[k % 2][4 * t], in + k * kTile + 4 * t);
    copy_async_commit();
  };
  start(0);
  float sum = 0;
  for (int k = 0; k < kSize / kTile; ++k) {
    if (k + 1 < kSize / kTile) {
      start(k + 1);
      copy_async_wait<1>();
    } else {
      copy_async_wait<0>();
    }
    __syncthreads();
    sum += tile[k % 2][kTile - 1 - t];
    __syncthreads();
  }
  out[t] = sum;
}
Floats double_buffer_expected(const Floats& in) {
  Floats result(128, 0.0f);
  for (size_t i = 0; i < in.size(); ++i) result[127 - i % 128] += in[i];
  return result;
}

template <auto kKernel, unsigned kBlocks, unsigned kThreads, size_t kShared = 0>
void simply(float* out, const float* in, Context& context) {
  launch(kKernel, kBlocks, kThreads, kShared, context, out, in);
}

}  // namespace

const std::vector<LegalPattern>& legal_patterns() {
  constexpr unsigned kBlocks = kSize / kBlock;
  static const std::vector<LegalPattern> patterns = {
      {"tile_loop", simply<tile_loop, 1, kBlock>, tile_loop_expected},
      {"one_warp_works", simply<one_warp_works, 1, kBlock>, one_warp_works_expected},
      {"loop_until_all_done", simply<loop_until_all_done, 1, kBlock>, loop_until_all_done_expected},
      {"dynamic_tile", simply<dynamic_tile, kBlocks, kBlock, kBlock * sizeof(float)>,
       swapped_pairs},
      {"template_tile", simply<template_tile<double>, kBlocks, kBlock>, swapped_pairs},
      {"exchange_in_warp", simply<exchange_in_warp, 1, 64>, exchange_in_warp_expected},
      {"chain_of_pairs", simply<chain_of_pairs, 1, 32>, first_one},
      {"halves_of_warps", simply<halves_of_warps, 1, kBlock>, halves_of_warps_expected},
      {"atomic_sum", run_atomic_sum, sum},
      {"last_block_adds", run_last_block_adds, sum},
      {"atomic_largest", run_atomic_largest, largest},
      {"bytes", run_bytes, sum_of_fours},
      {"halves_of_words", simply<halves_of_words, 1, kBlock>, swapped_pairs_of_block},
      {"vectors", simply<vectors, 1, kSize / 4>, swapped_fours},
      {"constants_and_locals", simply<constants_and_locals, kBlocks, kBlock>,
       constants_and_locals_expected},
      {"in_place", run_in_place, doubled},
      {"double_buffer", simply<double_buffer, 1, 128>, double_buffer_expected},
  };
  return patterns;
}

}  // namespace topograd::simt::test
