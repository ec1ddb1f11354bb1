#include "landscape/sharpness/network_loss.h"

#include <cmath>

#include "kernels/core/philox.h"
#include "kernels/random/random_normal.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

constexpr int64_t kMaxBytesKept = int64_t{512} << 20;

}  // namespace

const LossValue& LossFunction::centre() {
  if (!centre_) centre_ = at(theta(), 0.0);
  return *centre_;
}

NetworkLoss::NetworkLoss(const NetworkLossSpec& spec, ThreadPool& pool, StopFlag stop)
    : spec_(spec), pool_(pool), stop_(std::move(stop)), images_{spec.images} {}

void NetworkLoss::check_stop() const {
  if (stop_ && stop_()) throw MeasuringStopped();
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
  const bool complete = Evaluator(spec, pool_)
                            .run(
                                [&]() -> std::optional<EvaluationTask> {
                                  if (next == alphas.size()) return std::nullopt;
                                  const size_t point = next++;
                                  return EvaluationTask{.id = static_cast<int64_t>(point),
                                                        .position = {alphas[point], 0}};
                                },
                                [&](const EvaluationTask& task, const PointSums& sums) {
                                  const LossSums& there = sums[0][0];
                                  found[static_cast<size_t>(task.id)] = {
                                      there.mean(), 100 - there.accuracy(), there.standard_error()};
                                },
                                [&] { return stop_ && stop_(); });
  if (!complete) throw MeasuringStopped();
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

RandomDirections::RandomDirections(int count, Draw draw)
    : draw_(std::move(draw)), kept_(static_cast<size_t>(count)) {}

Tensor RandomDirections::operator[](int number) const {
  Tensor& kept = kept_[static_cast<size_t>(number)];
  if (kept.defined()) return kept;
  const Tensor drawn = draw_(static_cast<uint32_t>(number));
  if (bytes_ + drawn.bytes() <= kMaxBytesKept) {
    bytes_ += drawn.bytes();
    kept = drawn;
  }
  return drawn;
}

RandomDirections filter_normalised_directions(const ParameterLayout& layout, const Tensor& theta,
                                              int count, uint64_t seed) {
  return {count, [&layout, theta, seed](uint32_t number) {
            return random_direction(layout, theta, {}, seed, number).parameters;
          }};
}

RandomDirections normal_directions(const ParameterLayout& layout, const Tensor& theta,
                                   bool of_magnitude, int count, uint64_t seed) {
  return {count, [&layout, theta, of_magnitude, seed](uint32_t number) {
            // A stream of its own: not the numbers of the filter-normalised directions.
            const Philox random(seed, RandomStream::probe, (1u << 24) + number);
            const Tensor drawn({layout.parameter_count()}), d(drawn.shape());
            Context context;
            random_normal({.y = drawn, .random = random}, context);
            for (const ParameterEntry& entry : layout.parameters())
              from_torch_order(entry, drawn.data<float>() + entry.offset,
                               d.data<float>() + entry.offset);
            for (int64_t i = 0; of_magnitude && i < d.size(); ++i)
              d.data<float>()[i] *= std::abs(theta.data<float>()[i]);
            return d;
          }};
}

}  // namespace topograd
