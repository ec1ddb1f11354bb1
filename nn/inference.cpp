#include "nn/inference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "kernels/augment/augment.h"
#include "kernels/core/numbers.h"
#include "nn/device_evaluation.h"
#include "nn/network.h"

namespace topograd {

namespace {

/// Index of the last node that reads each node's output (the node itself where none does).
std::vector<int> last_readers(const Graph& graph) {
  std::vector<int> last(graph.nodes().size());
  for (size_t i = 0; i < last.size(); ++i) {
    last[i] = static_cast<int>(i);
    for (int input : graph.nodes()[i].inputs) last[at(input)] = static_cast<int>(i);
  }
  return last;
}

}  // namespace

InferencePlan::InferencePlan(const Graph& graph, int64_t max_images, DType dtype)
    : graph_(graph), max_images_(max_images), dtype_(dtype), values_(graph.nodes().size()) {
  const std::vector<Node>& nodes = graph.nodes();
  const std::vector<int> last = last_readers(graph);
  std::map<int64_t, std::vector<Tensor>> free;  // flat, by size of one image
  for (size_t i = 1; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    const int first = node.inputs[0];
    const bool in_place = node.layer->works_in_place() && first != 0 &&
                          last[at(first)] == static_cast<int>(i) &&
                          nodes[at(first)].shape == node.shape;
    std::vector<Tensor>& list = free[node.shape.size()];
    if (in_place) {
      values_[i] = values_[at(first)];
    } else if (!list.empty()) {
      values_[i] = list.back();
      list.pop_back();
    } else {
      values_[i] = Tensor({max_images * node.shape.size()}, dtype);
    }
    for (size_t k = in_place ? 1 : 0; k < node.inputs.size(); ++k) {
      const int input = node.inputs[k];
      const bool repeated = k > 0 && node.inputs[0] == input;
      if (input != 0 && last[at(input)] == static_cast<int>(i) && !repeated)
        free[nodes[at(input)].shape.size()].push_back(values_[at(input)]);
    }
  }
}

void InferencePlan::bind(const Tensor& theta, const Tensor& running_stats) {
  require(theta.dtype() == dtype_ && running_stats.dtype() == dtype_, "weights of ",
          name_of(theta.dtype()), " bound to a plan of ", name_of(dtype_));
  parameters_ = parameter_views(graph_, theta);
  running_stats_ = running_stats_views(graph_, running_stats);
  weights_version_ = new_weights_version();
}

Tensor InferencePlan::run(const Tensor& x, Context& context) {
  const int64_t n = x.dim(0);
  require(n <= max_images_, n, " images in a plan for ", max_images_);
  require(!parameters_.empty(), "an inference plan was run before weights were bound to it");
  const auto value = [&](int64_t i) {
    if (i == 0) return x;
    Shape shape{n};
    for (int64_t extent : graph_.nodes()[at(i)].shape) shape.push_back(extent);
    return values_[at(i)].slice(0, shape);
  };
  std::vector<Tensor> inputs;
  for (size_t i = 1; i < graph_.nodes().size(); ++i) {
    inputs.clear();
    for (int input : graph_.nodes()[i].inputs) inputs.push_back(value(input));
    graph_.nodes()[i].layer->forward({.y = value(static_cast<int64_t>(i)),
                                      .x = inputs,
                                      .parameters = parameters_[i],
                                      .running_stats = running_stats_[i],
                                      .weights_version = weights_version_},
                                     context);
  }
  return value(graph_.output());
}

LossSums& LossSums::operator+=(const LossSums& other) {
  loss += other.loss;
  loss_squares += other.loss_squares;
  correct += other.correct;
  count += other.count;
  return *this;
}

double LossSums::standard_error(int64_t population) const {
  const double n = static_cast<double>(count);
  const double variance = (loss_squares - loss * loss / n) / (n - 1);
  const double left_out =
      population > 0 ? std::max(1 - n / static_cast<double>(population), 0.0) : 1.0;
  return std::sqrt(std::max(variance, 0.0) / n * left_out);
}

void normalise_images(const Tensor& y, const LabelledImages& images, int64_t begin, int64_t end,
                      Context& context) {
  Tensor indices({end - begin}, DType::i32);
  for (int64_t i = begin; i < end; ++i)
    indices.data<int32_t>()[i - begin] = static_cast<int32_t>(i);
  augment({.y = y,
           .images = images.images,
           .indices = indices,
           .offsets = {},
           .flips = {},
           .padding = 0,
           .mean = images.normalisation.mean.data(),
           .std = images.normalisation.std_dev.data()},
          context);
}

LossSums evaluate_range(InferencePlan& plan, const LabelledImages& images, int64_t begin,
                        int64_t end, const Loss& loss, Context& context, const Tensor& logits) {
  const int64_t n = end - begin;
  const Tensor x(images.images.shape().with_first(n), plan.dtype());
  normalise_images(x, images, begin, end, context);
  const Tensor out = plan.run(x, context);
  const Tensor losses({n}, plan.dtype());
  const Tensor correct({n}, DType::i32);
  loss_forward({.losses = losses,
                .correct = correct,
                .logits = out,
                .labels = images.labels.rows(begin, end),
                .loss = loss},
               context);
  if (logits.defined() && logits.size() > 0) logits.rows(begin, end).copy_from(out);
  LossSums sums;
  sums.count = n;
  with_real_type(plan.dtype(), [&](auto real) {
    for (int64_t i = 0; i < n; ++i) {
      const double loss = losses.data<decltype(real)>()[i];
      sums.loss += loss;
      sums.loss_squares += loss * loss;
      sums.correct += correct.data<int32_t>()[i];
    }
  });
  return sums;
}

LossSums evaluate(const Graph& graph, const Tensor& theta, const Tensor& running_stats,
                  const LabelledImages& images, const Loss& loss, ThreadPool& pool,
                  const Tensor& logits) {
  if (pool.device() != Device::cpu)
    return evaluate_on_device(graph, theta, running_stats, images, loss, pool, logits);
  const int64_t items = (images.count() + kImagesPerEvaluation - 1) / kImagesPerEvaluation;
  std::vector<LossSums> parts(at(items));
  std::vector<std::optional<InferencePlan>> plans(at(pool.threads()));
  pool.for_each(items, [&](int64_t item, Context& context) {
    auto& plan = plans[at(context.worker())];
    if (!plan) {
      plan.emplace(graph, kImagesPerEvaluation, theta.dtype());
      plan->bind(theta, running_stats);
    }
    const int64_t begin = item * kImagesPerEvaluation;
    const int64_t end = std::min(images.count(), begin + kImagesPerEvaluation);
    parts[at(item)] = evaluate_range(*plan, images, begin, end, loss, context, logits);
  });
  LossSums total;
  for (const LossSums& part : parts) total += part;
  return total;
}

}  // namespace topograd
