// Losses for the tests of this folder, each with its constants, targets and weights.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "kernels/loss/loss.h"
#include "tests/ops/op_check.h"

namespace topograd::test {

/// A loss and what it is of; weights and targets are made by the test.
struct LossCase {
  LossKind kind;
  double constant;
  bool numbers = false, weights = false;
};
/// Every kind, with and without weights, of classes and of numbers, as far as it takes these.
inline const std::vector<LossCase>& loss_cases() {
  static const std::vector<LossCase> all = [] {
    std::vector<LossCase> made;
    for (LossKind kind : loss_kinds())
      for (bool numbers : {false, true})
        for (bool weights : {false, true}) {
          if (numbers && !takes_numbers(kind)) continue;
          if (weights && kind == LossKind::mse) continue;
          std::vector<double> constants{Loss(kind).constant};
          if (kind == LossKind::cross_entropy) constants = {0, 0.1, 1};
          if (kind == LossKind::huber) constants = {1, 0.3};
          if (kind == LossKind::focal) constants = {2, 1, 0.5, 0};
          for (double constant : constants) made.push_back({kind, constant, numbers, weights});
        }
    return made;
  }();
  return all;
}
inline const std::vector<Loss>& measures() {
  static const std::vector<Loss> all{{LossKind::top_k, 1},           {LossKind::top_k, 3},
                                     LossKind::confidence,           LossKind::margin,
                                     {LossKind::calibration_gap, 0}, {LossKind::calibration_gap, 9},
                                     {LossKind::calibration_gap, 14}};
  return all;
}

/// The loss of a case, its weights on the operands' device.
inline Loss loss_of(const LossCase& c, Operands& o, int64_t C) {
  Loss loss(c.kind, c.constant);
  if (c.weights) {
    const Tensor weights({C}, DType::f64);
    for (int64_t i = 0; i < C; ++i) weights.data<double>()[i] = 0.25 * static_cast<double>(i % 7);
    loss.class_weights = o.given(weights);
  }
  return loss;
}

/// Targets that suit it: classes, probabilities, zeros and ones, or any numbers.
inline Tensor targets_of(const LossCase& c, Operands& o, int64_t N, int64_t C) {
  if (!c.numbers) return o.integers({N}, static_cast<uint32_t>(C));
  Operands values(77, DType::f32);
  const Tensor numbers = c.kind == LossKind::focal        ? values.zeros_and_ones({N, C})
                         : tells_right_from_wrong(c.kind) ? values.uniform({N, C}, 0, 1)
                                                          : values.normal({N, C}, 3);
  if (c.kind == LossKind::cross_entropy)
    for (int64_t n = 0; n < N; ++n) {
      float* row = numbers.data<float>() + n * C;
      const float sum = std::accumulate(row, row + C, 0.0F);
      for (int64_t i = 0; i < C; ++i) row[i] /= sum;
    }
  return o.given(numbers);
}

inline std::string describe(const LossCase& c) {
  return text(name_of(c.kind), ':', c.constant, c.numbers ? " numbers" : "",
              c.weights ? " weights" : "");
}

}  // namespace topograd::test
