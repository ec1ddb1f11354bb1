#include "landscape/evaluator.h"

#include <algorithm>

#include "kernels/perturb/perturb.h"

namespace topograd {

namespace {

/// Points side by side on a device: theta and the directions are read once for all of them.
int64_t points_at_once(Device device) {
  return device == Device::cuda ? 8 : 2;
}

}  // namespace

Evaluator::Evaluator(const Graph& graph, const Tensor& theta, const Tensor& states,
                     const Directions& directions, std::span<const LabelledImages> sets,
                     LossKind loss, ThreadPool& pool)
    : graph_(graph),
      theta_(theta),
      states_(states),
      directions_(directions),
      sets_(sets),
      loss_(loss),
      pool_(pool),
      workers_(static_cast<size_t>(pool.threads())) {
  for (size_t set = 0; set < sets.size(); ++set) {
    const int64_t count = sets[set].count();
    require(count > 0, "no images to evaluate the loss on");
    for (int64_t begin = 0; begin < count; begin += kImagesPerEvaluation)
      chunks_.push_back({set, begin, std::min(count, begin + kImagesPerEvaluation)});
  }
  if (pool.device() == Device::cpu) return;
  const Direction y = directions.y.value_or(Direction{});
  const NetworkOnPlane network{
      theta, states, directions.x.parameters, y.parameters, directions.x.states, y.states};
  on_device_.emplace(graph, network, sets, loss, points_at_once(pool.device()),
                     pool.main_context());
}

int64_t Evaluator::images_per_point() const {
  int64_t images = 0;
  for (const LabelledImages& set : sets_) images += set.count();
  return images;
}

int64_t Evaluator::points_per_call() const {
  if (on_device_) {
    // About a second's work of a GPU: the host waits for a call, and can stop after it.
    const int64_t images = pool_.device() == Device::cuda ? 200'000 : 1;
    const int64_t passes = images / (on_device_->points() * images_per_point());
    return std::max<int64_t>(1, passes) * on_device_->points();
  }
  // 16 items a thread: at the end of a call a thread waits for 1/32 of the call on average.
  const int64_t items = 16 * pool_.threads();
  const int64_t chunks = static_cast<int64_t>(chunks_.size());
  return (items + chunks - 1) / chunks;
}

/// This thread's plan, with the weights of the point bound to it.
Evaluator::Worker& Evaluator::worker_for(const PlanePosition& position, int64_t point,
                                         Context& context) {
  std::optional<Worker>& slot = workers_[static_cast<size_t>(context.worker())];
  if (!slot) {
    slot.emplace(Worker{InferencePlan(graph_, kImagesPerEvaluation), Tensor(theta_.shape()),
                        Tensor(states_.shape()), -1});
  }
  if (slot->point == point) return *slot;
  const Direction& x = directions_.x;
  const Direction y = directions_.y.value_or(Direction{});
  perturb({.w = slot->theta,
           .theta = theta_,
           .delta = x.parameters,
           .eta = y.parameters,
           .a = position.alpha,
           .b = position.beta},
          context);
  perturb({.w = slot->states,
           .theta = states_,
           .delta = x.states,
           .eta = y.states,
           .a = position.alpha,
           .b = position.beta},
          context);
  slot->plan.bind(slot->theta, slot->states);
  slot->point = point;
  return *slot;
}

std::vector<std::vector<LossSums>> Evaluator::evaluate_on_device(
    std::span<const PlanePosition> points) {
  std::vector<std::array<double, 2>> coefficients;
  for (const PlanePosition& point : points) coefficients.push_back({point.alpha, point.beta});
  return on_device_->evaluate(coefficients);
}

std::vector<std::vector<LossSums>> Evaluator::evaluate(std::span<const PlanePosition> points) {
  if (on_device_) return evaluate_on_device(points);
  for (std::optional<Worker>& worker : workers_)
    if (worker) worker->point = -1;  // the numbering of the points begins anew
  const int64_t chunks = static_cast<int64_t>(chunks_.size());
  const int64_t items = static_cast<int64_t>(points.size()) * chunks;
  std::vector<LossSums> parts(static_cast<size_t>(items));
  pool_.for_each(items, [&](int64_t item, Context& context) {
    const int64_t point = item / chunks;
    const Chunk& chunk = chunks_[static_cast<size_t>(item % chunks)];
    Worker& worker = worker_for(points[static_cast<size_t>(point)], point, context);
    parts[static_cast<size_t>(item)] =
        evaluate_range(worker.plan, sets_[chunk.set], chunk.begin, chunk.end, loss_, context);
  });
  std::vector<std::vector<LossSums>> sums(points.size(), std::vector<LossSums>(sets_.size()));
  for (int64_t item = 0; item < items; ++item)
    sums[static_cast<size_t>(item / chunks)][chunks_[static_cast<size_t>(item % chunks)].set] +=
        parts[static_cast<size_t>(item)];
  return sums;
}

}  // namespace topograd
