#include "landscape/coherence/gradient_sampler.h"

#include "kernels/vector/vector.h"

namespace topograd {

namespace {

std::string layer_name(const ParameterEntry& entry) {
  return entry.name.substr(0, entry.name.rfind('.'));
}

GramMatrix sum_of(const std::vector<GramMatrix>& parts, int64_t n) {
  GramMatrix total(n);
  for (const GramMatrix& part : parts)
    for (size_t k = 0; k < total.values.size(); ++k) total.values[k] += part.values[k];
  return total;
}

CoherenceSpec checked(const CoherenceSpec& spec) {
  GradientSampler::check(spec);
  return spec;
}

}  // namespace

std::vector<LayerParameters> layers_of(const ParameterLayout& layout) {
  std::vector<LayerParameters> layers;
  for (const ParameterEntry& entry : layout.parameters()) {
    const std::string name = layer_name(entry);
    if (layers.empty() || layers.back().name != name)
      layers.push_back({name, {entry.offset, entry.offset}});
    layers.back().range.end = entry.offset + entry.size();
  }
  return layers;
}

void GradientSampler::check(const CoherenceSpec& spec) {
  require(spec.batches >= 2, "gradients of ", spec.batches,
          " minibatches cannot be compared: ask for 2 or more");
  require(spec.mode == BatchnormMode::frozen || spec.batch_size > 1,
          "BatchNorm has no statistics of a minibatch of one image: choose larger ones");
  require(spec.batch_size >= 1 && spec.batches <= spec.images.count() / spec.batch_size,
          spec.batches, " minibatches of ", spec.batch_size, " images are more than the ",
          spec.images.count(), " there are: ask for fewer, for smaller ones or for more images");
}

GradientSampler::GradientSampler(const CoherenceSpec& spec, ThreadPool& pool)
    : spec_(checked(spec)),
      pool_(pool),
      loader_(spec_.images,
              {.batch_size = spec_.batch_size, .augment = false, .flip = false, .seed = spec_.seed},
              pool),
      network_(spec_.graph, spec_.batch_size, pool),
      layers_(layers_of(spec_.graph.layout())),
      gradients_({spec_.batches, spec_.graph.layout().parameter_count()}, DType::f32,
                 pool.device()) {}

std::vector<GramMatrix> GradientSampler::gram_matrices() {
  const int64_t n = spec_.batches;
  std::vector<GramMatrix> grams(layers_.size(), GramMatrix(n));
  pool_.for_each(n * n, [&](int64_t item, Context& context) {
    const int64_t i = item / n, j = item % n;
    if (j > i) return;
    for (size_t l = 0; l < layers_.size(); ++l) {
      const auto [begin, end] = layers_[l].range;
      const auto part = [&, begin = begin, end = end](int64_t row) {
        return gradients_.slice(row * gradients_.dim(1) + begin, {end - begin});
      };
      grams[l].set(i, j, dot(part(i), part(j), context));
    }
  });
  return grams;
}

std::optional<Coherence> GradientSampler::at(const Tensor& theta, const Tensor& running_stats,
                                             const Progress& progress) {
  const Tensor weights = theta.to(pool_.device()), statistics = running_stats.to(pool_.device());
  Coherence result;
  int64_t correct = 0;
  for (int64_t k = 0; k < spec_.batches; ++k) {
    const MiniBatch batch = loader_.batch(0, k);
    const BatchResult found = network_.loss_and_gradient(
        gradients_.rows(k, k + 1).reshaped({gradients_.dim(1)}), batch.images, batch.labels,
        weights, statistics, spec_.mode, spec_.loss, /*keep_running_stats=*/true);
    result.loss += found.loss / static_cast<double>(spec_.batches);
    correct += found.correct;
    if (progress && !progress(k + 1)) return std::nullopt;
  }
  result.accuracy =
      LossSums{.correct = correct, .count = spec_.batches * spec_.batch_size}.accuracy();
  const std::vector<GramMatrix> grams = gram_matrices();
  result.gram = sum_of(grams, spec_.batches);
  result.all = coherence_of(result.gram, spec_.batch_size);
  for (const GramMatrix& gram : grams)
    result.layers.push_back(coherence_of(gram, spec_.batch_size));
  return result;
}

}  // namespace topograd
