// Shared by the files of the backend cuda: checked calls and the stream of a context.
#pragma once

#include <cuda_runtime.h>

#include <memory>

#include "kernels/core/context.h"

namespace topograd::cuda {

/// Throws Error where a call failed, with what the caller was doing and what CUDA says about it. An
/// earlier kernel that failed while it ran is reported by whichever call comes next.
void check(cudaError_t status, const char* doing);

/// Chooses, for the calling thread, the GPU of this process: among several processes of one machine,
/// as the launcher of MPI or Slurm numbers them, each takes the next.
void choose_gpu();

/// Returns the context's stream, made on first use. It keeps order with the copies of tensors,
/// which wait for it and are waited for.
cudaStream_t stream_of(Context& context);

/// Returns the context's stream as a shared owner, for what must not outlive it (a library's
/// handle, a recording): states of a context are destroyed in any order.
std::shared_ptr<CUstream_st> shared_stream_of(Context& context);

/// Whether CUDA still takes calls: after main() it may be gone, and so is all that it handed out.
bool still_running();

/// Returns the elements of a tensor in a GPU's memory, for a library to work on; null where
/// undefined.
float* elements_of(const Tensor& t);

}  // namespace topograd::cuda
