// cuBLAS, for the implementations that call it: loaded on first use, one handle per context.
#pragma once

#include <cublas_v2.h>

#include "kernels/cuda/cuda_context.h"

namespace topograd::cuda {

/// The functions of cuBLAS that are called here. It is not linked, because loading it costs every
/// start of every program 60 ms and 200 MB (measured, cuBLAS 13.1), with a GPU or without.
struct Cublas {
  decltype(&cublasCreate) create;
  decltype(&cublasDestroy) destroy;
  decltype(&cublasSetStream) set_stream;
  decltype(&cublasSetWorkspace) set_workspace;
  decltype(&cublasSetMathMode) set_math_mode;
  decltype(&cublasSgemm_64) sgemm;
  decltype(&cublasGetStatusString) status_string;

  /// Returns the functions, loaded on the first call; null where this machine has no cuBLAS of the
  /// version that this build was made for.
  static const Cublas* library();
};

/// Returns the context's handle, on its stream; only where Cublas::library() is not null. It has a
/// workspace of its own, so that its calls can be recorded and its results do not depend on what
/// else runs; products of float are formed and summed in float, never in TF32.
cublasHandle_t cublas_of(Context& context);

/// Throws Error where a call failed, with what the caller was doing, the call and cuBLAS's words.
template <class... Doing>
void check(cublasStatus_t status, const char* call, const Doing&... doing) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(doing..., ": ", call, ": ", Cublas::library()->status_string(status));
}

}  // namespace topograd::cuda
