#include "kernels/cuda/cuda_context.h"

namespace topograd::cuda {

namespace {

struct Stream {
  // Not cudaStreamNonBlocking: tensors are copied on the default stream, which keeps order with
  // this one.
  Stream() { check(cudaStreamCreate(&handle), "making a stream"); }
  ~Stream() { cudaStreamDestroy(handle); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t handle = nullptr;
};

}  // namespace

void check(cudaError_t status, const char* doing) {
  require(status == cudaSuccess, "CUDA: ", doing, ": ", cudaGetErrorString(status));
}

cudaStream_t stream_of(Context& context) {
  return context.state<Stream>().handle;
}

}  // namespace topograd::cuda
