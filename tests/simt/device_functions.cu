#include "tests/simt/device_functions.h"

#include "kernels/core/launch.h"
#include "tests/simt/device_buffer.h"

namespace topograd::simt::test {

namespace {

__global__ void shuffle_kernel(int* out, Shuffle mode, int parameter, int width) {
  const int t = static_cast<int>(threadIdx.x);
  switch (mode) {
    case Shuffle::index:
      out[t] = __shfl_sync(kAllLanes, t, parameter, width);
      break;
    case Shuffle::up:
      out[t] = __shfl_up_sync(kAllLanes, t, static_cast<unsigned>(parameter), width);
      break;
    case Shuffle::down:
      out[t] = __shfl_down_sync(kAllLanes, t, static_cast<unsigned>(parameter), width);
      break;
    case Shuffle::exclusive_or:
      out[t] = __shfl_xor_sync(kAllLanes, t, parameter, width);
      break;
  }
}

__global__ void shuffle_doubles_kernel(double* out, int lane_mask) {
  out[threadIdx.x] = __shfl_xor_sync(kAllLanes, 0.5 + threadIdx.x, lane_mask);
}

__global__ void votes_kernel(Votes* out, int modulus) {
  const int t = static_cast<int>(threadIdx.x);
  const bool predicate = t % modulus == 0;
  Votes v;
  v.ballot = __ballot_sync(kAllLanes, predicate);
  v.any = __any_sync(kAllLanes, predicate);
  v.all = __all_sync(kAllLanes, predicate);
  v.sum = __reduce_add_sync(kAllLanes, 3 * t - 50);
  v.minimum = __reduce_min_sync(kAllLanes, 3 * t - 50);
  v.maximum = __reduce_max_sync(kAllLanes, 3 * t - 50);
  v.unsigned_sum = __reduce_add_sync(kAllLanes, 0x80000000u + threadIdx.x);
  v.block_count = __syncthreads_count(predicate);
  v.block_and = __syncthreads_and(predicate);
  v.block_or = __syncthreads_or(predicate);
  out[t] = v;
}

__global__ void running_order_kernel(int* out) {
  __shared__ int arrived;
  if (threadIdx.x == 0) arrived = 0;
  __syncthreads();
  out[threadIdx.x] = atomicAdd(&arrived, 1);
}

__global__ void atomics_kernel(AtomicResults* out) {
  const int number = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) + 1;
  atomicAdd(&out->sum, number);
  atomicMax(&out->maximum, number);
  atomicMin(&out->minimum, -number);
  atomicAdd(&out->long_sum, static_cast<unsigned long long>(number) << 32);
  atomicAdd(&out->double_sum, 0.5 * number);
  atomicAdd(&out->float_sum, number);  // CUDA converts, and so does this
  // Everybody takes what was there and leaves its own: the sum of all taken and the last one left.
  const int taken = atomicExch(&out->exchanged_total, number);
  atomicAdd(&out->exchanged_total, taken);
}

/// The elements of a lane's fragments, by the PTX ISA's tables for mma.m16n8k16 and .bf16.
struct FragmentTables {
  int group, member;  // %laneid / 4, %laneid % 4
  __device__ int a_row(int i) const { return i % 4 < 2 ? group : group + 8; }
  __device__ int a_column(int i) const { return member * 2 + (i & 1) + (i < 4 ? 0 : 8); }
  __device__ int b_row(int i) const { return member * 2 + (i & 1) + (i < 2 ? 0 : 8); }
  __device__ int b_column(int) const { return group; }
  __device__ int c_row(int i) const { return i < 2 ? group : group + 8; }
  __device__ int c_column(int i) const { return member * 2 + (i & 1); }
};

__device__ uint32_t pack(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return __bfloat16_as_ushort(pair.x) | static_cast<uint32_t>(__bfloat16_as_ushort(pair.y)) << 16;
}

__device__ void store(float* D, const float (&d)[4], const FragmentTables& at) {
  for (int i = 0; i < 4; ++i) D[8 * at.c_row(i) + at.c_column(i)] = d[i];
}

__global__ void mma_by_tables_kernel(float* D, const float* A, const float* B, const float* C) {
  const int lane = static_cast<int>(threadIdx.x);
  const FragmentTables at{lane / 4, lane % 4};
  uint32_t a[4], b[2];
  float c[4];
  for (int r = 0; r < 4; ++r)
    a[r] = pack(A[16 * at.a_row(2 * r) + at.a_column(2 * r)],
                A[16 * at.a_row(2 * r + 1) + at.a_column(2 * r + 1)]);
  for (int r = 0; r < 2; ++r)
    b[r] = pack(B[8 * at.b_row(2 * r) + at.b_column(2 * r)],
                B[8 * at.b_row(2 * r + 1) + at.b_column(2 * r + 1)]);
  for (int i = 0; i < 4; ++i) c[i] = C[8 * at.c_row(i) + at.c_column(i)];
  mma_m16n8k16(c, a, b, c);  // D in C's registers, as kernels do it
  store(D, c, at);
}

__global__ void mma_by_ldmatrix_kernel(float* D, const float* A, const float* B, const float* C) {
  __shared__ __align__(16) __nv_bfloat16 A_tile[16][24];  // rows padded, as kernels do
  __shared__ __align__(16) __nv_bfloat16 B_tile[16][8];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += 32) A_tile[i / 16][i % 16] = __float2bfloat16_rn(A[i]);
  for (int i = lane; i < 128; i += 32) B_tile[i / 8][i % 8] = __float2bfloat16_rn(B[i]);
  __syncthreads();
  const FragmentTables at{lane / 4, lane % 4};
  uint32_t a[4], b[2];
  float c[4], d[4];
  ldmatrix_x4(a, &A_tile[lane % 16][8 * (lane / 16)]);
  ldmatrix_x2_trans(b, &B_tile[lane % 16][0]);
  for (int i = 0; i < 4; ++i) c[i] = C[8 * at.c_row(i) + at.c_column(i)];
  mma_m16n8k16(d, a, b, c);
  store(D, d, at);
}

