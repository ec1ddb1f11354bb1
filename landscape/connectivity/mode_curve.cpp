#include "landscape/connectivity/mode_curve.h"

#include <cmath>
#include <utility>

#include "kernels/core/philox.h"
#include "kernels/perturb/perturb.h"
#include "kernels/sgd/sgd.h"
#include "kernels/vector/vector.h"
#include "landscape/directions/direction.h"

namespace topograd {

namespace {

/// The number of a stream of random probes: the eigenvectors' and traces' are small.
constexpr uint32_t kCurveProbes = 0x43555256;

}  // namespace

void ModeCurve::at(double t, const Tensor& theta, Context& context) const {
  copy({.y = theta, .x = a}, context);
  scale({.y = theta, .a = (1 - t) * (1 - t)}, context);
  perturb(
      {.w = theta, .theta = theta, .delta = control, .eta = b, .a = 2 * t * (1 - t), .b = t * t},
      context);
}

PlanePosition curve_position(double t) {
  return {2 * t * (1 - t), t * t};
}

Directions curve_plane(const ModeCurve& curve) {
  const Tensor a = curve.a.to(Device::cpu);
  return {difference(a, curve.control.to(Device::cpu)), difference(a, curve.b.to(Device::cpu))};
}

CurveTrainer::CurveTrainer(const Graph& graph, const Tensor& a, const Tensor& b,
                           const CurveConfig& config, const LabelledImages& images,
                           ThreadPool& pool)
    : config_(config),
      pool_(pool),
      loader_(images,
              {.batch_size = config.batch_size,
               .augment = config.augment,
               .flip = config.flip,
               .seed = config.seed},
              pool, prefetch_beside(pool)),
      network_(graph, std::min(config.batch_size, images.count()), pool,
               {.error_budget = ErrorBudget::relaxed}),
      a_(a.to(pool.device())),
      b_(b.to(pool.device())),
      theta_(a.shape(), DType::f32, pool.device()),
      gradient_(a.shape(), DType::f32, pool.device()),
      statistics_(Tensor::zeros({graph.layout().state_count()}, DType::f32, pool.device())) {
  config_.schedule.epochs = static_cast<double>(config.epochs);
  require(
      config.batch_size > 1 && images.count() % config.batch_size != 1, "batches of ",
      config.batch_size, " of ", images.count(),
      " images leave a batch of one, of which BatchNorm has no statistics: choose another size");
  Context& context = pool.main_context();
  state_.theta = Tensor(a.shape(), DType::f32, pool.device());
  perturb({.w = state_.theta, .theta = a_, .delta = a_, .eta = b_, .a = -0.5, .b = 0.5}, context);
  state_.running_stats = Tensor::zeros({graph.layout().state_count()}, DType::f32, pool.device());
  state_.momentum = Tensor::zeros(a.shape(), DType::f32, pool.device());
}

double CurveTrainer::t_of_step(int64_t step) const {
  return Philox(config_.seed, RandomStream::probe, kCurveProbes)
      .uniform(static_cast<uint64_t>(step));
}

double CurveTrainer::loss_and_gradient(const Tensor& gradient, const MiniBatch& batch, double t) {
  Context& context = pool_.main_context();
  curve().at(t, theta_, context);
  const BatchResult result =
      network_.loss_and_gradient(gradient, batch.images, batch.labels, theta_, statistics_,
                                 BatchnormMode::batch, config_.loss, /*keep_running_stats=*/true);
  axpy({.y = gradient, .x = theta_, .a = config_.weight_decay}, context);
  scale({.y = gradient, .a = 2 * t * (1 - t)}, context);
  return result.loss;
}

void CurveTrainer::step() {
  require(!finished(), "this curve has finished its ", config_.epochs, " epochs");
  const MiniBatch batch = loader_.batch(state_.epoch, state_.step);
  const double loss = loss_and_gradient(gradient_, batch, t_of_step(state_.optimizer_steps));
  const double length = norm(gradient_, pool_.main_context());
  require(std::isfinite(loss) && std::isfinite(length), "the curve's training diverged in epoch ",
          state_.epoch + 1, ", step ", state_.step + 1, "; try a smaller learning rate");
  const double progress = static_cast<double>(state_.step) / static_cast<double>(steps_per_epoch());
  sgd({.theta = state_.theta,
       .momentum_buffer = state_.momentum,
       .gradient = gradient_,
       .learning_rate = config_.schedule.rate(static_cast<double>(state_.epoch) + progress),
       .momentum = config_.momentum,
       .first_step = state_.optimizer_steps == 0},
      pool_.main_context());
  if (state_.step == 0) state_.epoch_sums = {};
  state_.epoch_sums.loss += loss * static_cast<double>(batch.count());
  state_.epoch_sums.count += batch.count();
  ++state_.optimizer_steps;
  if (++state_.step == steps_per_epoch()) {
    state_.step = 0;
    ++state_.epoch;
  }
}

void CurveTrainer::restore(const TrainingState& state) {
  require(state.theta.size() == a_.size() && state.momentum.defined() &&
              state.momentum.size() == a_.size() && state.step >= 0 &&
              state.step < steps_per_epoch(),
          "the saved curve is not of these networks and images");
  state_ = state;
  state_.theta = Tensor(a_.shape(), DType::f32, pool_.device());
  state_.theta.copy_from(state.theta);
  state_.momentum = Tensor(a_.shape(), DType::f32, pool_.device());
  state_.momentum.copy_from(state.momentum);
  state_.running_stats = Tensor::zeros(statistics_.shape(), DType::f32, pool_.device());
}

}  // namespace topograd
