#include "kernels/cuda/cuda_context.h"

#include <algorithm>
#include <cstdlib>

namespace topograd::cuda {

namespace {

/// Number of this process among those of its machine, from 0: what Open MPI, MPICH and Intel MPI,
/// MVAPICH, and Slurm leave in the environment.
int local_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID",
                           "MV2_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"})
    if (const char* value = std::getenv(name)) return std::max(0, std::atoi(value));
  return 0;
}

/// Whether a kernel failed in a way after which CUDA refuses everything in this process.
bool is_final(cudaError_t status) {
  return status == cudaErrorIllegalAddress || status == cudaErrorMisalignedAddress ||
         status == cudaErrorLaunchFailure;
}

struct Stream {
  // Not cudaStreamNonBlocking: tensors are copied on the default stream, which keeps order with
  // this one.
  Stream() {
    choose_gpu();
    cudaStream_t stream = nullptr;
    check(cudaStreamCreate(&stream), "making a stream");
    handle = {stream, [](cudaStream_t s) { cudaStreamDestroy(s); }};
  }
  std::shared_ptr<CUstream_st> handle;
};

}  // namespace

void check(cudaError_t status, const char* doing) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // else the next launch would report this failure as its own
  fail("CUDA: ", doing, ": ", cudaGetErrorString(status), " (", cudaGetErrorName(status), ")",
       is_final(status) ? ": a kernel failed, and this process can no longer use the GPU; start it "
                          "again, under compute-sanitizer to see which"
                        : "");
}

void choose_gpu() {
  thread_local bool chosen = false;
  if (chosen) return;
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count < 1) return;
  chosen = true;
  if (count > 1) check(cudaSetDevice(local_rank() % count), "choosing a GPU");
}

cudaStream_t stream_of(Context& context) {
  return context.state<Stream>().handle.get();
}

std::shared_ptr<CUstream_st> shared_stream_of(Context& context) {
  return context.state<Stream>().handle;
}

bool still_running() {
  int device = 0;
  return cudaGetDevice(&device) == cudaSuccess;
}

float* elements_of(const Tensor& t) {
  if (!t.defined()) return nullptr;
  require(t.device() == Device::cuda, "an operation on cuda was handed memory of ",
          name_of(t.device()));
  return t.data<float>();
}

}  // namespace topograd::cuda
