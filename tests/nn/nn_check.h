// What the tests of nn/ share: labelled images and weights to work on, copies of states,
// comparisons to the bit.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/core/numbers.h"
#include "kernels/core/philox.h"
#include "nn/trainer.h"

namespace topograd::test {

inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  return a.size() == b.size() && a.dtype() == b.dtype() &&
         (a.size() == 0 || std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0);
}

inline bool same_sums(const LossSums& a, const LossSums& b) {
  return std::memcmp(&a.loss, &b.loss, sizeof a.loss) == 0 &&
         std::memcmp(&a.loss_squares, &b.loss_squares, sizeof a.loss_squares) == 0 &&
         a.correct == b.correct && a.count == b.count;
}

/// A copy in memory of its own: a trainer goes on writing to its state's tensors.
inline TrainingState copy_of(const TrainingState& state) {
  TrainingState copy = state;
  copy.theta = state.theta.clone();
  copy.running_stats = state.running_stats.clone();
  copy.momentum = state.momentum.clone();
  for (Tensor TrainingState::*optional : {&TrainingState::second_moment, &TrainingState::ema_theta,
                                          &TrainingState::ema_states, &TrainingState::swa_theta})
    if ((state.*optional).defined()) copy.*optional = (state.*optional).clone();
  return copy;
}

inline void check_same_state(const TrainingState& a, const TrainingState& b) {
  CHECK(same_bits(a.theta, b.theta));
  CHECK(same_bits(a.running_stats, b.running_stats));
  CHECK(same_bits(a.momentum, b.momentum));
  CHECK(same_bits(a.second_moment, b.second_moment));
  CHECK(same_bits(a.ema_theta, b.ema_theta));
  CHECK(same_bits(a.ema_states, b.ema_states));
  CHECK(same_bits(a.swa_theta, b.swa_theta));
  CHECK(a.swa_count == b.swa_count);
  CHECK(a.epoch == b.epoch);
  CHECK(a.step == b.step);
  CHECK(a.optimizer_steps == b.optimizer_steps);
  CHECK(a.epoch_sums.loss == b.epoch_sums.loss);
  CHECK(a.epoch_sums.correct == b.epoch_sums.correct);
  CHECK(a.epoch_sums.count == b.epoch_sums.count);
  CHECK(a.gradient_squares == b.gradient_squares);
}

inline Tensor normals(int64_t size, uint64_t seed, double scale = 1, double centre = 0) {
  const Philox random(seed, RandomStream::test);
  const Tensor vector({size});
  for (int64_t i = 0; i < size; ++i)
    vector.data<float>()[i] =
        static_cast<float>(centre + scale * random.normal(static_cast<uint64_t>(i)));
  return vector;
}

/// f32 vectors at the scale of a trained network's; variances are positive.
struct Weights {
  Tensor theta, running_stats;
};
inline Weights random_weights(const Graph& graph, uint64_t seed) {
  const ParameterLayout& layout = graph.layout();
  Weights w{normals(layout.parameter_count(), seed, 0.3),
            normals(layout.state_count(), seed + 1, 0.3)};
  for (const ParameterEntry& entry : layout.parameters())
    for (int64_t i = entry.offset; i < entry.offset + entry.size(); ++i) {
      float& value = w.theta.data<float>()[i];
      if (entry.is_weight())
        value *= 3 / std::sqrt(static_cast<float>(entry.filter_size()));
      else if (entry.kind == ParameterKind::norm_scale)
        value += 1;
    }
  for (const ParameterEntry& entry : layout.running_stats())
    for (int64_t i = entry.offset; i < entry.offset + entry.size(); ++i)
      if (entry.kind == ParameterKind::bn_variance)
        w.running_stats.data<float>()[i] = 0.5f + std::abs(w.running_stats.data<float>()[i]);
  return w;
}

/// Square RGB images: a pattern of light and dark pixels that is the class's own, under noise that
/// is the image's own.
inline LabelledImages labelled_images(int64_t count, int64_t extent, int64_t classes,
                                      uint64_t seed) {
  const int64_t pixels = extent * extent * 3;
  LabelledImages set{Tensor({count, extent, extent, 3}, DType::u8), Tensor({count}, DType::i32),
                     Normalisation{{0.5, 0.4, 0.6}, {0.25, 0.2, 0.3}}};
  const Philox noise(seed, RandomStream::test, 1), pattern(seed, RandomStream::test, 2);
  for (int64_t n = 0; n < count; ++n) {
    const int64_t label = (n * 7 + n / 5) % classes;
    set.labels.data<int32_t>()[n] = static_cast<int32_t>(label);
    for (int64_t p = 0; p < pixels; ++p) {
      const bool light = pattern.below(static_cast<uint64_t>(label * pixels + p), 2) == 1;
      const double value =
          (light ? 150 : 110) + 30 * noise.normal(static_cast<uint64_t>(n * pixels + p));
      set.images.data<uint8_t>()[n * pixels + p] =
          static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
    }
  }
  return set;
}

/// Images `indices` of a set, normalised by the formula in labelled_images.h, and their labels.
struct Batch {
  Tensor x, labels;
};
inline Batch batch_of(const LabelledImages& set, const std::vector<int32_t>& indices) {
  const int64_t n = static_cast<int64_t>(indices.size());
  const int64_t pixels = set.images.size() / set.count();
  Batch batch{Tensor(set.images.shape().with_first(n)), Tensor({n}, DType::i32)};
  for (int64_t i = 0; i < n; ++i) {
    const int64_t image = indices[at(i)];
    batch.labels.data<int32_t>()[i] = set.labels.data<int32_t>()[image];
    for (int64_t p = 0; p < pixels; ++p) {
      const double pixel = set.images.data<uint8_t>()[image * pixels + p];
      batch.x.data<float>()[i * pixels + p] =
          static_cast<float>((pixel / 255.0 - set.normalisation.mean[at(p % 3)]) /
                             set.normalisation.std_dev[at(p % 3)]);
    }
  }
  return batch;
}

/// Returns the largest difference of a tensor of floats from these numbers; NaN is infinitely far.
inline double worst_difference(const Tensor& got, const std::vector<double>& expected) {
  REQUIRE(at(got.size()) == expected.size());
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(got.data<float>()[i] - expected[i]);
    if (std::isnan(error)) return INFINITY;
    worst = std::max(worst, error);
  }
  return worst;
}

}  // namespace topograd::test
