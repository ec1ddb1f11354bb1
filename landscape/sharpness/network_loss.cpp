#include "landscape/sharpness/network_loss.h"

#include "kernels/vector/vector.h"
#include "landscape/results/observer.h"

namespace topograd {

NetworkLoss::NetworkLoss(const NetworkLossSpec& spec, ThreadPool& pool, StopFlag stop,
                         std::string saved)
    : spec_(spec),
      pool_(pool),
      stop_(std::move(stop)),
      saved_(std::move(saved)),
      images_{spec.images} {}

void NetworkLoss::check_stop() const {
  if (stopped()) throw Interrupted(saved_);
}

CurvatureOperator& NetworkLoss::curvature() {
  if (!curvature_)
    curvature_.emplace(CurvatureSpec{.graph = spec_.graph,
                                     .theta = spec_.theta,
                                     .running_stats = spec_.running_stats,
                                     .images = spec_.images,
                                     .loss = spec_.loss},
                       pool_);
  return *curvature_;
}

std::vector<LossValue> NetworkLoss::along(const Tensor& direction, std::span<const double> alphas) {
  const std::vector<Directions> line{
      {.x = {.parameters = direction, .running_stats = {}}, .y = {}}};
  const EvaluationSpec spec{.graph = spec_.graph,
                            .theta = spec_.theta,
                            .running_stats = spec_.running_stats,
                            .planes = line,
                            .sets = images_,
                            .losses = {spec_.loss},
                            .forced = spec_.forced};
  std::vector<LossValue> found(alphas.size());
  size_t next = 0;
  const bool complete =
      Evaluator(spec, pool_)
          .run(
              [&]() -> std::optional<EvaluationTask> {
                if (next == alphas.size()) return std::nullopt;
                const size_t point = next++;
                return EvaluationTask{.id = static_cast<int64_t>(point),
                                      .position = {alphas[point], 0}};
              },
              [&](const EvaluationTask& task, const PointSums& sums) {
                const LossSums& there = sums[0][0];
                found[static_cast<size_t>(task.id)] = {there.mean(), 100 - there.accuracy(),
                                                       there.standard_error(spec_.population)};
              },
              [&] { return stopped(); });
  if (!complete) throw Interrupted(saved_);
  return found;
}

double NetworkLoss::gradient(const Tensor& gradient, const Tensor& displacement) {
  check_stop();
  CurvatureOperator& operation = curvature();
  const Tensor there({size()}, DType::f32, pool_.device());
  double loss = 0;
  if (displacement.defined()) {
    const Tensor moved = spec_.theta.clone();
    Context context;
    axpy({.y = moved, .x = displacement}, context);
    operation.move_to(moved, spec_.running_stats);
    loss = operation.gradient(there);
    operation.move_to(spec_.theta, spec_.running_stats);
  } else {
    loss = operation.gradient(there);
  }
  gradient.copy_from(there);
  return loss;
}

void NetworkLoss::multiply(const Tensor& product, const Tensor& v) {
  const Tensor there({size()}, DType::f32, pool_.device());
  hessian()(there, v.to(pool_.device()));
  product.copy_from(there);
}

LinearOperator NetworkLoss::hessian() {
  return [this](const Tensor& product, const Tensor& v) {
    check_stop();
    curvature().multiply(product, v);
  };
}

LinearOperator NetworkLoss::hessian_nearby() {
  return [this](const Tensor& product, const Tensor& v) {
    check_stop();
    curvature().multiply_nearby(product, v);
  };
}

}  // namespace topograd
