// Coherence of gradients: the statistics against vectors that are all there, and a normal
// distribution whose ratio is known; the sampler against a network driven by hand.
#include <Eigen/Dense>

#include "landscape/coherence/coherence.h"
#include "landscape/coherence/coherence_results.h"
#include "models/registry.h"
#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A row a gradient, a mean that stands out of the noise as `signal` says.
Eigen::MatrixXd gradients(int64_t n, int64_t size, double signal, uint64_t seed) {
  const Philox random(seed, RandomStream::test);
  Eigen::MatrixXd rows(n, size);
  for (int64_t i = 0; i < rows.size(); ++i)
    rows(i / size, i % size) = signal + random.normal(static_cast<uint64_t>(i));
  return rows;
}

GramMatrix gram_of(const Eigen::MatrixXd& rows) {
  GramMatrix gram(rows.rows());
  for (int64_t i = 0; i < gram.n; ++i)
    for (int64_t j = 0; j < gram.n; ++j) gram.set(i, j, rows.row(i).dot(rows.row(j)));
  return gram;
}

Eigen::MatrixXd without(const Eigen::MatrixXd& rows, int64_t left_out) {
  Eigen::MatrixXd rest(rows.rows() - 1, rows.cols());
  for (int64_t i = 0, to = 0; i < rows.rows(); ++i)
    if (i != left_out) rest.row(to++) = rows.row(i);
  return rest;
}

/// Computes the statistics from the mean and the covariance, which the Gram matrix never forms.
double snr_of(const Eigen::MatrixXd& rows) {
  const auto n = static_cast<double>(rows.rows());
  const Eigen::VectorXd mean = rows.colwise().mean();
  const double trace = (rows.rowwise() - mean.transpose()).squaredNorm() / (n - 1);
  return (mean.squaredNorm() - trace / n) / trace;
}

std::vector<double> cosines_of(const Eigen::MatrixXd& rows) {
  std::vector<double> cosines;
  for (int64_t i = 0; i < rows.rows(); ++i)
    for (int64_t j = 0; j < i; ++j)
      cosines.push_back(rows.row(i).normalized().dot(rows.row(j).normalized()));
  return cosines;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The jackknife's standard error of any statistic, by its definition.
template <class Statistic>
double jackknife(const Eigen::MatrixXd& rows, const Statistic& statistic) {
  const auto n = static_cast<double>(rows.rows());
  std::vector<double> left;
  for (int64_t i = 0; i < rows.rows(); ++i) left.push_back(statistic(without(rows, i)));
  double squares = 0;
  for (double value : left) squares += (value - mean_of(left)) * (value - mean_of(left));
  return std::sqrt((n - 1) / n * squares);
}

Graph small_resnet() {
  return build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
}

bool same(const Coherence& a, const Coherence& b) {
  return a.gram.values == b.gram.values && a.loss == b.loss && a.all.cosine == b.all.cosine &&
         a.all.snr_se == b.all.snr_se;
}

}  // namespace

TEST_CASE("coherence: statistics are those of the vectors themselves") {
  for (double signal : {0.0, 0.3, 2.0}) {
    const Eigen::MatrixXd rows = gradients(7, 40, signal, 3);
    const CoherenceStatistics found = coherence_of(gram_of(rows), 32);
    const std::vector<double> cosines = cosines_of(rows);
    const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-10); };
    CHECK(found.gradient_norm == near(rows.colwise().mean().norm()));
    CHECK(found.batch_gradient_norm == near(rows.rowwise().norm().mean()));
    CHECK(found.cosine == near(mean_of(cosines)));
    CHECK(found.cosine_min == near(*std::min_element(cosines.begin(), cosines.end())));
    CHECK(found.cosine_se ==
          near(jackknife(rows, [](const auto& rest) { return mean_of(cosines_of(rest)); })));
    double least = std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < rows.rows(); ++i)
      for (int64_t j = 0; j < i; ++j) least = std::min(least, rows.row(i).dot(rows.row(j)));
    CHECK(found.inner_product_min == near(least));
    CHECK(found.snr == near(snr_of(rows)));
    CHECK(found.snr_se == near(jackknife(rows, snr_of)));
    if (found.snr > 0)
      CHECK(found.noise_scale == near(32 / snr_of(rows)));
    else
      CHECK(std::isinf(found.noise_scale));
  }
}

