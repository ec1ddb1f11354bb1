#include "nn/weight_average.h"

#include <algorithm>

#include "kernels/augment/augment.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

constexpr int64_t kImagesPerItem = 16;  // of the CPU's threads, as in training

/// x = the images of `indices`, normalised.
void gather(const Tensor& x, const LabelledImages& images, const Tensor& indices,
            ThreadPool& pool) {
  const int64_t count = indices.size();
  const int64_t per_item = pool.device() == Device::cpu ? kImagesPerItem : count;
  pool.for_each((count + per_item - 1) / per_item, [&](int64_t item, Context& context) {
    const int64_t begin = item * per_item, end = std::min(count, begin + per_item);
    augment({.y = x.rows(begin, end),
             .images = images.images,
             .indices = indices.rows(begin, end),
             .offsets = {},
             .flips = {},
             .padding = 0,
             .mean = images.normalisation.mean.data(),
             .std = images.normalisation.std_dev.data()},
            context);
  });
}

}  // namespace

void move_average(const Tensor& average, const Tensor& value, double weight, Context& context) {
  scale({.y = average, .a = 1 - weight}, context);
  axpy({.y = average, .x = value, .a = weight}, context);
}

Tensor recomputed_statistics(Network& network, const Tensor& theta, const LabelledImages& images,
                             std::span<const int32_t> order, int64_t batch_size, ThreadPool& pool) {
  const Device device = pool.device();
  const LabelledImages there{images.images.to(device), images.labels, images.normalisation};
  const int64_t N = static_cast<int64_t>(order.size());
  const Shape size{network.graph().layout().state_count()};
  const Tensor mean = Tensor::zeros(size, DType::f32, device);
  if (mean.size() == 0) return mean;
  const Tensor states(size, DType::f32, device);
  const Tensor x(images.images.shape().with_first(std::min(batch_size, N)), DType::f32, device);
  for (int64_t first = 0; first < N; first += batch_size) {
    const int64_t n = std::min(batch_size, N - first);
    const Tensor indices({n}, DType::i32), labels({n}, DType::i32);
    for (int64_t i = 0; i < n; ++i) {
      const int32_t image = order[static_cast<size_t>(first + i)];
      indices.data<int32_t>()[i] = image;
      labels.data<int32_t>()[i] = images.labels.data<int32_t>()[image];
    }
    gather(x.rows(0, n), there, indices.to(device), pool);
    // From 0, a step leaves the batch's statistics times the momentum.
    states.fill_zero();
    network.loss(x.rows(0, n), labels.to(device), theta, states, BatchnormMode::batch);
    const double share = static_cast<double>(n) / static_cast<double>(N);
    axpy({.y = mean, .x = states, .a = share / BatchnormLayer::kMomentum}, pool.main_context());
  }
  return mean;
}

}  // namespace topograd
