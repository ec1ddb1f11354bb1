// Random directions around a network's weights.
#pragma once

#include <functional>
#include <vector>

#include "kernels/core/tensor.h"
#include "nn/parameter_layout.h"

namespace topograd {

/// Random directions from a seed, by number; kept as long as they take little memory, drawn anew
/// otherwise.
class SampledDirections {
 public:
  using Draw = std::function<Tensor(uint32_t number)>;
  SampledDirections(int count, Draw draw);
  int count() const { return static_cast<int>(kept_.size()); }
  Tensor operator[](int number) const;

 private:
  Draw draw_;
  mutable std::vector<Tensor> kept_;  // undefined: to be drawn
  mutable int64_t bytes_ = 0;
};

/// Returns the directions of `landscape surface`: normal, every filter as long as the network's
/// own, biases and BatchNorm's parameters still. `layout` and `theta` must outlive them.
SampledDirections filter_normalised_directions(const ParameterLayout& layout, const Tensor& theta,
                                               int count, uint64_t seed);

/// Returns directions of independent standard normal numbers in all of theta; `of_magnitude`: times
/// |theta|, element by element. An element's number depends on the seed, the direction's number and
/// the element's place in PyTorch's order. `layout` and `theta` must outlive them.
SampledDirections normal_directions(const ParameterLayout& layout, const Tensor& theta,
                                    bool of_magnitude, int count, uint64_t seed);

}  // namespace topograd
