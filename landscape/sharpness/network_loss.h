// A loss as measures of sharpness see it: a function of flat vectors around the weights of a
// network.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "landscape/curvature/curvature_operator.h"
#include "landscape/curvature/lanczos.h"
#include "landscape/evaluation/evaluator.h"

namespace topograd {

/// At one point, over all images.
struct LossValue {
  double loss = 0;                 ///< the mean
  double error = 0;                ///< percent of the images that are classified wrongly
  double loss_standard_error = 0;  ///< of the mean over the images
};

/// Vectors are f32 of theta's length, on the CPU, in theta's order.
class LossFunction {
 public:
  virtual ~LossFunction() = default;
  virtual const Tensor& theta() const = 0;
  /// At theta + alpha * direction, for every alpha.
  virtual std::vector<LossValue> along(const Tensor& direction, std::span<const double> alphas) = 0;
  /// d(mean loss)/d(theta) at theta + displacement (at theta, where that is undefined); returns the
  /// mean loss there.
  virtual double gradient(const Tensor& gradient, const Tensor& displacement) = 0;
  /// product = the Hessian of the mean loss at theta times v.
  virtual void multiply(const Tensor& product, const Tensor& v) = 0;

  LossValue at(const Tensor& direction, double alpha) { return along(direction, {&alpha, 1})[0]; }
  /// At theta itself; worked out once.
  const LossValue& centre();

 private:
  std::optional<LossValue> centre_;
};

/// Thrown where the caller's flag said to stop.
struct MeasuringStopped {};

struct NetworkLossSpec {
  const Graph& graph;
  Tensor theta, running_stats;
  LabelledImages images;
  LossKind loss = LossKind::cross_entropy;
  std::vector<std::pair<std::string, std::string>> forced{};  ///< as EvaluationSpec's
};

/// The loss of a network over images, BatchNorm on its running statistics, which stay where they
/// are. Losses come from an Evaluator, gradients and products from a CurvatureOperator.
class NetworkLoss : public LossFunction {
 public:
  /// The graph and the pool must outlive it. `stop` is asked before every evaluation, gradient and
  /// product, and while points are evaluated.
  NetworkLoss(const NetworkLossSpec& spec, ThreadPool& pool, StopFlag stop = {});

  const Tensor& theta() const override { return spec_.theta; }
  std::vector<LossValue> along(const Tensor& direction, std::span<const double> alphas) override;
  double gradient(const Tensor& gradient, const Tensor& displacement) override;
  void multiply(const Tensor& product, const Tensor& v) override;

  /// The Hessian at theta, for vectors on the pool's device.
  LinearOperator hessian();
  int64_t size() const { return spec_.theta.size(); }
  int64_t images() const { return spec_.images.count(); }

 private:
  void check_stop() const;
  CurvatureOperator& curvature();

  NetworkLossSpec spec_;
  ThreadPool& pool_;
  StopFlag stop_;
  std::vector<LabelledImages> images_;
  std::optional<CurvatureOperator> curvature_;  // made when first used: it takes some memory
};

/// Random directions from a seed, by number; kept as long as they take little memory, drawn anew
/// otherwise.
class RandomDirections {
 public:
  using Draw = std::function<Tensor(uint32_t number)>;
  RandomDirections(int count, Draw draw);
  int count() const { return static_cast<int>(kept_.size()); }
  Tensor operator[](int number) const;

 private:
  Draw draw_;
  mutable std::vector<Tensor> kept_;  // undefined: to be drawn
  mutable int64_t bytes_ = 0;
};

/// Those of `landscape surface`: normal, every filter as long as the network's own, biases and
/// BatchNorm's parameters still. `layout` and `theta` must outlive them.
RandomDirections filter_normalised_directions(const ParameterLayout& layout, const Tensor& theta,
                                              int count, uint64_t seed);
/// Independent standard normal numbers in all of theta; `of_magnitude`: times |theta|, element by
/// element. An element's number depends on the seed, the direction's and its place in PyTorch's
/// order.
RandomDirections normal_directions(const ParameterLayout& layout, const Tensor& theta,
                                   bool of_magnitude, int count, uint64_t seed);

}  // namespace topograd
