// Curves between two networks: where they go, their gradient against central differences in double,
// that training continues to the same bits, and the file of their losses.
#include "landscape/connectivity/mode_curve.h"

#include "landscape/connectivity/connectivity_results.h"
#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Smooth, so that differences converge.
Graph smooth_graph() {
  Graph g({8, 8, 3});
  Value x = g.activation(g.batchnorm(g.conv(g.input(), 4)), Activation::tanh);
  x = g.activation(g.batchnorm(g.conv(x, 5, {.stride = 2})), Activation::tanh);
  g.set_output(g.linear(g.global_average_pool(x), 4));
  return g;
}

CurveConfig small_config() {
  CurveConfig config;
  config.epochs = 3;
  config.batch_size = 10;
  config.schedule.base = 0.05;
  config.seed = 7;
  return config;
}

/// The loss at phi(t) with its decay, in double.
double loss_on_curve(const Graph& graph, const Weights& a, const Weights& b,
                     const std::vector<double>& control, double t, const MiniBatch& batch,
                     double decay) {
  const Tensor theta(a.theta.shape(), DType::f64);
  double squares = 0;
  for (int64_t i = 0; i < theta.size(); ++i) {
    const double value = (1 - t) * (1 - t) * a.theta.data<float>()[i] +
                         2 * t * (1 - t) * control[at(i)] + t * t * b.theta.data<float>()[i];
    theta.data<double>()[i] = value;
    squares += value * value;
  }
  ThreadPool pool(1);
  Network network(graph, batch.count(), pool, {.dtype = DType::f64});
  const Tensor running_stats = Tensor::zeros({graph.layout().state_count()}, DType::f64);
  return network
             .loss(batch.images.converted(DType::f64), batch.labels, theta, running_stats,
                   BatchnormMode::batch)
             .loss +
         0.5 * decay * squares;
}

}  // namespace

TEST_CASE("mode curve: from one network to the other, in a plane") {
  const Graph graph = smooth_graph();
  const Weights a = random_weights(graph, 3), b = random_weights(graph, 4),
                c = random_weights(graph, 5);
  const ModeCurve curve{a.theta, b.theta, c.theta};
  const Tensor theta(a.theta.shape());
  Context context;
  curve.at(0, theta, context);
  CHECK(same_bits(theta, a.theta));
  curve.at(1, theta, context);
  CHECK(same_bits(theta, b.theta));
  const Directions plane = curve_plane(curve);
  for (double t : {0.2, 0.5, 0.9}) {
    curve.at(t, theta, context);
    const PlanePosition p = curve_position(t);
    for (int64_t i = 0; i < theta.size(); ++i) {
      const double A = a.theta.data<float>()[i], B = b.theta.data<float>()[i],
                   C = c.theta.data<float>()[i];
      const double expected = (1 - t) * (1 - t) * A + 2 * t * (1 - t) * C + t * t * B;
      CHECK(std::abs(theta.data<float>()[i] - expected) <= 1e-6);
      const double on_plane = A + p.alpha * plane.x.parameters.data<float>()[i] +
                              p.beta * plane.y->parameters.data<float>()[i];
      CHECK(std::abs(on_plane - expected) <= 1e-6);
    }
  }
}

TEST_CASE("mode curve: the control point's gradient against differences in double") {
  const Graph graph = smooth_graph();
  const Weights a = random_weights(graph, 3), b = random_weights(graph, 4);
  const LabelledImages images = labelled_images(40, 8, 4, 1);
  ThreadPool pool(2);
  CurveConfig config = small_config();
  config.weight_decay = 0.02;  // so large that its absence would show
  CurveTrainer trainer(graph, a.theta, b.theta, config, images, pool);
  BatchLoader loader(images, {.batch_size = 20, .augment = false}, pool);
  CHECK_THROWS_AS(trainer.loss_and_gradient(Tensor(a.theta.shape()), loader.batch(0, 0), 0.5),
                  Error);  // larger than the trainer's batches
  BatchLoader small(images, {.batch_size = 10, .augment = false}, pool);
  const MiniBatch batch = small.batch(0, 0);
  const Tensor control = trainer.state().theta.clone(), gradient(a.theta.shape());
  const Tensor way = normals(control.size(), 6);
  for (double t : {0.1, 0.5, 0.8}) {
    trainer.loss_and_gradient(gradient, batch, t);
    double along = 0;
    std::vector<double> ahead(at(control.size())), behind(at(control.size()));
    const double step = 1e-5;
    for (int64_t i = 0; i < control.size(); ++i) {
      const double d = way.data<float>()[i];
      along += d * gradient.data<float>()[i];
      ahead[at(i)] = control.data<float>()[i] + step * d;
      behind[at(i)] = control.data<float>()[i] - step * d;
    }
    const double difference = (loss_on_curve(graph, a, b, ahead, t, batch, config.weight_decay) -
                               loss_on_curve(graph, a, b, behind, t, batch, config.weight_decay)) /
                              (2 * step);
    CHECK(along == doctest::Approx(difference).epsilon(2e-4));
  }
}

