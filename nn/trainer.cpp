#include "nn/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/adam/adam.h"
#include "kernels/augment/augment.h"
#include "kernels/core/philox.h"
#include "kernels/random/random_normal.h"
#include "kernels/sgd/sgd.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

constexpr int kCropPadding = 4;  // pixels, as every CIFAR recipe since He et al.

size_t at(int64_t i) {
  return static_cast<size_t>(i);
}

/// The images, if there are any: checked before a network is built for none.
const LabelledImages& not_empty(const LabelledImages& images) {
  require(images.count() > 0, "no images to train on");
  return images;
}

void fill(const Tensor& t, float value) {
  std::fill_n(t.data<float>(), t.size(), value);
}

}  // namespace

OptimizerKind optimizer_named(const std::string& name) {
  if (name == "sgd") return OptimizerKind::sgd;
  if (name == "adam") return OptimizerKind::adam;
  fail("unknown optimizer '", name, "': choose sgd or adam");
}

std::string name_of(OptimizerKind kind) {
  return kind == OptimizerKind::sgd ? "sgd" : "adam";
}

void initialise(const ParameterLayout& layout, uint64_t seed, const Tensor& theta,
                const Tensor& states) {
  theta.fill_zero();  // biases and BatchNorm's shifts
  states.fill_zero();
  Context context;
  uint32_t number = 0;
  for (const ParameterEntry& entry : layout.parameters()) {
    const Tensor w = theta.slice(entry.offset, entry.shape);
    const Philox random(seed, RandomStream::initialisation, number++);
    if (entry.kind == ParameterKind::bn_scale) fill(w, 1);
    if (!entry.is_weight()) continue;
    const double deviation = entry.kind == ParameterKind::conv_weight
                                 ? std::sqrt(2.0 / static_cast<double>(entry.filter_size()))
                                 : 1e-3;
    random_normal({.y = w, .random = random, .scale = deviation}, context);
  }
  for (const ParameterEntry& entry : layout.states())
    if (entry.kind == ParameterKind::bn_variance) fill(states.slice(entry.offset, entry.shape), 1);
}

std::vector<int32_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch) {
  std::vector<int32_t> order(at(count));
  std::iota(order.begin(), order.end(), 0);
  const Philox random(seed, RandomStream::shuffle, static_cast<uint32_t>(epoch));
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[at(i)],
              order[random.below(static_cast<uint64_t>(i), static_cast<uint32_t>(i + 1))]);
  return order;
}

Trainer::Trainer(const Graph& graph, const TrainingConfig& config, const LabelledImages& images,
                 ThreadPool& pool)
    : config_(config),
      images_(not_empty(images)),
      pool_(pool),
      network_(graph, std::min(config.batch_size, images.count()), pool,
               {.rounding = Rounding::relaxed}) {
  const Device device = pool.device();
  const ParameterLayout& layout = graph.layout();
  const int64_t batch = std::min(config.batch_size, images.count());
  const Tensor theta({layout.parameter_count()}), states({layout.state_count()});
  initialise(layout, config.seed, theta, states);
  state_.theta = theta.to(device);
  state_.states = states.to(device);
  state_.momentum = Tensor::zeros(theta.shape(), DType::f32, device);
  if (config.optimizer == OptimizerKind::adam)
    state_.second_moment = Tensor::zeros(theta.shape(), DType::f32, device);
  next_states_ = Tensor(states.shape(), DType::f32, device);
  gradient_ = Tensor(theta.shape(), DType::f32, device);
  pixels_ = images.images.to(device);
  batch_ = Tensor(images.images.shape().with_first(batch), DType::f32, device);
  labels_ = Staged({batch}, device);
  indices_ = Staged({batch}, device);
  offsets_ = Staged({batch, 2}, device);
  flips_ = Staged({batch}, device);
}

Trainer::Staged::Staged(const Shape& shape, Device where)
    : host(shape, DType::i32),
      device(where == Device::cpu ? host : Tensor(shape, DType::i32, where)) {}

Tensor Trainer::Staged::sent(int64_t n) const {
  const Tensor there = device.rows(0, n);
  if (device.device() != Device::cpu) there.copy_from(host.rows(0, n));
  return there;
}

int64_t Trainer::steps_per_epoch() const {
  return (images_.count() + config_.batch_size - 1) / config_.batch_size;
}

double Trainer::learning_rate() const {
  return config_.schedule.rate(static_cast<double>(state_.epoch) +
                               static_cast<double>(state_.step) /
                                   static_cast<double>(steps_per_epoch()));
}

