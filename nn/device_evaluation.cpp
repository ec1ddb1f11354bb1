#include "nn/device_evaluation.h"

#include <algorithm>
#include <numeric>

#include "kernels/augment/augment.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

/// Number of images, of all points together, that one operation works on. A GPU needs some 10^5
/// threads to fill itself, which the smallest layers of a CIFAR network reach at 1000 images; the
/// emulator is one thread, and small tests should not allocate for thousands of images.
int64_t images_at_once(Device device) {
  return device == Device::cuda ? 2048 : 32;
}

/// Directions are copied even where they are on the device already: move_to() writes to them.
NetworkOnPlane on_device(const NetworkOnPlane& network, Device device) {
  const auto copied = [&](const Tensor& direction) {
    if (!direction.defined()) return direction;
    const Tensor copy(direction.shape(), direction.dtype(), device);
    copy.copy_from(direction);
    return copy;
  };
  return {network.theta.to(device), network.running_stats.to(device), copied(network.delta),
          copied(network.eta),      copied(network.states_delta),     copied(network.states_eta)};
}

std::vector<LabelledImages> on_device(std::span<const LabelledImages> sets, Device device) {
  std::vector<LabelledImages> there;
  for (const LabelledImages& set : sets) there.push_back(set.to(device));
  return there;
}

int64_t largest(std::span<const LabelledImages> sets) {
  int64_t count = 1;
  for (const LabelledImages& set : sets) count = std::max(count, set.count());
  return count;
}

FusedPlanOptions plan_options(std::span<const LabelledImages> sets,
                              const DeviceEvaluationOptions& options, Device device) {
  const int64_t images = std::max<int64_t>(1, images_at_once(device) / options.points);
  return {.images = std::min(images, largest(sets)),
          .points = options.points,
          .device = device,
          .precision = options.precision};
}

}  // namespace

DeviceEvaluation::DeviceEvaluation(const Graph& graph, const NetworkOnPlane& network,
                                   std::span<const LabelledImages> sets,
                                   const DeviceEvaluationOptions& options, Context& context)
    : stage_ends_(options.stage_ends),
      context_(context),
      network_(on_device(network, context.device())),
      sets_(on_device(sets, context.device())),
      plan_(graph, plan_options(sets, options, context.device())) {
  for (const Loss& loss : options.losses) losses_.push_back(loss.to(context.device()));
  if (stage_ends_.empty()) stage_ends_ = {largest(sets)};
  require(stage_ends_.back() >= largest(sets), "the last stage ends at image ", stage_ends_.back(),
          " of ", largest(sets));
  recordings_.resize(stage_ends_.size());
  const Device device = context.device();
  const int64_t images = plan_.options().images, points = plan_.options().points;
  coefficients_ = Tensor({points, 2}, DType::f64, device);
  const Tensor indices({largest(sets)}, DType::i32);
  std::iota(indices.data<int32_t>(), indices.data<int32_t>() + indices.size(), 0);
  indices_ = indices.to(device);
  Shape batch{images};
  for (int64_t extent : graph.image_shape()) batch.push_back(extent);
  x_ = Tensor(batch, DType::f32, device);
  image_losses_ = Tensor({points * images}, DType::f32, device);
  correct_ = Tensor({points * images}, DType::i32, device);
  sums_ =
      Tensor({static_cast<int64_t>(sets.size() * losses_.size()), points, 3}, DType::f64, device);
}

void DeviceEvaluation::move_to(const NetworkOnPlane& plane) {
  const auto copy_to = [](const Tensor& here, const Tensor& direction) {
    require(here.defined() == direction.defined(), "planes of different kinds in one evaluation");
    if (here.defined()) here.copy_from(direction);
  };
  copy_to(network_.delta, plane.delta);
  copy_to(network_.eta, plane.eta);
  copy_to(network_.states_delta, plane.states_delta);
  copy_to(network_.states_eta, plane.states_eta);
}

std::pair<int64_t, int64_t> DeviceEvaluation::range(size_t stage, size_t set) const {
  const int64_t count = sets_[set].count();
  return {stage == 0 ? 0 : std::min(count, stage_ends_[stage - 1]),
          std::min(count, stage_ends_[stage])};
}

