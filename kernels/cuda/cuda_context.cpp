#include "kernels/cuda/cuda_context.h"

namespace topograd::cuda {

namespace {

struct Stream {
  // Not cudaStreamNonBlocking: tensors are copied on the default stream, which keeps order with
  // this one.
  Stream() {
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
  fail("CUDA: ", doing, ": ", cudaGetErrorString(status), " (", cudaGetErrorName(status), ")");
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
