// Batch normalisation (Ioffe & Szegedy, 2015), per channel over all other axes.
//   xhat = (x - mean) / sqrt(variance + epsilon),   y = gamma * xhat + beta
//
// A batch is worked on in chunks of images by independent threads, so training takes three steps:
// the moments of each chunk, their combination (Chan et al., 1979) into the batch's mean and
// variance, and the normalisation of each chunk. The gradient takes two: the sums of each chunk,
// which are the chunk's share of dgamma and dbeta, then dx from their totals. For a GPU the batch
// is one chunk.
//
// C channels; x is [..., C]; "count" is the number of elements of x per channel.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// moments[0] = the chunk's means, moments[1] = its sums of squared deviations from those means.
/// Implementations take two passes, or deviations from one of the values: never E[x^2] - mean^2,
/// which loses everything when the mean is large.
struct BatchnormMomentsArgs {
  static constexpr std::string_view kOp = "batchnorm_moments";
  Tensor moments;  ///< f64 [2, C]
  Tensor x;        ///< [..., C], at least one element per channel
  void check() const;
};
inline void batchnorm_moments(const BatchnormMomentsArgs& args, Context& context) {
  run_op(args, context);
}

/// Mean and biased variance of the batch from its chunks' moments, combined in chunk order; and the
/// running statistics moved towards them: running = (1 - momentum) * running + momentum * batch,
/// with the unbiased variance, as PyTorch does.
struct BatchnormCombineArgs {
  static constexpr std::string_view kOp = "batchnorm_combine";
  Tensor mean;              ///< [C]
  Tensor variance;          ///< [C], biased (divided by the count)
  Tensor running_mean;      ///< [C], or undefined: leave the running statistics alone
  Tensor running_variance;  ///< [C], or undefined, as running_mean
  Tensor moments;           ///< f64 [chunks, 2, C]
  int64_t count;            ///< elements per channel of the batch
  int64_t count_per_chunk;  ///< elements per channel of a chunk; the last may have fewer
  double momentum = 0.1;
  void check() const;
};
inline void batchnorm_combine(const BatchnormCombineArgs& args, Context& context) {
  run_op(args, context);
}

/// y = gamma * xhat + beta, and with `relu` the maximum of that and 0 (NaN stays NaN). In training,
/// mean and variance are the batch's; in inference, the running ones. y may be x itself. gamma and
/// beta undefined: 1 and 0.
struct BatchnormNormaliseArgs {
  static constexpr std::string_view kOp = "batchnorm_normalise";
  Tensor y;                            ///< [..., C]
  Tensor x;                            ///< [..., C]
  Tensor gamma, beta, mean, variance;  ///< [C] each; gamma and beta may be undefined
  double epsilon = 1e-5;
  bool relu = false;
  void check() const;
};
inline void batchnorm_normalise(const BatchnormNormaliseArgs& args, Context& context) {
  run_op(args, context);
}

/// dgamma = sum of dy * xhat, dbeta = sum of dy, over the elements of this chunk.
struct BatchnormBackwardSumsArgs {
  static constexpr std::string_view kOp = "batchnorm_backward_sums";
  Tensor dgamma, dbeta;   ///< [C] each
  Tensor dy, x;           ///< [..., C] each
  Tensor mean, variance;  ///< [C] each, as in the forward pass
  double epsilon = 1e-5;
  void check() const;
};
inline void batchnorm_backward_sums(const BatchnormBackwardSumsArgs& args, Context& context) {
  run_op(args, context);
}

/// dx = gamma / sqrt(variance + epsilon) * (dy - dbeta / count - xhat * dgamma / count).
/// dgamma, dbeta and count are those of the whole batch. Where mean and variance are constants
/// (inference), leave dgamma and dbeta undefined: the two corrections vanish and x is not read.
/// dx may be dy itself.
struct BatchnormBackwardArgs {
  static constexpr std::string_view kOp = "batchnorm_backward";
  Tensor dx;                     ///< [..., C]
  Tensor dy, x;                  ///< [..., C] each
  Tensor gamma, mean, variance;  ///< [C] each; gamma undefined: 1
  Tensor dgamma, dbeta;          ///< [C] each, or undefined
  int64_t count = 0;
  double epsilon = 1e-5;
  Write write = Write::overwrite;
  void check() const;
};
inline void batchnorm_backward(const BatchnormBackwardArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