void DeviceEvaluation::pass(size_t stage) {
  const int64_t images = plan_.options().images;
  plan_.form_weights(network_, coefficients_, context_);
  for (size_t set = 0; set < sets_.size(); ++set) {
    const auto [first, last] = range(stage, set);
    for (int64_t begin = first; begin < last; begin += images)
      evaluate_images(set, begin, std::min(last, begin + images),
                      begin == first ? Write::overwrite : Write::accumulate);
  }
}

void DeviceEvaluation::evaluate_images(size_t set, int64_t begin, int64_t end, Write write) {
  const LabelledImages& all = sets_[set];
  const int64_t P = points(), n = end - begin;
  const Tensor x = x_.rows(0, n);
  augment({.y = x,
           .images = all.images,
           .indices = indices_.rows(begin, end),
           .mean = all.normalisation.mean.data(),
           .std = all.normalisation.std_dev.data()},
          context_);
  const Tensor logits = plan_.run(x, context_);
  const Tensor losses = image_losses_.slice(0, {P, n}), correct = correct_.slice(0, {P, n});
  for (size_t loss = 0; loss < losses_.size(); ++loss) {
    loss_forward({.losses = losses,
                  .correct = correct,
                  .logits = logits,
                  .labels = all.labels.rows(begin, end),
                  .loss = losses_[loss]},
                 context_);
    const int64_t row = static_cast<int64_t>(set * losses_.size() + loss);
    loss_sums({.sums = sums_.slice(row * P * 3, {P, 3}),
               .losses = losses,
               .correct = correct,
               .write = write},
              context_);
  }
  if (logits_.defined()) {
    const Shape one{n, logits.dim(2)};
    copy({.y = logits_.rows(begin, end), .x = logits.slice((P - 1) * one.size(), one)}, context_);
  }
}

std::vector<std::vector<std::vector<LossSums>>> DeviceEvaluation::evaluate(
    std::span<const std::array<double, 2>> coefficients, size_t stage) {
  const int64_t P = points(), count = static_cast<int64_t>(coefficients.size());
  const int64_t passes = (count + P - 1) / P;
  const Tensor all({passes * P, 2}, DType::f64);
  for (int64_t i = 0; i < passes * P; ++i) {  // the last pass is filled up with its last point
    const auto& [a, b] = coefficients[static_cast<size_t>(std::min(i, count - 1))];
    all.data<double>()[2 * i] = a;
    all.data<double>()[2 * i + 1] = b;
  }
  const Tensor all_there = all.to(context_.device());
  const int64_t rows = sums_.dim(0);
  const Tensor results({passes, sums_.size()}, DType::f64, context_.device());
  for (int64_t k = 0; k < passes; ++k) {
    copy({.y = coefficients_, .x = all_there.rows(k * P, (k + 1) * P)}, context_);
    recordings_[stage].run(context_, [&] { pass(stage); });
    copy({.y = results.rows(k, k + 1).reshaped(sums_.shape()), .x = sums_}, context_);
  }
  const Tensor here = results.to(Device::cpu);
  std::vector<std::vector<std::vector<LossSums>>> sums(
      coefficients.size(), std::vector(sets_.size(), std::vector<LossSums>(losses_.size())));
  for (int64_t i = 0; i < count; ++i)
    for (int64_t row = 0; row < rows; ++row) {
      const size_t set = static_cast<size_t>(row) / losses_.size();
      const auto [begin, end] = range(stage, set);
      if (begin == end) continue;  // the set ended before: nothing wrote its sums
      const double* s = here.data<double>() + ((i / P * rows + row) * P + i % P) * 3;
      sums[static_cast<size_t>(i)][set][static_cast<size_t>(row) % losses_.size()] = {
          s[0], s[1], static_cast<int64_t>(s[2]), end - begin};
    }
  return sums;
}

LossSums evaluate_on_device(const Graph& graph, const Tensor& theta, const Tensor& running_stats,
                            const LabelledImages& images, const Loss& loss, ThreadPool& pool,
                            const Tensor& logits) {
  DeviceEvaluation evaluation(graph, {theta, running_stats}, {&images, 1}, {.losses = {loss}},
                              pool.main_context());
  const bool keep = logits.defined() && logits.size() > 0;
  const Tensor there = keep ? Tensor(logits.shape(), DType::f32, pool.device()) : Tensor();
  if (keep) evaluation.keep_logits(there);
  const std::array<double, 2> here{0, 0};
  const LossSums sums = evaluation.evaluate({&here, 1})[0][0][0];
  if (keep) logits.copy_from(there);
  return sums;
}

}  // namespace topograd
