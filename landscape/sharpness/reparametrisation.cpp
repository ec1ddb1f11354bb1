#include "landscape/sharpness/reparametrisation.h"

#include <cmath>
#include <optional>

#include "nn/layers/batchnorm.h"

namespace topograd {

namespace {

void multiply(const Tensor& vector, const ParameterEntry& entry, double factor) {
  float* values = vector.data<float>() + entry.offset;
  for (int64_t i = 0; i < entry.size(); ++i) values[i] = static_cast<float>(factor * values[i]);
}

class Rescaling {
 public:
  Rescaling(const Graph& graph, const Tensor& theta, const Tensor& running_stats, double factor)
      : graph_(graph),
        factor_(factor),
        readers_(graph.nodes().size()),
        used_(graph.shares_parameters()),
        result_{.theta = theta.clone(), .running_stats = running_stats.clone()} {
    for (size_t node = 0; node < graph.nodes().size(); ++node)
      for (int input : graph.nodes()[node].inputs)
        readers_[static_cast<size_t>(input)].push_back(static_cast<int>(node));
  }

  RescaledNetwork run() {
    for (int node = 0; node < count(); ++node)
      if (is_affine(node)) scale_before_batchnorm(node);
    for (int node = 0; node < count(); ++node)
      if (scales_with_parameters(node)) scale_pair(node);
    require(result_.before_batchnorm + result_.pairs > 0,
            "no layer of this network can be rescaled without changing its function: there is "
            "neither a layer before a BatchNorm nor one that only ReLU separates from the next");
    if (result_.before_batchnorm > 0)
      result_.description =
          text(result_.before_batchnorm, result_.before_batchnorm == 1 ? " layer" : " layers",
               " before a BatchNorm times ", factor_, ", with its running statistics");
    if (result_.pairs > 0)
      result_.description += text(
          result_.description.empty() ? "" : "; ", result_.pairs,
          result_.pairs == 1 ? " layer times " : " layers times ", factor_,
          result_.pairs == 1 ? ", the next one divided by it" : ", the next ones divided by it");
    return result_;
  }

 private:
  int count() const { return static_cast<int>(graph_.nodes().size()); }
  const Node& at(int node) const { return graph_.nodes()[static_cast<size_t>(node)]; }
  const Layer* layer(int node) const { return at(node).layer.get(); }
  bool is_affine(int node) const { return layer(node) && layer(node)->is_affine(); }
  bool is_batchnorm(int node) const { return layer(node) && layer(node)->as_batchnorm(); }
  bool scales_with_parameters(int node) const {
    return layer(node) && layer(node)->scales_with_parameters();
  }
  /// Whether a factor above 0 passes from the node's one input to its output.
  bool passes_factor(int node) const {
    return at(node).inputs.size() == 1 && layer(node)->is_positively_homogeneous();
  }
  std::optional<int> only_reader(int node) const {
    const auto& readers = readers_[static_cast<size_t>(node)];
    if (readers.size() != 1 || node == graph_.output()) return std::nullopt;
    return readers[0];
  }

  void scale_parameters(int node, double factor, bool biases) {
    used_[static_cast<size_t>(node)] = true;
    for (int64_t parameter : at(node).parameters) {
      const ParameterEntry& entry = graph_.layout().parameters()[static_cast<size_t>(parameter)];
      if (biases || entry.is_weight()) multiply(result_.theta, entry, factor);
    }
  }

  void scale_statistics(int batchnorm) {
    for (int64_t state : at(batchnorm).running_stats) {
      const ParameterEntry& entry = graph_.layout().running_stats()[static_cast<size_t>(state)];
      if (entry.kind == ParameterKind::bn_mean) {
        multiply(result_.running_stats, entry, factor_);
        continue;
      }
      float* variances = result_.running_stats.data<float>() + entry.offset;
      for (int64_t i = 0; i < entry.size(); ++i) {
        const double eps = layer(batchnorm)->as_batchnorm()->epsilon();
        const double variance = factor_ * factor_ * (variances[i] + eps) - eps;
        require(variance >= 0, entry.name, " has a variance of ", variances[i],
                ", too near to 0 to be divided by ", 1 / (factor_ * factor_),
                ": choose a factor above 1");
        variances[i] = static_cast<float>(variance);
      }
    }
  }

  void scale_before_batchnorm(int node) {
    const std::optional<int> reader = only_reader(node);
    if (!reader || !is_batchnorm(*reader) || used_[static_cast<size_t>(node)]) return;
    scale_parameters(node, factor_, true);
    scale_statistics(*reader);
    ++result_.before_batchnorm;
  }

  void scale_pair(int node) {
    if (used_[static_cast<size_t>(node)]) return;
    std::optional<int> next = only_reader(node);
    while (next && passes_factor(*next)) next = only_reader(*next);
    if (!next || !is_affine(*next) || used_[static_cast<size_t>(*next)]) return;
    scale_parameters(node, factor_, true);
    scale_parameters(*next, 1 / factor_, false);
    ++result_.pairs;
  }

  const Graph& graph_;
  double factor_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> used_;  // rescaled already, or of several layers
  RescaledNetwork result_;
};

}  // namespace

RescaledNetwork rescaled(const Graph& graph, const Tensor& theta, const Tensor& running_stats,
                         double factor) {
  require(factor > 0 && std::isfinite(factor), "a network is rescaled by a factor above 0, not by ",
          factor);
  return Rescaling(graph, theta, running_stats, factor).run();
}

}  // namespace topograd
