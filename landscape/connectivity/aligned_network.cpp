#include "landscape/connectivity/aligned_network.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/check.h"
#include "landscape/connectivity/alignment.h"
#include "nn/inference.h"

namespace topograd {

double difference_of_logits(const Graph& graph, const ModelState& a, const PermutedNetwork& b,
                            const LabelledImages& images) {
  const int64_t count = std::min<int64_t>(4, images.count());
  const Tensor x(images.images.shape().with_first(count), DType::f64);
  Context context;
  normalise_images(x, images, 0, count, context);
  InferencePlan plan(graph, count, DType::f64);
  const auto logits = [&](const Tensor& theta, const Tensor& running_stats) {
    plan.bind(theta.converted(DType::f64), running_stats.converted(DType::f64));
    return plan.run(x, context).clone();
  };
  const Tensor one = logits(a.theta, a.running_stats), other = logits(b.theta, b.running_stats);
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < one.size(); ++i) {
    const double value = one.data<double>()[i], apart = std::abs(value - other.data<double>()[i]);
    if (std::isnan(apart)) return apart;
    largest = std::max(largest, std::abs(value));
    difference = std::max(difference, apart);
  }
  return difference / largest;
}

std::optional<AlignedNetwork> align_network(const LoadedModel& a, const LoadedModel& b,
                                            uint64_t seed, const ImageSets& images,
                                            ThreadPool& pool, Observer& observer) {
  const std::vector<ChannelGroup> groups = channel_groups(a.graph);
  require(!groups.empty(), a.path, " has no channels that could change places");
  AlignmentOptions options{.seed = seed};
  const Stage stage(observer, "alignment", options.sweeps);
  options.progress = [&](int sweeps) {
    observer.advance(sweeps, [&] { return text(sweeps, " sweeps"); });
    return !observer.stop_requested();
  };
  const Alignment found =
      align_channels(a.graph, groups, a.weights.theta, b.weights.theta, options, pool);
  if (observer.stop_requested()) return std::nullopt;
  AlignedNetwork aligned{
      permuted(a.graph, groups, found.permutation, b.weights.theta, b.weights.running_stats), {}};
  const double difference =
      difference_of_logits(a.graph, b.weights, aligned.network, images.sets.front());
  require(difference <= 1e-6,
          "the network with permuted channels computes another function: its "
          "logits differ by ",
          difference, " of the largest. That is a fault of this program");
  aligned.facts = {{"product_before", found.product_before},
                   {"product", found.product},
                   {"distance_before", found.distance_before},
                   {"distance", found.distance},
                   {"sweeps", found.sweeps},
                   {"groups", static_cast<double>(groups.size())},
                   {"logit_difference", difference}};
  return aligned;
}

}  // namespace topograd
