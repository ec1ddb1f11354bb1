#include <algorithm>
#include <numeric>

#include "kernels/augment/augment.h"
#include "kernels/perturb/perturb.h"
#include "landscape/evaluation/point_worker.h"
#include "nn/weight_average.h"

namespace topograd {

namespace {

int64_t largest_count(std::span<const LabelledImages> sets) {
  int64_t count = 1;
  for (const LabelledImages& set : sets) count = std::max(count, set.count());
  return count;
}

Direction on_device(const Direction& direction, Device device) {
  return {direction.parameters.to(device), {}};
}

class NetworkWorker : public PointWorker {
 public:
  /// Keeps own_pool, which is nullptr or owns `pool`.
  NetworkWorker(const EvaluationSpec& spec, ThreadPool& pool,
                std::unique_ptr<ThreadPool> own_pool = nullptr)
      : spec_(spec),
        own_pool_(std::move(own_pool)),
        pool_(pool),
        network_(spec.graph, std::min(spec.statistics_batch, largest_count(spec.sets)), pool),
        centre_(spec.theta.to(pool.device())),
        theta_(spec.theta.shape(), DType::f32, pool.device()),
        states_(spec.running_stats.to(pool.device())) {
    for (const LabelledImages& set : spec.sets) sets_.push_back(set.to(pool.device()));
    if (spec.batchnorm == PointBatchnorm::recomputed)
      statistics_of_.emplace(spec.sets.front(),
                             BatchPlan{.batch_size = spec.statistics_batch, .augment = false},
                             pool);
  }

  void bind(const PlanePosition& position, size_t plane, Context&) override {
    if (place_ && place_->is(position, plane)) return;
    if (!place_ || place_->plane != plane) {
      const Directions& there = spec_.planes[plane];
      x_ = on_device(there.x, pool_.device());
      y_ = there.y ? on_device(*there.y, pool_.device()) : Direction{};
    }
    place_.reset();  // invalidate first: if an operation throws, no position is bound
    perturb({.w = theta_,
             .theta = centre_,
             .delta = x_.parameters,
             .eta = y_.parameters,
             .a = position.alpha,
             .b = position.beta},
            pool_.main_context());
    if (statistics_of_)
      states_ = recomputed_statistics(network_, theta_, *statistics_of_, 0, pool_);
    place_ = BoundPosition{position, plane};
  }

  std::vector<LossSums> evaluate(size_t set, int64_t begin, int64_t end, Context&) override {
    const LabelledImages& images = sets_[set];
    const Tensor labels = spec_.sets[set].labels.rows(begin, end);
    const auto mode =
        spec_.batchnorm == PointBatchnorm::batch ? BatchnormMode::batch : BatchnormMode::frozen;
    network_.loss(normalised(images, begin, end), images.labels.rows(begin, end), theta_, states_,
                  mode, LossKind::cross_entropy, /*keep_running_stats=*/true);
    return sums_of(network_.logits().to(Device::cpu), labels.to(Device::cpu), spec_.losses, host_);
  }

 private:
  Tensor normalised(const LabelledImages& images, int64_t begin, int64_t end) {
    const Tensor indices({end - begin}, DType::i32);
    std::iota(indices.data<int32_t>(), indices.data<int32_t>() + indices.size(),
              static_cast<int32_t>(begin));
    const Tensor x(images.images.shape().with_first(end - begin), DType::f32, pool_.device());
    augment({.y = x,
             .images = images.images,
             .indices = indices.to(pool_.device()),
             .mean = images.normalisation.mean.data(),
             .std = images.normalisation.std_dev.data()},
            pool_.main_context());
    return x;
  }

  const EvaluationSpec& spec_;
  std::unique_ptr<ThreadPool> own_pool_;
  ThreadPool& pool_;
  Context host_;
  Network network_;
  std::vector<LabelledImages> sets_;
  std::optional<BatchLoader> statistics_of_;
  Tensor centre_, theta_, states_;
  Direction x_, y_;                     // directions of the bound plane
  std::optional<BoundPosition> place_;  // the position of the bound weights
};

}  // namespace

std::unique_ptr<PointWorker> make_network_worker(const EvaluationSpec& spec) {
  auto pool = std::make_unique<ThreadPool>(1);
  for (const auto& [operation, name] : spec.forced) pool->force_implementation(operation, name);
  ThreadPool& its = *pool;
  return std::make_unique<NetworkWorker>(spec, its, std::move(pool));
}

std::unique_ptr<PointWorker> make_network_worker(const EvaluationSpec& spec, ThreadPool& pool) {
  return std::make_unique<NetworkWorker>(spec, pool);
}

}  // namespace topograd
