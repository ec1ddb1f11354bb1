#include "kernels/cuda/cudnn_handle.h"

namespace topograd::cuda {

namespace {

struct CudnnHandle {
  std::shared_ptr<cudnnContext> handle;
};

std::shared_ptr<cudnnContext> open(Context& context) {
  const auto stream = shared_stream_of(context);
  cudnnHandle_t made = nullptr;
  check(cudnn().cudnnCreate(&made), "cudnnCreate", "preparing cuDNN");
  // The stream lives as long as the handle.
  const std::shared_ptr<cudnnContext> handle(made, [stream](cudnnHandle_t h) {
    if (still_running()) cudnn().cudnnDestroy(h);
  });
  check(cudnn().cudnnSetStream(made, stream.get()), "cudnnSetStream", "preparing cuDNN");
  return handle;
}

}  // namespace

cudnnHandle_t cudnn_of(Context& context) {
  CudnnHandle& state = context.state<CudnnHandle>();
  if (!state.handle) state.handle = open(context);
  return state.handle.get();
}

bool is_refusal(cudnnStatus_t status) {
  return status != CUDNN_STATUS_SUCCESS && cudaDeviceSynchronize() == cudaSuccess;
}

std::string describe(cudnnStatus_t status) {
  char detail[512] = "";
  cudnn().cudnnGetLastErrorString(detail, sizeof detail);
  const char* name = cudnn().cudnnGetErrorString(status);
  return detail[0] ? text(name, " (", detail, ")") : std::string(name);
}

}  // namespace topograd::cuda
