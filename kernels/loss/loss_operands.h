// What the kernels of this folder are handed beside the logits: targets and class weights.
#pragma once

#include "kernels/core/launch.h"
#include "kernels/loss/loss.h"

namespace topograd::TOPOGRAD_BACKEND {

/// Targets of N images and weights of C classes, in device memory.
struct LossTargets {
  const int32_t* labels;  ///< [N], or null
  const float* numbers;   ///< [N, C], or null
  const double* weights;  ///< [C], or null: all 1
  int64_t N, C;

  /// Whether image n has a class, or numbers: nothing is read at a label that is no class.
  __device__ bool is_valid(int64_t n) const { return !labels || (0 <= labels[n] && labels[n] < C); }
  __device__ double number(int64_t n, int64_t c) const {
    return numbers ? numbers[n * C + c] : (c == labels[n] ? 1.0 : 0.0);
  }
  __device__ double weight(int64_t c) const { return weights ? weights[c] : 1.0; }
};

template <class Args>
LossTargets targets_of(const Args& args) {
  const bool classes = args.labels.dtype() == DType::i32;
  return {classes ? pointer<int32_t>(args.labels) : nullptr,
          classes ? nullptr : pointer<float>(args.labels),
          args.loss.class_weights.defined() ? pointer<double>(args.loss.class_weights) : nullptr,
          args.labels.dim(0), args.logits.dim(args.logits.shape().rank() - 1)};
}

}  // namespace topograd::TOPOGRAD_BACKEND
