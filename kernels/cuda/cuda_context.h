// What the files of the backend cuda share: checked calls and the stream of a context.
#pragma once

#include <cuda_runtime.h>

#include "kernels/core/context.h"

namespace topograd::cuda {

/// Throws Error where a call failed: what the caller was doing, and what CUDA says about it.
void check(cudaError_t status, const char* doing);

/// The context's stream, made on first use. It keeps order with the copies of tensors, which wait
/// for it and are waited for.
cudaStream_t stream_of(Context& context);

}  // namespace topograd::cuda
