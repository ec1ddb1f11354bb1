// The curvature of a loss over a set of images, as a symmetric matrix known by its products.
#pragma once

#include <vector>

#include "kernels/augment/labelled_images.h"
#include "nn/batch_loader.h"
#include "nn/network.h"

namespace topograd {

/// Elements [begin, end) of theta.
struct ParameterRange {
  int64_t begin, end;
};

/// Returns the ranges of the parameters of which `chosen` says so, in theta's order.
std::vector<ParameterRange> parameter_ranges(
    const ParameterLayout& layout, const std::function<bool(const ParameterEntry&)>& chosen);

struct CurvatureSpec {
  const Graph& graph;
  Tensor theta, running_stats;
  LabelledImages images;
  Loss loss{};
  Curvature curvature = Curvature::hessian;
  /// BatchNorm's statistics; `batch`: batches of consecutive images are normalised by their own,
  /// which is another loss for every size; none may be of one image.
  BatchnormMode mode = BatchnormMode::frozen;
  int64_t batch = 128;  ///< images of a batch; with frozen statistics a matter of memory alone
  /// Parameters that move; empty: all. The matrix is the block of the whole one that is theirs.
  std::vector<ParameterRange> ranges{};
};

/// Matrix d2(mean loss over all images) / d(chosen parameters)2. Vectors hold the chosen parameters
/// alone, one after another, f32 on the pool's device.
class CurvatureOperator {
 public:
  /// The graph and the pool must outlive it. All normalised images are kept on the device.
  CurvatureOperator(const CurvatureSpec& spec, ThreadPool& pool);

  static constexpr double kNearby = 0x1p-20;

  int64_t size() const { return size_; }  ///< elements of its vectors
  int64_t images() const { return images_; }

  /// Moves to a point, whose matrix it is from now on.
  void move_to(const Tensor& theta, const Tensor& running_stats);
  /// Sets product = matrix v: the mean over the batches, by their images, added in their order.
  void multiply(const Tensor& product, const Tensor& v);
  /// Sets product = the same at a point nearby, times v: every parameter is moved at random by about
  /// kNearby of itself. How far that is from multiply() is about what a product is off by in f32: a
  /// network that magnifies rounding magnifies this, too.
  void multiply_nearby(const Tensor& product, const Tensor& v);
  /// Sets gradient = d(mean loss)/d(chosen parameters); returns the mean loss.
  double gradient(const Tensor& gradient);

  /// Returns a vector of theta's length that holds v where the chosen parameters lie, zeros
  /// elsewhere.
  Tensor in_theta(const Tensor& v);

 private:
  /// Calls work(batch, its share of all images) for every batch.
  template <class Work>
  void for_each_batch(const Work& work);
  void gather(const Tensor& v, const Tensor& from, Context& context);
  void scatter(const Tensor& to, const Tensor& v, Context& context);

  CurvatureSpec spec_;
  ThreadPool& pool_;
  Network network_;
  int64_t images_, size_;
  std::vector<MiniBatch> batches_;
  Tensor theta_, states_;            // on the device
  Tensor nearby_;                    // made when first used
  Tensor direction_, part_, total_;  // like theta
};

}  // namespace topograd
