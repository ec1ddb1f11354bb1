// The trainer: its updates against formulas in double, its order, its augmentation, and that it
// continues, stops and repeats to the bit.
#include "nn/trainer.h"

#include <set>

#include "models/registry.h"
#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// One convolution with BatchNorm, for 8x8 images.
Graph small_graph() {
  Graph g({8, 8, 3});
  const Value x = g.relu(g.batchnorm(g.conv(g.input(), 6)));
  g.set_output(g.linear(g.global_average_pool(x), 4));
  return g;
}

/// Without BatchNorm every image's loss is its own affair.
Graph graph_without_batchnorm() {
  Graph g({8, 8, 3});
  const Value x = g.relu(g.conv(g.input(), 6, {.bias = true}));
  g.set_output(g.linear(x, 4));
  return g;
}

Graph residual_graph() {
  return build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
}

/// A learning rate that differs from step to step.
TrainingConfig config_of(OptimizerKind optimizer, double rate) {
  TrainingConfig config;
  config.epochs = 4;
  config.batch_size = 12;
  config.optimizer = optimizer;
  config.schedule = {.kind = ScheduleKind::cosine, .base = rate, .epochs = 4};
  config.seed = 5;
  return config;
}

TrainingState state_after(const Graph& graph, const TrainingConfig& config,
                          const LabelledImages& images, int threads, int steps) {
  ThreadPool pool(threads);
  Trainer trainer(graph, config, images, pool);
  for (int i = 0; i < steps; ++i) trainer.step();
  return copy_of(trainer.state());
}

/// The images that a trainer takes in this step.
std::vector<int32_t> indices_of_step(const TrainingConfig& config, int64_t count, int64_t epoch,
                                     int64_t step) {
  const std::vector<int32_t> order = shuffled_order(count, config.seed, epoch);
  const auto first = order.begin() + step * config.batch_size;
  return {first, std::min(first + config.batch_size, order.end())};
}

std::vector<double> doubles(const Tensor& t) {
  return {t.data<float>(), t.data<float>() + t.size()};
}

/// An optimizer straight from its formulas, in double. `step` counts from 1.
struct Oracle {
  OptimizerKind kind;
  std::vector<double> m, v;

  void update(std::vector<double>& theta, const Tensor& gradient, double rate, double decay,
              int64_t step) {
    m.resize(theta.size());
    v.resize(theta.size());
    for (size_t i = 0; i < theta.size(); ++i) {
      const double g = gradient.data<float>()[i] + decay * theta[i];
      if (kind == OptimizerKind::sgd) {
        m[i] = step == 1 ? g : 0.9 * m[i] + g;
        theta[i] -= rate * (g + 0.9 * m[i]);
      } else {
        m[i] = 0.9 * m[i] + 0.1 * g;
        v[i] = 0.999 * v[i] + 0.001 * g * g;
        const double n = static_cast<double>(step);
        theta[i] -= rate * (m[i] / (1 - std::pow(0.9, n))) /
                    (std::sqrt(v[i] / (1 - std::pow(0.999, n))) + 1e-8);
      }
    }
  }
};

/// Steps of a trainer, among them the smaller last batch of an epoch, against the oracle on the
/// gradients that Network gives.
void check_updates(OptimizerKind kind, double rate, double tolerance) {
  const Graph graph = small_graph();
  const LabelledImages images = labelled_images(20, 8, 4, 1);
  TrainingConfig config = config_of(kind, rate);
  config.augment = false;
  config.weight_decay = 0.02;
  ThreadPool pool(1);
  Trainer trainer(graph, config, images, pool);
  REQUIRE(trainer.steps_per_epoch() == 2);
  Network network(graph, 12, pool);
  const Tensor gradient({graph.layout().parameter_count()});
  Oracle oracle{kind, {}, {}};
  for (int64_t step = 0; step < 4; ++step) {
    const int64_t epoch = step / 2, within = step % 2;
    CAPTURE(step);
    const Tensor states = trainer.state().states.clone();
    std::vector<double> theta = doubles(trainer.state().theta);
    const Batch batch = batch_of(images, indices_of_step(config, 20, epoch, within));
    REQUIRE(batch.labels.size() == (within == 0 ? 12 : 8));
    const BatchResult result = network.loss_and_gradient(
        gradient, batch.x, batch.labels, trainer.state().theta, states, BatchnormMode::batch);
    oracle.update(theta, gradient, config.schedule.rate(0.5 * static_cast<double>(step)), 0.02,
                  step + 1);
    const double sum_before = within == 0 ? 0 : trainer.state().epoch_sums.loss;
    trainer.step();

    double worst = 0;
    for (size_t i = 0; i < theta.size(); ++i) {
      const double error = std::abs(trainer.state().theta.data<float>()[i] - theta[i]);
      if (!(error <= worst)) worst = error;
    }
    CHECK(worst <= tolerance);
    CHECK(same_bits(states, trainer.state().states));
    CHECK(trainer.state().epoch_sums.loss ==
          sum_before + result.loss * static_cast<double>(batch.labels.size()));
    CHECK(trainer.state().epoch_sums.count == (within == 0 ? 12 : 20));
    CHECK(trainer.state().epoch == (step + 1) / 2);
    CHECK(trainer.state().step == (step + 1) % 2);
    CHECK(trainer.state().optimizer_steps == step + 1);
  }
}

}  // namespace

