// Inference: logits and losses of images, with BatchNorm's running statistics as constants.
#pragma once

#include <limits>

#include "kernels/augment/labelled_images.h"
#include "kernels/core/thread_pool.h"
#include "kernels/loss/loss.h"
#include "nn/graph.h"

namespace topograd {

/// Runs a graph forward over up to max_images at a time, on the calling thread, in as little memory
/// as the graph's structure allows: a tensor's memory is reused after its last reader.
class InferencePlan {
 public:
  /// Plans memory for a graph, which must outlive the plan.
  InferencePlan(const Graph& graph, int64_t max_images, DType dtype = DType::f32);

  /// Binds the weights to run with. The plan keeps views, and implementations keep packed copies:
  /// bind again when the tensors' contents have changed. Throws Error where the types differ from
  /// the plan's, or the sizes from the graph's.
  void bind(const Tensor& theta, const Tensor& running_stats);

  /// Returns logits [n, classes] of x [n, H, W, C], n <= max_images; valid until the next run.
  /// Throws Error where no weights were bound.
  Tensor run(const Tensor& x, Context& context);

  int64_t max_images() const { return max_images_; }
  DType dtype() const { return dtype_; }

 private:
  const Graph& graph_;
  int64_t max_images_;
  DType dtype_;
  std::vector<Tensor> values_;
  std::vector<std::vector<Tensor>> parameters_;
  std::vector<std::vector<Tensor>> running_stats_;
  uint64_t weights_version_ = 0;
};

/// Sums of losses over images, in double.
struct LossSums {
  double loss = 0;          ///< sum of the images' losses
  double loss_squares = 0;  ///< sum of their squares
  int64_t correct = 0;      ///< below 0 where the loss does not tell right from wrong
  int64_t count = 0;

  LossSums& operator+=(const LossSums& other);
  double mean() const { return loss / static_cast<double>(count); }
  /// Share of correct predictions, in percent; NaN where there is no right answer.
  double accuracy() const {
    if (correct < 0) return std::numeric_limits<double>::quiet_NaN();
    return 100.0 * static_cast<double>(correct) / static_cast<double>(count);
  }
  /// Standard error of the mean: how far the mean over these images, a random choice of
  /// `population`, may lie from that over all of those; 0 where these are all of them. Population 0:
  /// all images of their kind, without end. NaN for a single image.
  double standard_error(int64_t population = 0) const;
};

/// Number of images per item of work: enough to amortise what a layer costs per call, few enough
/// that the activations stay in the cache.
constexpr int64_t kImagesPerEvaluation = 32;

/// Writes the normalised images of rows [begin, end) to y, [end - begin, H, W, C], in y's type.
void normalise_images(const Tensor& y, const LabelledImages& images, int64_t begin, int64_t end,
                      Context& context);

/// Returns the losses of images [begin, end), end - begin <= plan.max_images(), with the plan's
/// weights. `logits`, where defined, receives rows [begin, end) of [N, classes].
LossSums evaluate_range(InferencePlan& plan, const LabelledImages& images, int64_t begin,
                        int64_t end, const Loss& loss, Context& context, const Tensor& logits = {});

/// Returns the losses of all images, which may lie on any device; so may the weights. The result is
/// the same to the bit for any number of threads.
LossSums evaluate(const Graph& graph, const Tensor& theta, const Tensor& running_stats,
                  const LabelledImages& images, const Loss& loss, ThreadPool& pool,
                  const Tensor& logits = {});

}  // namespace topograd
