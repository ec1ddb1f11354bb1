// ParameterLayout: where every parameter and every running statistic lies in its flat vector.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

enum class ParameterKind {
  /// [filters, height, width, channels of a group] (OHWI)
  conv_weight,
  /// [channels, height, width, filters of a group]: PyTorch has the channels first here, too
  conv_transpose_weight,
  linear_weight,  ///< [outputs, inputs], or over an image [outputs, height, width, channels]
  bias,           ///< [channels]
  factor,         ///< what a value is multiplied by, of any shape
  summand,        ///< what is added to a value, of any shape
  norm_scale,   ///< gamma of a normalisation, [channels], or over images [height, width, channels]
  norm_shift,   ///< beta of a normalisation, of the same shape
  bn_mean,      ///< running mean, [channels]: not a parameter
  bn_variance,  ///< running variance, [channels]: not a parameter
};
inline bool is_state(ParameterKind kind) {
  return kind == ParameterKind::bn_mean || kind == ParameterKind::bn_variance;
}

/// One named tensor inside a flat vector.
struct ParameterEntry {
  std::string name;  ///< PyTorch's: "layer1.0.conv1.weight", "bn1.running_mean"
  ParameterKind kind;
  Shape shape;         ///< our order: OHWI for convolutions, IHWO for transposed ones
  int64_t offset;      ///< first element, in theta or in the running statistics
  double initial = 0;  ///< first value of all elements of a factor or summand

  int64_t size() const { return shape.size(); }
  bool is_weight() const {
    return kind == ParameterKind::conv_weight || kind == ParameterKind::conv_transpose_weight ||
           kind == ParameterKind::linear_weight;
  }
  /// Number of filters: the slices along the first axis that filter normalisation scales one by
  /// one. The axis is the first of PyTorch's tensor, too, as in the reference implementation: of a
  /// transposed convolution a slice is what one channel of the input is multiplied by. A filter is
  /// contiguous: elements [offset + i * filter_size(), + filter_size()).
  int64_t filters() const { return shape[0]; }
  int64_t filter_size() const { return size() / shape[0]; }
  /// Returns the shape PyTorch gives the same tensor: the last axis second for convolutions of
  /// either kind (OIHW, IOHW), CHW for what is of an image's shape, [outputs, inputs] for linear
  /// layers, whose inputs, where they are an image, it counts in the order CHW.
  Shape torch_shape() const;
};

/// The table of a network's tensors: parameters in theta, BatchNorm's running statistics in a
/// second flat vector.
class ParameterLayout {
 public:
  /// Appends an entry and returns its index within parameters() or running_stats(). Throws Error
  /// where the name is taken.
  int64_t add(std::string name, ParameterKind kind, Shape shape, double initial = 0);

  /// Parameters, in PyTorch's order of named_parameters().
  const std::vector<ParameterEntry>& parameters() const { return parameters_; }
  /// Running statistics, in PyTorch's order of named_buffers(), without num_batches_tracked.
  const std::vector<ParameterEntry>& running_stats() const { return running_stats_; }
  /// Parameters and running statistics interleaved as in PyTorch's state_dict(), without
  /// num_batches_tracked.
  const std::vector<ParameterEntry>& state_dict() const { return state_dict_; }

  int64_t parameter_count() const { return parameter_count_; }  ///< elements of theta
  int64_t state_count() const { return state_count_; }  ///< elements of the running statistics

 private:
  std::vector<ParameterEntry> parameters_;
  std::vector<ParameterEntry> running_stats_;
  std::vector<ParameterEntry> state_dict_;
  int64_t parameter_count_ = 0;
  int64_t state_count_ = 0;
};

/// A network's numbers: two flat vectors, laid out by its ParameterLayout.
struct ModelState {
  Tensor theta;          ///< parameters
  Tensor running_stats;  ///< BatchNorms' running means and variances
};

/// Copies one tensor between our order and PyTorch's (OHWI <-> OIHW for convolutions, transposed
/// ones and linear layers over images, HWC <-> CHW for what is of an image's shape; plain copy
/// otherwise). Both buffers hold entry.size() elements and do not overlap.
template <class T>  // float or double
void to_torch_order(const ParameterEntry& entry, const T* ours, T* torch);
template <class T>
void from_torch_order(const ParameterEntry& entry, const T* torch, T* ours);

}  // namespace topograd