// Weights are at most about 1: an update in float errs by a few half ulp, 6e-8 each.
TEST_CASE("trainer: SGD's steps are Nesterov's, with momentum and weight decay") {
  check_updates(OptimizerKind::sgd, 0.1, 3e-7);
}

// Adam's quotient is about 1, of relative error a few 1e-7, times the rate 0.01.
TEST_CASE("trainer: Adam's steps are the paper's, with weight decay in the gradient") {
  check_updates(OptimizerKind::adam, 0.01, 3e-7);
}

// With a learning rate of 0 the network stands still, and an epoch's summed loss tells which images
// it has seen.
TEST_CASE("trainer: an epoch visits every image once, in another order each time") {
  const Graph graph = graph_without_batchnorm();
  const LabelledImages images = labelled_images(31, 8, 4, 2);
  TrainingConfig config = config_of(OptimizerKind::sgd, 0);
  config.augment = false;
  config.weight_decay = 0;
  ThreadPool pool(2);
  Trainer trainer(graph, config, images, pool);
  // Larger weights, so that the losses differ from image to image.
  TrainingState state = copy_of(trainer.state());
  state.theta = normals(graph.layout().parameter_count(), 3, 0.1);
  trainer.restore(state);
  const LossSums all =
      evaluate(graph, state.theta, state.states, images, LossKind::cross_entropy, pool);
  std::set<double> first_losses;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    trainer.step();
    first_losses.insert(trainer.state().epoch_sums.loss);
    trainer.step();
    trainer.step();
    REQUIRE(trainer.state().epoch == epoch + 1);
    CHECK(trainer.state().epoch_sums.loss == doctest::Approx(all.loss).epsilon(1e-6));
    CHECK(trainer.state().epoch_sums.correct == all.correct);
    CHECK(trainer.state().epoch_sums.count == 31);
  }
  CHECK(first_losses.size() == 3);
}

TEST_CASE("trainer: augmentation changes an image with the epoch, whatever batch it is in") {
  const Graph graph = graph_without_batchnorm();
  const LabelledImages images = labelled_images(31, 8, 4, 2);
  const Tensor theta = normals(graph.layout().parameter_count(), 3, 0.1);
  const auto epoch_losses = [&](bool augment, int64_t batch_size) {
    TrainingConfig config = config_of(OptimizerKind::sgd, 0);
    config.augment = augment;
    config.weight_decay = 0;
    config.batch_size = batch_size;
    ThreadPool pool(1);
    Trainer trainer(graph, config, images, pool);
    TrainingState state = copy_of(trainer.state());
    state.theta = theta.clone();
    trainer.restore(state);
    std::vector<double> losses;
    while (losses.size() < 2) {
      trainer.step();
      if (trainer.state().step == 0) losses.push_back(trainer.state().epoch_sums.loss);
    }
    return losses;
  };
  const auto near = [](double loss) { return doctest::Approx(loss).epsilon(1e-6); };
  const std::vector<double> plain = epoch_losses(false, 12), augmented = epoch_losses(true, 12);
  CHECK(plain[1] == near(plain[0]));
  CHECK(augmented[0] != near(plain[0]));
  CHECK(augmented[1] != near(plain[0]));
  CHECK(augmented[1] != near(augmented[0]));
  const std::vector<double> regrouped = epoch_losses(true, 7);
  CHECK(regrouped[0] == near(augmented[0]));
  CHECK(regrouped[1] == near(augmented[1]));
}

