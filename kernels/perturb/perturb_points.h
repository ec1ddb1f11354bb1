// The weights of many points of the landscape at once, ready for the convolutions that read them.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// One filter of a network and the BatchNorm behind it: element offsets, -1 for what is not there.
/// A row of the i32 table that PerturbPointsArgs reads.
struct FoldedFilter {
  int32_t weights;        ///< offset in theta; -1: a BatchNorm alone, the filter is the number 1
  int32_t length;         ///< elements of one filter
  int32_t bias;           ///< offset in theta
  int32_t gamma;          ///< offset in theta; -1: the number 1, and beta 0
  int32_t beta;           ///< offset in theta
  int32_t mean;           ///< offset in running_stats
  int32_t variance;       ///< offset in running_stats; -1: no BatchNorm
  int32_t filter;         ///< o, its place in its layer
  int32_t filters;        ///< O, the filters of its layer
  int32_t layer_weights;  ///< elements of all filters of earlier layers
  int32_t layer_bias;     ///< number of filters of earlier layers
  int32_t unused = 0;     ///< what is left of a double before epsilon
  double epsilon = 1e-5;  ///< the BatchNorm's

  static constexpr int64_t kColumns = 14;
};
static_assert(sizeof(FoldedFilter) == FoldedFilter::kColumns * sizeof(int32_t),
              "a row of the table is a FoldedFilter");

/// Weights and biases of P points of the landscape, BatchNorm folded in. For each point p with
/// coefficients (a, b), and for theta and running_stats alike:
///   v_p = v + a v_delta + b v_eta,                              in double
///   s = gamma_p / sqrt(variance_p + the filter's epsilon),      1 without BatchNorm
///   weights[layer][p][o] = s * theta_p's filter o,              rounded once
///   biases[layer][p][o] = beta_p + s * (bias_p - mean_p),       bias_p where there is no BatchNorm
/// so that y = conv(x, weights) + biases is conv, BatchNorm and bias in one (running statistics, as
/// in inference). theta, delta and eta are read once, however many points there are. An undefined
/// direction leaves its term out. No products are fused with sums: for f32, every implementation
/// gives the same bits, on every processor; without BatchNorm, those of perturb.
///
/// weights and biases hold layer after layer: weights [P, O, length] with a filter's elements in
/// theta's order, KH KW I with the channels I innermost, and biases [P, O]. A layer's slice is w
/// and bias of fused_conv as they are, with [P * O, KH, KW, I]; scale and shift of scale_shift
/// where a BatchNorm stands alone (length 1).
struct PerturbPointsArgs {
  static constexpr std::string_view kOp = "perturb_points";
  Tensor weights;         ///< [P * sum of the layers' sizes]
  Tensor biases;          ///< [P * number of filters]
  Tensor theta;           ///< flat
  Tensor delta{};         ///< like theta, or undefined
  Tensor eta{};           ///< like theta, or undefined
  Tensor running_stats;   ///< flat: BatchNorm's running statistics
  Tensor states_delta{};  ///< like running_stats, or undefined
  Tensor states_eta{};    ///< like running_stats, or undefined
  Tensor coefficients;    ///< f64 [P, 2]: a and b of every point
  Tensor filters;         ///< i32 [F, FoldedFilter::kColumns]
  void check() const;
};
inline void perturb_points(const PerturbPointsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
