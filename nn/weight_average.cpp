#include "nn/weight_average.h"

#include "kernels/vector/vector.h"
#include "nn/layers/batchnorm.h"

namespace topograd {

namespace {

/// Elements [begin, begin + size) of the running statistics, whose BatchNorms have one momentum.
struct SharedMomentum {
  int64_t begin, size;
  double momentum;
};

std::vector<SharedMomentum> momenta_of(const Graph& graph) {
  std::vector<SharedMomentum> found;
  for (const Node& node : graph.nodes())
    for (int64_t state : node.running_stats) {
      const ParameterEntry& entry = graph.layout().running_stats()[static_cast<size_t>(state)];
      const double momentum = node.layer->as_batchnorm()->momentum();
      if (found.empty() || found.back().momentum != momentum)
        found.push_back({entry.offset, 0, momentum});
      found.back().size += entry.size();
    }
  return found;
}

}  // namespace

void move_average(const Tensor& average, const Tensor& value, double weight, Context& context) {
  scale({.y = average, .a = 1 - weight}, context);
  axpy({.y = average, .x = value, .a = weight}, context);
}

Tensor recomputed_statistics(Network& network, const Tensor& theta, BatchLoader& batches,
                             int64_t epoch, ThreadPool& pool) {
  const Shape states{network.graph().layout().state_count()};
  const Tensor mean = Tensor::zeros(states, DType::f32, pool.device());
  if (mean.size() == 0) return mean;
  const std::vector<SharedMomentum> statistics = momenta_of(network.graph());
  const Tensor running_stats(states, DType::f32, pool.device());
  for (int64_t step = 0; step < batches.steps_per_epoch(); ++step) {
    const MiniBatch batch = batches.batch(epoch, step);
    // Starting from 0, a step leaves the batch's statistics times the momentum.
    running_stats.fill_zero();
    network.loss(batch.images, batch.labels, theta, running_stats, BatchnormMode::batch);
    const double share =
        static_cast<double>(batch.count()) / static_cast<double>(batches.image_count());
    for (const auto& [begin, size, momentum] : statistics)
      axpy({.y = mean.slice(begin, {size}),
            .x = running_stats.slice(begin, {size}),
            .a = share / momentum},
           pool.main_context());
  }
  return mean;
}

}  // namespace topograd
