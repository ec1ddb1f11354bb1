#include "nn/weight_average.h"

#include "kernels/vector/vector.h"
#include "nn/layers/batchnorm.h"

namespace topograd {

void move_average(const Tensor& average, const Tensor& value, double weight, Context& context) {
  scale({.y = average, .a = 1 - weight}, context);
  axpy({.y = average, .x = value, .a = weight}, context);
}

Tensor recomputed_statistics(Network& network, const Tensor& theta, BatchLoader& batches,
                             int64_t epoch, ThreadPool& pool) {
  const Shape size{network.graph().layout().state_count()};
  const Tensor mean = Tensor::zeros(size, DType::f32, pool.device());
  if (mean.size() == 0) return mean;
  const Tensor running_stats(size, DType::f32, pool.device());
  for (int64_t step = 0; step < batches.steps_per_epoch(); ++step) {
    const MiniBatch batch = batches.batch(epoch, step);
    // Starting from 0, a step leaves the batch's statistics times the momentum.
    running_stats.fill_zero();
    network.loss(batch.images, batch.labels, theta, running_stats, BatchnormMode::batch);
    const double share =
        static_cast<double>(batch.count()) / static_cast<double>(batches.image_count());
    axpy({.y = mean, .x = running_stats, .a = share / BatchnormLayer::kMomentum},
         pool.main_context());
  }
  return mean;
}

}  // namespace topograd
