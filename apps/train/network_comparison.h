// Comparison of a network with what another program says of it: apps/export_torch.py's check.
#pragma once

#include <string>

#include "kernels/core/thread_pool.h"
#include "models/loaded_model.h"

namespace topograd {

/// Computes what a safetensors file has of a network, in double precision and in single, and
/// returns a line for each with the largest difference. The file's tensors, f64 or f32:
///   images [N, H, W, C], normalised already;   logits [N, classes]
/// and, where it has them, with labels i32 [N], of the mean cross-entropy with running statistics:
///   gradient.<parameter>;   direction.<parameter>, product.<parameter>: Hessian times direction
/// in PyTorch's shapes. Throws Error where the file has others; where a difference in double
/// precision is above 1e-8 of the largest number, and in single above 1e-3.
std::string comparison(const LoadedModel& model, const std::string& path, ThreadPool& pool);

}  // namespace topograd
