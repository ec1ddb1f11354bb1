// cuDNN, for the implementations that call it: one handle per context, descriptors that destroy
// themselves.
#pragma once

#include <utility>

#include "kernels/cuda/cuda_context.h"
#include "kernels/cuda/cudnn_library.h"

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

/// Whether cuDNN refused a call, and the GPU goes on working: no kernel for it, a library of cuDNN's
/// that is not there, a failure of its own. Not during a recording: it waits for the GPU.
bool is_refusal(cudnnStatus_t status);

/// A descriptor of cuDNN.
template <class Descriptor, auto kCreate, auto kDestroy>
class CudnnDescriptor {
 public:
  CudnnDescriptor() { check((cudnn().*kCreate)(&descriptor_), "creating a descriptor", "cuDNN"); }
  ~CudnnDescriptor() {
    if (descriptor_) (cudnn().*kDestroy)(descriptor_);
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;
  operator Descriptor() const { return descriptor_; }

 private:
  Descriptor descriptor_ = nullptr;
};
using TensorDescriptor =
    CudnnDescriptor<cudnnTensorDescriptor_t, &Cudnn::cudnnCreateTensorDescriptor,
                    &Cudnn::cudnnDestroyTensorDescriptor>;
using FilterDescriptor =
    CudnnDescriptor<cudnnFilterDescriptor_t, &Cudnn::cudnnCreateFilterDescriptor,
                    &Cudnn::cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor =
    CudnnDescriptor<cudnnConvolutionDescriptor_t, &Cudnn::cudnnCreateConvolutionDescriptor,
                    &Cudnn::cudnnDestroyConvolutionDescriptor>;
using ActivationDescriptor =
    CudnnDescriptor<cudnnActivationDescriptor_t, &Cudnn::cudnnCreateActivationDescriptor,
                    &Cudnn::cudnnDestroyActivationDescriptor>;

}  // namespace topograd::cuda
