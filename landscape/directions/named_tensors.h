// NamedTensors: the parameters of a function that no graph describes, directions through them, and
// the points of planes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "landscape/directions/direction.h"

namespace topograd {

/// One tensor of a function's parameters.
struct NamedTensor {
  std::string name;              ///< "layer1.0.conv1.weight"
  std::vector<int64_t> shape{};  ///< any number of axes, in PyTorch's order; none: one number
  Tensor values;                 ///< as many f32 or f64, row-major, whatever the tensor's own shape
  bool moves = true;             ///< false: it keeps its values wherever the point lies
};

/// A vector for each of some tensors, in the tensor's type; undefined where a tensor does not move.
using TensorDirection = std::vector<Tensor>;

/// Tensors in the order of PyTorch's parameters(), those that do not move included: an element's
/// random number depends on its place among all of them. Buffers (running statistics, counters) are
/// no parameters, and not in the list.
class NamedTensors {
 public:
  /// Copies the values. Throws Error if a tensor has another number of values than its shape, values
  /// that are not finite or of another type, or the name of another one; or if none moves.
  explicit NamedTensors(const std::vector<NamedTensor>& tensors);

  size_t count() const { return tensors_.size(); }
  const NamedTensor& operator[](size_t i) const { return tensors_[i]; }
  /// Returns a hash of all names, shapes, types and values, as text.
  std::string hash() const;

  /// Returns a random direction, the numbers that topograd::random_direction() gives for a network
  /// of these parameters: a tensor of two or more axes is a weight, whose filters are the slices
  /// along its first axis, any other is a bias. It is drawn and scaled in float, whatever the
  /// tensors' types. Throws Error if all of it is zero, or something is not finite.
  TensorDirection random_direction(uint64_t seed, uint32_t number, DirectionNorm norm,
                                   Ignore ignore) const;
  /// Returns a given direction, a vector of f32 or f64 for each tensor, undefined for one that stays
  /// where it is, rounded to the tensors' types. Throws Error as random_direction() does, or if a
  /// vector has another number of values than its tensor, or moves one that does not move.
  TensorDirection given_direction(const TensorDirection& vectors) const;

  /// Writes theta + a x + b y into `theta`, one tensor of the same type and number of values for
  /// each that moves; the others are not touched and may be undefined. Formed in double and rounded
  /// once, as a network's weights are. `y` may be null: a line. May be called by several threads.
  void move(std::span<const Tensor> theta, const TensorDirection& x, const TensorDirection* y,
            double a, double b) const;

 private:
  void check_direction(const TensorDirection& direction) const;

  std::vector<NamedTensor> tensors_;  // values have one axis
  /// A tensor is a matrix of its filters, as a linear layer's, or a bias: of either kind PyTorch's
  /// order is ours. Those without elements are not in it.
  ParameterLayout layout_;
};

/// Returns a hash of directions, as text.
std::string directions_hash(std::span<const TensorDirection> directions);

}  // namespace topograd