__global__ void ldmatrix_kernel(uint32_t* out, bool transposed) {
  __shared__ __align__(16) uint16_t matrices[4][8][8];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += 32) matrices[i / 64][i / 8 % 8][i % 8] = i;
  __syncthreads();
  if (transposed) {
    uint32_t r[2];
    ldmatrix_x2_trans(r, lane < 16 ? &matrices[lane / 8][lane % 8][0] : nullptr);
    for (int i = 0; i < 4; ++i) out[4 * lane + i] = i < 2 ? r[i] : 0;
  } else {
    uint32_t r[4];
    ldmatrix_x4(r, &matrices[lane / 8][lane % 8][0]);
    for (int i = 0; i < 4; ++i) out[4 * lane + i] = r[i];
  }
}

__global__ void copy_async_kernel(float* out, const float* in) {
  __shared__ __align__(16) float tile[2][4 * 64];
  const int t = static_cast<int>(threadIdx.x);
  for (int group = 0; group < 2; ++group) {
    const int piece = 64 * group + t;
    const bool valid = piece % 3 != 0;
    copy_async_16(&tile[group][4 * t], valid ? in + 4 * piece : nullptr, valid);
    copy_async_commit();
  }
  copy_async_wait<1>();
  __syncthreads();
  for (int i = t; i < 256; i += 64) out[i] = tile[0][i];
  copy_async_wait<0>();
  __syncthreads();
  for (int i = t; i < 256; i += 64) out[256 + i] = tile[1][i];
}

__global__ void copy_progress_kernel(float* out, const float* in) {
  __shared__ __align__(16) float tile[2][4];
  volatile float* second = &tile[1][0];
  tile[1][0] = -1;
  copy_async_16(tile[0], in);
  copy_async_commit();
  copy_async_16(tile[1], in + 4);
  copy_async_commit();
  out[0] = *second;
  copy_async_wait<1>();
  out[1] = *second;
  copy_async_wait<0>();
  out[2] = *second;
}

template <auto kKernel>
std::vector<float> multiply(const std::vector<float>& A, const std::vector<float>& B,
                            const std::vector<float>& C, Context& context) {
  const DeviceBuffer<float> D(C.size()), a(A), b(B), c(C);
  launch(kKernel, 1, 32, 0, context, D.data(), a.data(), b.data(), c.data());
  return D.values();
}

}  // namespace

std::vector<int> shuffled(Shuffle mode, int parameter, int width, int threads, Context& context) {
  const DeviceBuffer<int> out(static_cast<size_t>(threads));
  launch(shuffle_kernel, 1, threads, 0, context, out.data(), mode, parameter, width);
  return out.values();
}

std::vector<double> shuffled_doubles(int lane_mask, int threads, Context& context) {
  const DeviceBuffer<double> out(static_cast<size_t>(threads));
  launch(shuffle_doubles_kernel, 1, threads, 0, context, out.data(), lane_mask);
  return out.values();
}

std::vector<Votes> votes(int modulus, int threads, Context& context) {
  const DeviceBuffer<Votes> out(static_cast<size_t>(threads));
  launch(votes_kernel, 1, threads, 0, context, out.data(), modulus);
  return out.values();
}

std::vector<int> running_order(int threads, Context& context) {
  const DeviceBuffer<int> out(static_cast<size_t>(threads));
  launch(running_order_kernel, 1, threads, 0, context, out.data());
  return out.values();
}

AtomicResults atomics(int blocks, int threads, Context& context) {
  const DeviceBuffer<AtomicResults> out(std::vector<AtomicResults>(1));
  launch(atomics_kernel, blocks, threads, 0, context, out.data());
  return out.values()[0];
}

std::vector<float> mma_by_tables(const std::vector<float>& A, const std::vector<float>& B,
                                 const std::vector<float>& C, Context& context) {
  return multiply<mma_by_tables_kernel>(A, B, C, context);
}

std::vector<float> mma_by_ldmatrix(const std::vector<float>& A, const std::vector<float>& B,
                                   const std::vector<float>& C, Context& context) {
  return multiply<mma_by_ldmatrix_kernel>(A, B, C, context);
}

std::vector<uint32_t> ldmatrix_registers(Context& context) {
  const DeviceBuffer<uint32_t> out(4 * 32);
  launch(ldmatrix_kernel, 1, 32, 0, context, out.data(), false);
  return out.values();
}

std::vector<uint32_t> ldmatrix_trans_registers(Context& context) {
  const DeviceBuffer<uint32_t> out(4 * 32);
  launch(ldmatrix_kernel, 1, 32, 0, context, out.data(), true);
  return out.values();
}

std::vector<float> copied_asynchronously(const std::vector<float>& in, Context& context) {
  const DeviceBuffer<float> out(in.size()), source(in);
  launch(copy_async_kernel, 1, 64, 0, context, out.data(), source.data());
  return out.values();
}

std::vector<float> copy_progress(Context& context) {
  const DeviceBuffer<float> out(3), in(counting<float>(8, 1));
  launch(copy_progress_kernel, 1, 1, 0, context, out.data(), in.data());
  return out.values();
}

}  // namespace topograd::simt::test