TEST_CASE("trainer: the same bits for any number of threads") {
  const Graph graph = residual_graph();
  const LabelledImages images = labelled_images(110, 8, 4, 3);
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
    TrainingConfig config = config_of(kind, 0.05);
    config.batch_size = 70;  // five chunks, the last one smaller
    const TrainingState one = state_after(graph, config, images, 1, 5);
    for (int threads : {2, 5})
      check_same_state(one, state_after(graph, config, images, threads, 5));
    config.seed = 6;
    CHECK(!same_bits(one.theta, state_after(graph, config, images, 2, 5).theta));
  }
}

TEST_CASE("trainer: a run restored in mid-epoch continues to the same bits") {
  const Graph graph = residual_graph();
  const LabelledImages images = labelled_images(40, 8, 4, 4);
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
    const TrainingConfig config = config_of(kind, 0.05);  // four steps an epoch
    const TrainingState whole = state_after(graph, config, images, 1, 11);
    for (int steps : {0, 1, 4, 6}) {
      CAPTURE(steps);
      const TrainingState saved = state_after(graph, config, images, 1, steps);
      const Tensor theta = saved.theta.clone();
      ThreadPool pool(2);
      Trainer trainer(graph, config, images, pool);
      trainer.step();  // a state to be forgotten
      trainer.restore(saved);
      while (trainer.state().optimizer_steps < 11) trainer.step();
      check_same_state(whole, trainer.state());
      CHECK(same_bits(theta, saved.theta));  // the trainer works on a copy
    }
  }
}

TEST_CASE("trainer: a state of another model, optimizer or data set is refused") {
  const Graph graph = residual_graph(), other = small_graph();
  const LabelledImages images = labelled_images(40, 8, 4, 4);
  const TrainingConfig config = config_of(OptimizerKind::sgd, 0.05);
  ThreadPool pool(1);
  Trainer trainer(graph, config, images, pool);
  const TrainingState own = copy_of(trainer.state());
  const auto error_with = [&](const TrainingState& state) {
    return error_of([&] { trainer.restore(state); });
  };
  CHECK(error_with(state_after(other, config, images, 1, 0)) ==
        "the saved run's weights do not fit this model and optimizer");
  const TrainingConfig adam = config_of(OptimizerKind::adam, 0.05);
  CHECK(error_with(state_after(graph, adam, images, 1, 0)) ==
        "the saved run's optimizer moments do not fit this model and optimizer");
  TrainingState beyond = own;
  beyond.step = 4;
  CHECK(error_with(beyond) ==
        "the saved run stands at step 4 of an epoch, which has only 4 steps with these images and "
        "this batch size");
  check_same_state(own, trainer.state());
}

TEST_CASE("trainer: a run that diverges stops, with the state of the step before") {
  const Graph graph = residual_graph();
  const LabelledImages images = labelled_images(40, 8, 4, 5);
  TrainingConfig config = config_of(OptimizerKind::sgd, 1e30);
  config.schedule.kind = ScheduleKind::constant;
  ThreadPool pool(2);
  Trainer trainer(graph, config, images, pool);
  trainer.step();
  TrainingState before = copy_of(trainer.state());
  const std::string error = error_of([&] { trainer.step(); });
  CHECK_MESSAGE(error.starts_with("training diverged: the loss is "), error);
  CHECK_MESSAGE(error.ends_with(" in epoch 1, step 2; try a smaller learning rate"), error);
  check_same_state(before, trainer.state());

  // Between two epochs the finished epoch's sums are part of that state.
  before.step = 0;
  before.epoch = 1;
  trainer.restore(before);
  CHECK(
      error_of([&] { trainer.step(); }).ends_with("epoch 2, step 1; try a smaller learning rate"));
  check_same_state(before, trainer.state());
}