TEST_CASE("coherence: the ratio of a known distribution, within its standard errors") {
  // |mean|^2 / trace of the covariance is signal^2 in any number of dimensions.
  int within = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const CoherenceStatistics found = coherence_of(gram_of(gradients(30, 200, 0.2, seed)), 1);
    CHECK(std::abs(found.snr - 0.04) <= 5 * found.snr_se);
    within += std::abs(found.snr - 0.04) <= found.snr_se;
    CHECK(std::abs(found.cosine - 0.04 / 1.04) <= 5 * found.cosine_se);
  }
  CHECK(within >= 17);  // of 40, 27 are expected and fewer than 17 once in a thousand times
  CHECK(within <= 37);
}

TEST_CASE("coherence: what is not there is not a number") {
  Eigen::MatrixXd rows = gradients(4, 5, 1, 3);
  rows.row(2).setZero();
  const CoherenceStatistics found = coherence_of(gram_of(rows), 8);
  CHECK(std::isnan(found.cosine));
  CHECK(std::isnan(found.cosine_min));
  CHECK(std::isfinite(found.snr));
  const CoherenceStatistics nothing = coherence_of(GramMatrix(3), 8);
  CHECK(std::isnan(nothing.snr));
  CHECK(std::isnan(nothing.noise_scale));
  const CoherenceStatistics two = coherence_of(gram_of(gradients(2, 5, 1, 3)), 8);
  CHECK(std::isfinite(two.cosine));
  CHECK(std::isnan(two.cosine_se));
  CHECK_THROWS_AS(coherence_of(GramMatrix(1), 8), Error);
}

TEST_CASE("coherence: the sampler's products are those of the network's gradients") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 3);
  const LabelledImages images = labelled_images(50, 8, 4, 1);
  for (BatchnormMode mode : {BatchnormMode::frozen, BatchnormMode::batch}) {
    ThreadPool pool(2);
    const CoherenceSpec spec{
        .graph = graph, .images = images, .mode = mode, .batches = 5, .batch_size = 9, .seed = 4};
    const Coherence found = *GradientSampler(spec, pool).at(w.theta, w.running_stats);
    const std::vector<int32_t> order = shuffled_order(50, 4, 0);
    Network network(graph, 9, pool);
    const Tensor running_stats = w.running_stats.clone();
    Eigen::MatrixXd rows(5, w.theta.size());
    double loss = 0;
    for (int64_t k = 0; k < 5; ++k) {
      const Batch batch = batch_of(images, {order.begin() + 9 * k, order.begin() + 9 * (k + 1)});
      const Tensor gradient(w.theta.shape());
      loss += network
                  .loss_and_gradient(gradient, batch.x, batch.labels, w.theta, running_stats, mode,
                                     LossKind::cross_entropy, true)
                  .loss /
              5;
      for (int64_t i = 0; i < gradient.size(); ++i) rows(k, i) = gradient.data<float>()[i];
    }
    CHECK(same_bits(running_stats, w.running_stats));
    CHECK(found.loss == doctest::Approx(loss).epsilon(1e-6));
    // Float gradients of slightly differently normalised images.
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < 5; ++j)
        CHECK(std::abs(found.gram.at(i, j) - rows.row(i).dot(rows.row(j))) <=
              1e-5 * rows.row(i).norm() * rows.row(j).norm());
    CHECK(found.all.snr == doctest::Approx(snr_of(rows)).epsilon(1e-3));
    const std::vector<LayerParameters> layers = layers_of(graph.layout());
    REQUIRE(found.layers.size() == layers.size());
    for (size_t l = 0; l < layers.size(); ++l) {
      const auto [begin, end] = layers[l].range;
      const Eigen::MatrixXd part = rows.middleCols(begin, end - begin);
      CHECK(found.layers[l].batch_gradient_norm ==
            doctest::Approx(part.rowwise().norm().mean()).epsilon(1e-3));
      CHECK(found.layers[l].cosine == doctest::Approx(mean_of(cosines_of(part))).epsilon(0.01));
    }
  }
}

