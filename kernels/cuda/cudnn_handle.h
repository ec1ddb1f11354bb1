// cuDNN, for the implementations that call it: one handle per context, descriptors that destroy
// themselves.
#pragma once

#include <cudnn.h>

#include <utility>

#include "kernels/cuda/cuda_context.h"

namespace topograd::cuda {

/// Returns the context's handle, made on first use, on the context's stream.
cudnnHandle_t cudnn_of(Context& context);

/// Returns cuDNN's words about a status, and about the last failure in this thread.
std::string describe(cudnnStatus_t status);

/// Throws Error where a call failed, with what the caller was doing, the call and cuDNN's words.
template <class... Doing>
void check(cudnnStatus_t status, const char* call, const Doing&... doing) {
  if (status != CUDNN_STATUS_SUCCESS) fail(doing..., ": ", call, ": ", describe(status));
}

/// Whether a call failed because cuDNN has no kernel for it, as against a mistake or an accident.
inline bool is_unsupported(cudnnStatus_t status) {
  return CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED;
}

/// A descriptor of cuDNN.
template <class Descriptor, auto kCreate, auto kDestroy>
class CudnnDescriptor {
 public:
  CudnnDescriptor() { check(kCreate(&descriptor_), "creating a descriptor", "cuDNN"); }
  ~CudnnDescriptor() {
    if (descriptor_) kDestroy(descriptor_);
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;
  operator Descriptor() const { return descriptor_; }

 private:
  Descriptor descriptor_ = nullptr;
};
using TensorDescriptor = CudnnDescriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor,
                                         cudnnDestroyTensorDescriptor>;
using FilterDescriptor = CudnnDescriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor,
                                         cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor =
    CudnnDescriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor,
                    cudnnDestroyConvolutionDescriptor>;
using ActivationDescriptor =
    CudnnDescriptor<cudnnActivationDescriptor_t, cudnnCreateActivationDescriptor,
                    cudnnDestroyActivationDescriptor>;

}  // namespace topograd::cuda