TEST_CASE("trainer: a small ResNet learns 64 images by heart") {
  const Graph graph = build_model({.name = "resnet8", .width = 8, .classes = 4, .image_size = 12});
  const LabelledImages images = labelled_images(64, 12, 4, 6);
  TrainingConfig config;
  config.epochs = 20;
  config.batch_size = 32;
  config.schedule = {.kind = ScheduleKind::cosine, .base = 0.05, .epochs = 20};
  config.augment = false;
  ThreadPool pool(2);
  Trainer trainer(graph, config, images, pool);
  trainer.step();
  const double first = trainer.state().epoch_sums.mean();
  CHECK(first > 1.2);  // about log 4 = 1.39 before it has learned anything
  CHECK(first < 1.6);
  while (!trainer.finished()) trainer.step();
  CHECK(trainer.state().optimizer_steps == 40);
  const LossSums sums = evaluate(graph, trainer.state().theta, trainer.state().states, images,
                                 LossKind::cross_entropy, pool);
  CHECK(sums.accuracy() > 95);
  CHECK(sums.mean() < 0.5 * first);
  CHECK(error_of([&] { trainer.step(); }) == "this run has finished its 20 epochs");
}

TEST_CASE("trainer: no images are refused") {
  const Graph graph = small_graph();
  LabelledImages none = labelled_images(4, 8, 4, 1);
  none.images = none.images.rows(0, 0);
  none.labels = none.labels.rows(0, 0);
  ThreadPool pool(1);
  CHECK(error_of([&] { Trainer(graph, TrainingConfig(), none, pool); }) == "no images to train on");
}

namespace {

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments_of(const float* values, int64_t count) {
  Moments m;
  for (int64_t i = 0; i < count; ++i) m.mean += values[i] / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i)
    m.deviation += (values[i] - m.mean) * (values[i] - m.mean) / static_cast<double>(count - 1);
  m.deviation = std::sqrt(m.deviation);
  return m;
}

}  // namespace

// A sample of n normals has a mean within 4 / sqrt(n) deviations of 0 and a deviation within 4 /
// sqrt(2 n) of the true one, but for one sample in 16,000.
TEST_CASE("initialise: the reference's distributions, layer by layer") {
  const Graph graph = build_model({.name = "resnet14", .width = 8});
  const ParameterLayout& layout = graph.layout();
  const Tensor theta = normals(layout.parameter_count(), 1), states = theta.clone();
  const Tensor own_states = states.slice(0, {layout.state_count()});
  initialise(layout, 1, theta, own_states);
  for (const ParameterEntry& entry : layout.state_dict()) {
    CAPTURE(entry.name);
    const float* w = (is_state(entry.kind) ? own_states : theta).data<float>() + entry.offset;
    const auto all_are = [&](float value) {
      return std::all_of(w, w + entry.size(), [&](float x) { return x == value; });
    };
    if (entry.is_weight()) {
      const double inputs = static_cast<double>(entry.size() / entry.shape[0]);
      const double expected =
          entry.kind == ParameterKind::conv_weight ? std::sqrt(2 / inputs) : 1e-3;
      const double n = static_cast<double>(entry.size());
      const Moments m = moments_of(w, entry.size());
      CHECK(std::abs(m.mean) <= 4 * expected / std::sqrt(n));
      CHECK(std::abs(m.deviation / expected - 1) <= 4 / std::sqrt(2 * n));
    } else if (entry.kind == ParameterKind::bn_scale || entry.kind == ParameterKind::bn_variance) {
      CHECK(all_are(1));
    } else {
      CHECK(all_are(0));
    }
  }
}

TEST_CASE("initialise: a seed gives the same bits, another seed and every layer others") {
  const Graph graph = residual_graph();
  const ParameterLayout& layout = graph.layout();
  const auto weights = [&](uint64_t seed) {
    const Tensor theta({layout.parameter_count()}), states({layout.state_count()});
    initialise(layout, seed, theta, states);
    return theta;
  };
  const Tensor one = weights(1);
  CHECK(same_bits(one, weights(1)));
  CHECK(!same_bits(one, weights(2)));
  std::set<float> first;
  int64_t tensors = 0;
  for (const ParameterEntry& entry : layout.parameters())
    if (entry.kind == ParameterKind::conv_weight) {
      // In units of the layer's deviation: streams that repeat would show.
      first.insert(one.data<float>()[entry.offset] *
                   std::sqrt(static_cast<float>(entry.filter_size())));
      ++tensors;
    }
  CHECK(static_cast<int64_t>(first.size()) == tensors);
}
