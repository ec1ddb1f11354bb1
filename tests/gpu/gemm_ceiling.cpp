// What cuBLAS makes of the tensor cores, in TFLOP/s: the ceiling of every convolution. It prints
// JSON in the manner of bench_ops.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

void check(cudaError_t status, const char* call) {
  if (status != cudaSuccess)
    throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(status));
}
void check(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(std::string(call) + ": " + cublasGetStatusString(status));
}

constexpr int kSide = 8192;
constexpr int64_t kElements = int64_t{kSide} * kSide;

/// A matrix of normal numbers, repeated from one block: zeros would be faster, for they cost less
/// power.
template <class T>
T* random_matrix(unsigned seed) {
  constexpr int64_t kBlock = int64_t{1} << 20;
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<T> block(kBlock);
  for (T& value : block) value = static_cast<T>(normal(generator));
  T* matrix = nullptr;
  check(cudaMalloc(&matrix, kElements * sizeof(T)), "cudaMalloc");
  for (int64_t i = 0; i < kElements; i += kBlock)
    check(cudaMemcpy(matrix + i, block.data(), kBlock * sizeof(T), cudaMemcpyHostToDevice),
          "cudaMemcpy");
  return matrix;
}

struct Mode {
  const char* name;
  cudaDataType type;
  cublasComputeType_t compute;
};

/// Median milliseconds of a product of two square matrices.
double milliseconds(cublasHandle_t handle, const Mode& mode, const void* a, const void* b,
                    void* c) {
  const float one = 1, zero = 0;
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  std::vector<float> times;
  for (int i = 0; i < 12; ++i) {
    check(cudaEventRecord(begin), "cudaEventRecord");
    check(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, kSide, kSide, kSide, &one, a, mode.type,
                       kSide, b, mode.type, kSide, &zero, c, mode.type, kSide, mode.compute,
                       CUBLAS_GEMM_DEFAULT),
          "cublasGemmEx");
    check(cudaEventRecord(end), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin, end), "cudaEventElapsedTime");
    if (i >= 3) times.push_back(ms);  // the clocks are up by then
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void run() {
  cublasHandle_t handle = nullptr;
  check(cublasCreate(&handle), "cublasCreate");
  const float* f32[] = {random_matrix<float>(1), random_matrix<float>(2)};
  const __nv_bfloat16* bf16[] = {random_matrix<__nv_bfloat16>(3), random_matrix<__nv_bfloat16>(4)};
  void* c = nullptr;
  check(cudaMalloc(&c, kElements * sizeof(float)), "cudaMalloc");
  const Mode modes[] = {{"f32", CUDA_R_32F, CUBLAS_COMPUTE_32F},
                        {"tf32", CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32},
                        {"bf16", CUDA_R_16BF, CUBLAS_COMPUTE_32F}};
  const char* separator = "[";
  for (const Mode& mode : modes) {
    const bool is_f32 = mode.type == CUDA_R_32F;
    const void* a = is_f32 ? static_cast<const void*>(f32[0]) : bf16[0];
    const void* b = is_f32 ? static_cast<const void*>(f32[1]) : bf16[1];
    const double ms = milliseconds(handle, mode, a, b, c);
    std::printf(
        "%s{\"group\": \"ceilings\", \"op\": \"gemm\", \"implementation\": \"cublas %s\", "
        "\"case\": \"M=N=K=%d\", \"us\": %.1f, \"TFLOP/s\": %.2f}",
        separator, mode.name, kSide, 1e3 * ms, 2e-9 * kSide * kElements / ms);
    separator = ",\n ";
  }
  std::printf("]\n");
}

}  // namespace

int main() {
  try {
    run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gemm_ceiling: %s\n", error.what());
    return 1;
  }
}