void Trainer::restore(const TrainingState& state) {
  const auto fits = [](const Tensor& saved, const Tensor& ours, const char* what) {
    require(saved.defined() == ours.defined() && (!ours.defined() || saved.size() == ours.size()),
            "the saved run's ", what, " do not fit this model and optimizer");
  };
  fits(state.theta, state_.theta, "weights");
  fits(state.states, state_.states, "BatchNorm statistics");
  fits(state.momentum, state_.momentum, "optimizer moments");
  fits(state.second_moment, state_.second_moment, "optimizer moments");
  require(state.step >= 0 && state.step < steps_per_epoch(), "the saved run stands at step ",
          state.step, " of an epoch, which has only ", steps_per_epoch(),
          " steps with these images and this batch size");
  const auto copy = [&](const Tensor& saved) {
    return saved.device() == pool_.device() && saved.defined() ? saved.clone()
                                                               : saved.to(pool_.device());
  };
  state_ = state;
  state_.theta = copy(state.theta);
  state_.states = copy(state.states);
  state_.momentum = copy(state.momentum);
  state_.second_moment = copy(state.second_moment);
}

/// Gathers, crops, flips and normalises the next `count` images. What happens to an image depends
/// on the seed, the epoch and the image alone.
void Trainer::load_batch(int64_t count) {
  if (order_epoch_ != state_.epoch) {
    order_ = shuffled_order(images_.count(), config_.seed, state_.epoch);
    order_epoch_ = state_.epoch;
  }
  const Philox random(config_.seed, RandomStream::augmentation,
                      static_cast<uint32_t>(state_.epoch));
  const int64_t first = state_.step * config_.batch_size;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t image = order_[at(first + i)];
    const auto words = random.words(static_cast<uint64_t>(image));
    indices_.host.data<int32_t>()[i] = image;
    labels_.host.data<int32_t>()[i] = images_.labels.data<int32_t>()[image];
    offsets_.host.data<int32_t>()[2 * i] = static_cast<int32_t>(words[0] % (2 * kCropPadding + 1));
    offsets_.host.data<int32_t>()[2 * i + 1] =
        static_cast<int32_t>(words[1] % (2 * kCropPadding + 1));
    flips_.host.data<int32_t>()[i] = static_cast<int32_t>(words[2] & 1);
  }
  const Tensor indices = indices_.sent(count), offsets = offsets_.sent(count);
  const Tensor flips = flips_.sent(count);
  const int64_t per_item = pool_.device() == Device::cpu ? 16 : count;
  pool_.for_each((count + per_item - 1) / per_item, [&](int64_t item, Context& context) {
    const int64_t begin = item * per_item, end = std::min(count, begin + per_item);
    augment({.y = batch_.rows(begin, end),
             .images = pixels_,
             .indices = indices.rows(begin, end),
             .offsets = config_.augment ? offsets.rows(begin, end) : Tensor(),
             .flips = config_.augment ? flips.rows(begin, end) : Tensor(),
             .padding = config_.augment ? kCropPadding : 0,
             .mean = images_.normalisation.mean.data(),
             .std = images_.normalisation.std_dev.data()},
            context);
  });
}

void Trainer::update() {
  Context& context = pool_.main_context();
  if (config_.optimizer == OptimizerKind::sgd)
    sgd({.theta = state_.theta,
         .momentum_buffer = state_.momentum,
         .gradient = gradient_,
         .learning_rate = learning_rate(),
         .momentum = config_.momentum,
         .weight_decay = config_.weight_decay,
         .nesterov = config_.nesterov,
         .first_step = state_.optimizer_steps == 0},
        context);
  else
    adam({.theta = state_.theta,
          .m = state_.momentum,
          .v = state_.second_moment,
          .gradient = gradient_,
          .learning_rate = learning_rate(),
          .beta1 = 0.9,
          .beta2 = 0.999,
          .epsilon = 1e-8,
          .weight_decay = config_.weight_decay,
          .decoupled = false,
          .step = state_.optimizer_steps + 1},
         context);
}

void Trainer::step() {
  require(!finished(), "this run has finished its ", config_.epochs, " epochs");
  const int64_t first = state_.step * config_.batch_size;
  const int64_t count = std::min(config_.batch_size, images_.count() - first);
  load_batch(count);
  next_states_.copy_from(state_.states);  // they move before the loss is known
  const BatchResult result =
      network_.loss_and_gradient(gradient_, batch_.rows(0, count), labels_.sent(count),
                                 state_.theta, next_states_, BatchnormMode::batch, config_.loss);
  const double gradient_norm = norm(gradient_, pool_.main_context());
  const auto require_finite = [&](const char* what, double value) {
    require(std::isfinite(value), "training diverged: ", what, " is ",
            std::isnan(value) ? "not a number" : "infinite", " in epoch ", state_.epoch + 1,
            ", step ", state_.step + 1, "; try a smaller learning rate");
  };
  require_finite("the loss", result.loss);
  require_finite("the gradient's norm", gradient_norm);
  update();
  state_.states.copy_from(next_states_);
  if (state_.step == 0) {
    state_.epoch_sums = {};
    state_.gradient_squares = 0;
  }
  state_.gradient_squares += gradient_norm * gradient_norm;
  state_.epoch_sums.loss += result.loss * static_cast<double>(count);
  state_.epoch_sums.correct += result.correct;
  state_.epoch_sums.count += count;
  ++state_.optimizer_steps;
  if (++state_.step == steps_per_epoch()) {
    state_.step = 0;
    ++state_.epoch;
  }
}

}  // namespace topograd
