#include "landscape/coherence/coherence.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/vector/vector.h"

namespace topograd {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double pairs_of(int64_t n) {
  return 0.5 * static_cast<double>(n) * static_cast<double>(n - 1);
}

/// Of a mean over pairs, from sums over the pairs that hold each item: what is left without it.
double jackknife_error(const std::vector<double>& without_one) {
  const auto n = static_cast<double>(without_one.size());
  if (without_one.size() < 3) return kUnknown;
  double mean = 0, squares = 0;
  for (double value : without_one) mean += value / n;
  for (double value : without_one) squares += (value - mean) * (value - mean);
  return std::sqrt((n - 1) / n * squares);
}

double cosine(const GramMatrix& gram, int64_t i, int64_t j) {
  const double lengths = std::sqrt(gram.at(i, i)) * std::sqrt(gram.at(j, j));
  return lengths > 0 ? gram.at(i, j) / lengths : kUnknown;
}

void find_cosines(const GramMatrix& gram, CoherenceStatistics& result) {
  double sum = 0;
  std::vector<double> of_one(static_cast<size_t>(gram.n), 0.0);
  result.cosine_min = result.inner_product_min = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < gram.n; ++i)
    for (int64_t j = i + 1; j < gram.n; ++j) {
      const double value = cosine(gram, i, j);
      sum += value;
      of_one[static_cast<size_t>(i)] += value;
      of_one[static_cast<size_t>(j)] += value;
      result.cosine_min = std::min(result.cosine_min, value);
      result.inner_product_min = std::min(result.inner_product_min, gram.at(i, j));
    }
  result.cosine = sum / pairs_of(gram.n);
  if (std::isnan(sum)) result.cosine_min = kUnknown;
  for (double& value : of_one) value = (sum - value) / pairs_of(gram.n - 1);
  result.cosine_se = jackknife_error(of_one);
}

/// The ratio of signal to noise of n gradients, from the sum of all products and that of the
/// squares.
double ratio_of(double all, double squares, int64_t n) {
  const auto count = static_cast<double>(n);
  const double signal = (all - squares) / (count * (count - 1));
  const double noise = (squares - all / count) / (count - 1);
  return noise > 0 ? signal / noise : kUnknown;
}

void find_noise(const GramMatrix& gram, int64_t images_per_batch, CoherenceStatistics& result) {
  double all = 0, squares = 0;
  std::vector<double> rows(static_cast<size_t>(gram.n), 0.0);
  for (int64_t i = 0; i < gram.n; ++i) {
    for (int64_t j = 0; j < gram.n; ++j) rows[static_cast<size_t>(i)] += gram.at(i, j);
    all += rows[static_cast<size_t>(i)];
    squares += gram.at(i, i);
    result.batch_gradient_norm += std::sqrt(gram.at(i, i)) / static_cast<double>(gram.n);
  }
  result.gradient_norm = std::sqrt(std::max(all, 0.0)) / static_cast<double>(gram.n);
  result.snr = ratio_of(all, squares, gram.n);
  result.noise_scale = result.snr > 0 ? static_cast<double>(images_per_batch) / result.snr
                                      : std::numeric_limits<double>::infinity();
  if (std::isnan(result.snr)) result.noise_scale = kUnknown;
  std::vector<double> without;
  for (int64_t i = 0; i < gram.n; ++i) {
    const double own = gram.at(i, i);
    without.push_back(
        ratio_of(all - 2 * rows[static_cast<size_t>(i)] + own, squares - own, gram.n - 1));
  }
  result.snr_se = jackknife_error(without);
}

std::string layer_name(const ParameterEntry& entry) {
  return entry.name.substr(0, entry.name.rfind('.'));
}

GramMatrix sum_of(const std::vector<GramMatrix>& parts, int64_t n) {
  GramMatrix total(n);
  for (const GramMatrix& part : parts)
    for (size_t k = 0; k < total.values.size(); ++k) total.values[k] += part.values[k];
  return total;
}

}  // namespace

CoherenceStatistics coherence_of(const GramMatrix& gram, int64_t images_per_batch) {
  require(gram.n >= 2, "gradients of ", gram.n, " minibatches cannot be compared");
  CoherenceStatistics result;
  find_cosines(gram, result);
  find_noise(gram, images_per_batch, result);
  return result;
}

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

namespace {

CoherenceSpec checked(const CoherenceSpec& spec) {
  GradientSampler::check(spec);
  return spec;
}

}  // namespace

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
      100.0 * static_cast<double>(correct) / static_cast<double>(spec_.batches * spec_.batch_size);
  const std::vector<GramMatrix> grams = gram_matrices();
  result.gram = sum_of(grams, spec_.batches);
  result.all = coherence_of(result.gram, spec_.batch_size);
  for (const GramMatrix& gram : grams)
    result.layers.push_back(coherence_of(gram, spec_.batch_size));
  return result;
}

}  // namespace topograd
