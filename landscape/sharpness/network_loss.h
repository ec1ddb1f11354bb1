// The loss of a network over images, as a function around its weights.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "landscape/curvature/curvature_operator.h"
#include "landscape/curvature/lanczos.h"
#include "landscape/evaluation/evaluator.h"
#include "landscape/sharpness/loss_function.h"

namespace topograd {

struct NetworkLossSpec {
  const Graph& graph;
  Tensor theta, running_stats;
  LabelledImages images;
  int64_t population = 0;  ///< number of images that these stand for; 0: all of their kind
  Loss loss{};
  std::vector<std::pair<std::string, std::string>> forced{};  ///< see EvaluationSpec::forced
};

/// BatchNorm uses the running statistics, which stay where they are. Losses come from an Evaluator,
/// gradients and products from a CurvatureOperator.
class NetworkLoss : public LossFunction {
 public:
  /// The graph and the pool must outlive it. `stop` is asked before every evaluation, gradient and
  /// product, and while points are evaluated; where it returns true, these throw Interrupted, which
  /// says what is `saved`.
  NetworkLoss(const NetworkLossSpec& spec, ThreadPool& pool, StopFlag stop = {},
              std::string saved = {});

  const Tensor& theta() const override { return spec_.theta; }
  std::vector<LossValue> along(const Tensor& direction, std::span<const double> alphas) override;
  double gradient(const Tensor& gradient, const Tensor& displacement) override;
  void multiply(const Tensor& product, const Tensor& v) override;

  /// Returns the Hessian at theta, for vectors on the pool's device.
  LinearOperator hessian();
  /// Returns the same as CurvatureOperator::multiply_nearby().
  LinearOperator hessian_nearby();
  int64_t size() const { return spec_.theta.size(); }
  int64_t images() const { return spec_.images.count(); }

 private:
  bool stopped() const { return stop_ && stop_(); }
  void check_stop() const;
  CurvatureOperator& curvature();

  NetworkLossSpec spec_;
  ThreadPool& pool_;
  StopFlag stop_;
  std::string saved_;
  std::vector<LabelledImages> images_;
  std::optional<CurvatureOperator> curvature_;  // made when first used: it takes some memory
};

}  // namespace topograd