TEST_CASE("coherence: layers are the tensors of one layer, one after another") {
  const Graph graph = small_resnet();
  const std::vector<LayerParameters> layers = layers_of(graph.layout());
  CHECK(layers.front().name == "conv1");
  CHECK(layers[1].name == "bn1");
  CHECK(layers.back().name == "linear");
  int64_t at = 0;
  for (const LayerParameters& layer : layers) {
    CHECK(layer.range.begin == at);
    at = layer.range.end;
  }
  CHECK(at == graph.layout().parameter_count());
}

TEST_CASE("coherence: the same bits for any number of threads; stops when asked") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 3);
  const LabelledImages images = labelled_images(60, 8, 4, 1);
  const CoherenceSpec spec{.graph = graph, .images = images, .batches = 6, .batch_size = 10};
  std::vector<Coherence> found;
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    GradientSampler sampler(spec, pool);
    found.push_back(*sampler.at(w.theta, w.running_stats));
    CHECK_FALSE(
        sampler.at(w.theta, w.running_stats, [](int64_t done) { return done < 3; }).has_value());
    found.push_back(*sampler.at(w.theta, w.running_stats));
  }
  for (const Coherence& each : found) CHECK(same(each, found.front()));
}

TEST_CASE("coherence: too few images are refused") {
  const Graph graph = small_resnet();
  const LabelledImages images = labelled_images(20, 8, 4, 1);
  const auto refused = [&](int64_t batches, int64_t size, BatchnormMode mode) {
    CHECK_THROWS_AS(GradientSampler::check({.graph = graph,
                                            .images = images,
                                            .mode = mode,
                                            .batches = batches,
                                            .batch_size = size}),
                    Error);
  };
  refused(3, 7, BatchnormMode::frozen);
  refused(1, 7, BatchnormMode::frozen);
  refused(4, 1, BatchnormMode::batch);
  GradientSampler::check({.graph = graph, .images = images, .batches = 20, .batch_size = 1});
}

TEST_CASE("coherence: results come back from their file") {
  const TemporaryFolder folder;
  CoherenceResults results;
  results.provenance = {{"batches", "7"}, {"loss", "cross_entropy"}};
  for (uint64_t seed : {1U, 2U}) {
    const GramMatrix gram = gram_of(gradients(7, 30, 0.5, seed));
    CoherenceRow row{"resnet8", text("model", seed), text("hash", seed), "data", 1.5,
                     {},        {"a", "b"}};
    row.coherence = {0.7, 90, coherence_of(gram, 8), {coherence_of(gram, 8), {}}, gram};
    results.rows.push_back(row);
  }
  results.rows[1].epoch = std::numeric_limits<double>::quiet_NaN();
  const std::string path = folder.path() + "/c.h5";
  results.save(path);
  const CoherenceResults loaded = CoherenceResults::load(path);
  CHECK(loaded.provenance == results.provenance);
  REQUIRE(loaded.rows.size() == 2);
  for (size_t k = 0; k < 2; ++k) {
    const CoherenceRow &a = results.rows[k], &b = loaded.rows[k];
    CHECK(a.model_file == b.model_file);
    CHECK(a.model_hash == b.model_hash);
    CHECK(a.layers == b.layers);
    CHECK(same(a.coherence, b.coherence));
    CHECK(a.coherence.accuracy == b.coherence.accuracy);
    REQUIRE(b.coherence.layers.size() == 2);
    for (const auto& [name, member] : kCoherenceQuantities)
      CHECK(a.coherence.layers[0].*member == b.coherence.layers[0].*member);
  }
  CHECK(loaded.rows[0].epoch == 1.5);
  CHECK(std::isnan(loaded.rows[1].epoch));
}
