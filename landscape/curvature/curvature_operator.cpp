#include "landscape/curvature/curvature_operator.h"

#include <numeric>
#include <utility>

#include "kernels/augment/augment.h"
#include "kernels/core/philox.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

/// Returns images [begin, end) as a network reads them, in memory of their own.
MiniBatch normalised(const LabelledImages& images, int64_t begin, int64_t end, ThreadPool& pool) {
  const Tensor indices({end - begin}, DType::i32);
  std::iota(indices.data<int32_t>(), indices.data<int32_t>() + indices.size(),
            static_cast<int32_t>(begin));
  MiniBatch batch{Tensor(images.images.shape().with_first(end - begin), DType::f32, pool.device()),
                  images.labels.rows(begin, end)};
  augment({.y = batch.images,
           .images = images.images,
           .indices = indices.to(pool.device()),
           .mean = images.normalisation.mean.data(),
           .std = images.normalisation.std_dev.data()},
          pool.main_context());
  return batch;
}

/// Returns theta with each of its elements moved by about kNearby of itself.
Tensor moved_by_rounding(const Tensor& theta) {
  const Tensor moved = theta.to(Device::cpu).clone();
  const Philox random(1, RandomStream::probe);
  for (int64_t i = 0; i < moved.size(); ++i) {
    float& element = moved.data<float>()[i];
    element *= static_cast<float>(1 + CurvatureOperator::kNearby *
                                          random.normal(static_cast<uint64_t>(i)));
  }
  return moved.to(theta.device());
}

int64_t total_size(const std::vector<ParameterRange>& ranges) {
  int64_t size = 0;
  for (const auto& [begin, end] : ranges) size += end - begin;
  return size;
}

}  // namespace

std::vector<ParameterRange> parameter_ranges(
    const ParameterLayout& layout, const std::function<bool(const ParameterEntry&)>& chosen) {
  std::vector<ParameterRange> ranges;
  for (const ParameterEntry& entry : layout.parameters()) {
    if (!chosen(entry)) continue;
    if (!ranges.empty() && ranges.back().end == entry.offset)
      ranges.back().end += entry.size();
    else
      ranges.push_back({entry.offset, entry.offset + entry.size()});
  }
  return ranges;
}

CurvatureOperator::CurvatureOperator(const CurvatureSpec& spec, ThreadPool& pool)
    : spec_(spec),
      pool_(pool),
      network_(spec.graph, std::min(spec.batch, spec.images.count()), pool, {.curvature = true}),
      images_(spec.images.count()) {
  if (spec_.ranges.empty()) spec_.ranges = {{0, spec.graph.layout().parameter_count()}};
  size_ = total_size(spec_.ranges);
  const int64_t rest = images_ % spec.batch;
  require(spec.mode == BatchnormMode::frozen || (spec.batch > 1 && rest != 1),
          "BatchNorm's statistics in batches of ", spec.batch,
          " would leave a batch of one image: choose another size, or another number of images");
  const LabelledImages there = spec.images.to(pool.device());
  for (int64_t begin = 0; begin < images_; begin += spec.batch)
    batches_.push_back(normalised(there, begin, std::min(images_, begin + spec.batch), pool));
  for (Tensor* t : {&direction_, &part_, &total_})
    *t = Tensor(spec.theta.shape(), DType::f32, pool.device());
  move_to(spec.theta, spec.running_stats);
}

void CurvatureOperator::move_to(const Tensor& theta, const Tensor& running_stats) {
  theta_ = theta.to(pool_.device());
  states_ = running_stats.to(pool_.device());
  nearby_ = Tensor();
}

template <class Work>
void CurvatureOperator::for_each_batch(const Work& work) {
  for (const MiniBatch& batch : batches_)
    work(batch, static_cast<double>(batch.count()) / static_cast<double>(images_));
}

void CurvatureOperator::gather(const Tensor& v, const Tensor& from, Context& context) {
  int64_t at = 0;
  for (const auto& [begin, end] : spec_.ranges) {
    copy({.y = v.slice(at, {end - begin}), .x = from.slice(begin, {end - begin})}, context);
    at += end - begin;
  }
}

void CurvatureOperator::scatter(const Tensor& to, const Tensor& v, Context& context) {
  if (size_ < to.size()) to.fill_zero();
  int64_t at = 0;
  for (const auto& [begin, end] : spec_.ranges) {
    copy({.y = to.slice(begin, {end - begin}), .x = v.slice(at, {end - begin})}, context);
    at += end - begin;
  }
}

Tensor CurvatureOperator::in_theta(const Tensor& v) {
  const Tensor result(theta_.shape(), DType::f32, pool_.device());
  scatter(result, v, pool_.main_context());
  return result;
}

void CurvatureOperator::multiply(const Tensor& product, const Tensor& v) {
  Context& context = pool_.main_context();
  scatter(direction_, v, context);
  total_.fill_zero();
  for_each_batch([&](const MiniBatch& batch, double share) {
    network_.curvature_product(part_, direction_, batch.images, batch.labels, theta_, states_,
                               spec_.mode, spec_.loss, spec_.curvature);
    axpy({.y = total_, .x = part_, .a = share}, context);
  });
  gather(product, total_, context);
}

void CurvatureOperator::multiply_nearby(const Tensor& product, const Tensor& v) {
  if (!nearby_.defined()) nearby_ = moved_by_rounding(theta_);
  const Tensor centre = std::exchange(theta_, nearby_);
  multiply(product, v);
  theta_ = centre;
}

double CurvatureOperator::gradient(const Tensor& gradient) {
  Context& context = pool_.main_context();
  total_.fill_zero();
  double loss = 0;
  for_each_batch([&](const MiniBatch& batch, double share) {
    const BatchResult result =
        network_.loss_and_gradient(part_, batch.images, batch.labels, theta_, states_, spec_.mode,
                                   spec_.loss, /*keep_running_stats=*/true);
    loss += share * result.loss;
    axpy({.y = total_, .x = part_, .a = share}, context);
  });
  gather(gradient, total_, context);
  return loss;
}

}  // namespace topograd