TEST_CASE("mode curve: begins midway, with t of the seed and the step alone") {
  const Graph graph = smooth_graph();
  const Weights a = random_weights(graph, 3), b = random_weights(graph, 4);
  const LabelledImages images = labelled_images(40, 8, 4, 1);
  ThreadPool pool(1);
  CurveTrainer trainer(graph, a.theta, b.theta, small_config(), images, pool);
  for (int64_t i = 0; i < a.theta.size(); ++i)
    CHECK(std::abs(trainer.state().theta.data<float>()[i] -
                   0.5 * (a.theta.data<float>()[i] + b.theta.data<float>()[i])) <= 1e-6);
  double sum = 0, squares = 0;
  for (int64_t step = 0; step < 2000; ++step) {
    const double t = trainer.t_of_step(step);
    CHECK((t >= 0 && t < 1));
    sum += t / 2000;
    squares += t * t / 2000;
  }
  CHECK(std::abs(sum - 0.5) < 0.03);  // its deviation is 0.0065
  CHECK(std::abs(squares - 1.0 / 3) < 0.03);
  CurveConfig other = small_config();
  other.seed = 8;
  CHECK(CurveTrainer(graph, a.theta, b.theta, other, images, pool).t_of_step(0) !=
        trainer.t_of_step(0));
}

TEST_CASE("mode curve: training lowers the loss along the curve") {
  const Graph graph = smooth_graph();
  const Weights a = random_weights(graph, 3), b = random_weights(graph, 4);
  const LabelledImages images = labelled_images(40, 8, 4, 1);
  ThreadPool pool(1);
  CurveConfig config = small_config();
  config.epochs = 60;
  config.schedule.base = 0.2;
  config.augment = false;  // a crop leaves little of 8x8 pixels
  CurveTrainer trainer(graph, a.theta, b.theta, config, images, pool);
  BatchLoader loader(images, {.batch_size = 10, .augment = false}, pool);
  const Tensor unused(a.theta.shape());
  const auto mean_loss = [&] {
    double sum = 0;
    for (double t : {0.25, 0.5, 0.75})
      for (int64_t k = 0; k < 4; ++k)
        sum += trainer.loss_and_gradient(unused, loader.batch(0, k), t) / 12;
    return sum;
  };
  const double before = mean_loss();
  while (!trainer.finished()) trainer.step();
  CHECK(mean_loss() < 0.8 * before);
}

TEST_CASE("mode curve: training continues to the same bits") {
  const Graph graph = smooth_graph();
  const Weights a = random_weights(graph, 3), b = random_weights(graph, 4);
  const LabelledImages images = labelled_images(43, 8, 4, 1);
  const auto train = [&](int threads, int steps, const TrainingState* from) {
    ThreadPool pool(threads);
    CurveTrainer trainer(graph, a.theta, b.theta, small_config(), images, pool);
    if (from) trainer.restore(*from);
    for (int k = 0; k < steps; ++k) trainer.step();
    return copy_of(trainer.state());
  };
  const TrainingState whole = train(1, 15, nullptr);
  CHECK(whole.epoch == 3);
  check_same_state(train(3, 15, nullptr), whole);
  const TrainingState half = train(1, 7, nullptr);
  CHECK((half.epoch == 1 && half.step == 2));
  check_same_state(train(2, 8, &half), whole);
  CHECK(whole.epoch_sums.count == 43);
  ThreadPool pool(1);
  CurveTrainer trainer(graph, a.theta, b.theta, small_config(), images, pool);
  trainer.restore(whole);
  CHECK(trainer.finished());
  CHECK_THROWS_AS(trainer.step(), Error);
  TrainingState wrong = whole;
  wrong.theta = Tensor({3});
  CHECK_THROWS_AS(trainer.restore(wrong), Error);
}

TEST_CASE("mode curve: a batch of one image is refused") {
  const Graph graph = smooth_graph();
  const Weights a = random_weights(graph, 3);
  const LabelledImages images = labelled_images(41, 8, 4, 1);
  ThreadPool pool(1);
  CHECK_THROWS_AS(CurveTrainer(graph, a.theta, a.theta, small_config(), images, pool), Error);
}

TEST_CASE("connectivity: results come back from their file, with barriers") {
  const TemporaryFolder folder;
  ConnectivityResults results;
  results.provenance = {{"to_model_hash", "b"}};
  results.t = {0, 0.5, 1};
  PathValues path(3, {"train"});
  ImageSets images;
  images.names = {"train"};
  for (size_t k = 0; k < 3; ++k) {
    LossSums sums;
    sums.loss = 10.0 * (k == 1 ? 3 : 1);
    sums.loss_squares = sums.loss * sums.loss;
    sums.correct = k == 1 ? 4 : 8;
    sums.count = 10;
    CHECK_FALSE(path.complete());
    path.enter(k, images, {{sums}});
  }
  CHECK(path.complete());
  results.paths["line/states"] = path;
  results.paths["curve/recompute"] = PathValues(3, {"train", "test"});
  results.alignment = {{"distance", 2.5}};
  CHECK(barrier_of(results.t, path, "train_loss").height == 2);
  CHECK(barrier_of(results.t, path, "train_acc").height == 40);
  const std::string file = folder.path() + "/c.h5";
  results.save(file);
  const ConnectivityResults loaded = ConnectivityResults::load(file);
  CHECK(loaded.provenance == results.provenance);
  CHECK(loaded.t == results.t);
  CHECK(loaded.alignment == results.alignment);
  REQUIRE(loaded.paths.size() == 2);
  CHECK(loaded.paths.at("line/states").values == path.values);
  CHECK_FALSE(loaded.paths.at("curve/recompute").complete());
  CHECK(loaded.paths.at("curve/recompute").values.size() == 6);
}
