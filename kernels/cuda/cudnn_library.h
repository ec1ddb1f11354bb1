// cuDNN's functions, loaded at their first use.
#pragma once

#include <cudnn.h>

namespace topograd::cuda {

// The functions of cuDNN that are called here.
// clang-format off
#define TOPOGRAD_CUDNN_FUNCTIONS(X) \
  X(cudnnCreate) \
  X(cudnnDestroy) \
  X(cudnnSetStream) \
  X(cudnnGetErrorString) \
  X(cudnnGetLastErrorString) \
  X(cudnnCreateTensorDescriptor) \
  X(cudnnDestroyTensorDescriptor) \
  X(cudnnSetTensor4dDescriptor) \
  X(cudnnCreateFilterDescriptor) \
  X(cudnnDestroyFilterDescriptor) \
  X(cudnnSetFilter4dDescriptor) \
  X(cudnnCreateActivationDescriptor) \
  X(cudnnDestroyActivationDescriptor) \
  X(cudnnSetActivationDescriptor) \
  X(cudnnCreateConvolutionDescriptor) \
  X(cudnnDestroyConvolutionDescriptor) \
  X(cudnnSetConvolution2dDescriptor) \
  X(cudnnSetConvolutionGroupCount) \
  X(cudnnSetConvolutionMathType) \
  X(cudnnAddTensor) \
  X(cudnnGetConvolutionForwardAlgorithm_v7) \
  X(cudnnGetConvolutionForwardWorkspaceSize) \
  X(cudnnGetConvolutionBackwardDataAlgorithm_v7) \
  X(cudnnGetConvolutionBackwardDataWorkspaceSize) \
  X(cudnnGetConvolutionBackwardFilterAlgorithm_v7) \
  X(cudnnGetConvolutionBackwardFilterWorkspaceSize) \
  X(cudnnConvolutionForward) \
  X(cudnnConvolutionBackwardData) \
  X(cudnnConvolutionBackwardFilter) \
  X(cudnnConvolutionBiasActivationForward)
// clang-format on

/// They are not linked: programs start where there is no cuDNN, and do without its implementations.
struct Cudnn {
#define TOPOGRAD_DECLARE(function) decltype(&::function) function;
  TOPOGRAD_CUDNN_FUNCTIONS(TOPOGRAD_DECLARE)
#undef TOPOGRAD_DECLARE

  /// Returns the functions, loaded on the first call; null where this machine has no cuDNN of the
  /// version that this build was made for, or none that begins to work.
  static const Cudnn* library();
};

/// Returns the functions; only where Cudnn::library() is not null.
inline const Cudnn& cudnn() {
  return *Cudnn::library();
}

}  // namespace topograd::cuda
