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
Graph trained_graph() {
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

/// Dropouts of every kind, one before a BatchNorm, one around which a shortcut leads.
Graph dropout_graph() {
  Graph g({8, 8, 3});
  Value x = g.dropout(g.conv(g.input(), 6), {.probability = 0.2});
  x = g.relu(g.batchnorm(x));
  const Value y = g.dropout(g.conv(x, 6), {.probability = 0.3, .unit = DropoutUnit::channel});
  x = g.add(x, g.dropout(g.relu(y), {.probability = 0.4, .unit = DropoutUnit::image}));
  g.set_output(g.linear(g.dropout(g.global_average_pool(x)), 4));
  return g;
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
  TrainingConfig config;
  std::vector<bool> is_weight;
  std::vector<double> m, v;

  Oracle(const TrainingConfig& config_of_run, const ParameterLayout& layout)
      : config(config_of_run),
        is_weight(at(layout.parameter_count())),
        m(is_weight.size()),
        v(is_weight.size()) {
    for (const ParameterEntry& entry : layout.parameters())
      for (int64_t i = 0; i < entry.size(); ++i)
        is_weight[at(entry.offset + i)] = entry.name.ends_with("weight") && entry.shape.rank() > 1;
  }

  void update(std::vector<double>& theta, const Tensor& gradient, double rate, int64_t step) {
    const double b1 = config.beta1, b2 = config.beta2, n = static_cast<double>(step);
    for (size_t i = 0; i < theta.size(); ++i) {
      const bool decays = config.decay_scope == DecayScope::all || is_weight[i];
      const double decay = decays ? config.weight_decay * theta[i] : 0;
      double g = gradient.data<float>()[i];
      if (config.optimizer == OptimizerKind::adamw)
        theta[i] -= rate * decay;
      else
        g += decay;
      if (config.optimizer == OptimizerKind::sgd) {
        m[i] = step == 1 ? g : 0.9 * m[i] + g;
        theta[i] -= rate * (g + 0.9 * m[i]);
      } else {
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        theta[i] -= rate * (m[i] / (1 - std::pow(b1, n))) /
                    (std::sqrt(v[i] / (1 - std::pow(b2, n))) + config.epsilon);
      }
    }
  }
};

/// Steps of a trainer, among them the smaller last batch of an epoch, against the oracle on the
/// gradients that Network gives.
void check_updates(TrainingConfig config, double tolerance) {
  const Graph graph = trained_graph();
  const LabelledImages images = labelled_images(20, 8, 4, 1);
  config.augment = false;
  ThreadPool pool(1);
  Trainer trainer(graph, config, images, pool);
  REQUIRE(trainer.steps_per_epoch() == 2);
  Network network(graph, 12, pool);
  const Tensor gradient({graph.layout().parameter_count()});
  Oracle oracle(config, graph.layout());
  for (int64_t step = 0; step < 4; ++step) {
    const int64_t epoch = step / 2, within = step % 2;
    CAPTURE(step);
    const Tensor running_stats = trainer.state().running_stats.clone();
    std::vector<double> theta = doubles(trainer.state().theta);
    const Batch batch = batch_of(images, indices_of_step(config, 20, epoch, within));
    REQUIRE(batch.labels.size() == (within == 0 ? 12 : 8));
    const BatchResult result =
        network.loss_and_gradient(gradient, batch.x, batch.labels, trainer.state().theta,
                                  running_stats, BatchnormMode::batch, config.loss);
    oracle.update(theta, gradient, config.schedule.rate(0.5 * static_cast<double>(step)), step + 1);
    const double sum_before = within == 0 ? 0 : trainer.state().epoch_sums.loss;
    trainer.step();

    CHECK(worst_difference(trainer.state().theta, theta) <= tolerance);
    CHECK(same_bits(running_stats, trainer.state().running_stats));
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
  TrainingConfig config = config_of(OptimizerKind::sgd, 0.1);
  config.weight_decay = 0.02;
  check_updates(config, 3e-7);
  config.decay_scope = DecayScope::weights;
  config.weight_decay = 0.5;  // BatchNorm's scales would lose a twentieth in the first step
  check_updates(config, 3e-7);
}

// Adam's quotient is about 1, of relative error a few 1e-7, times the rate 0.01.
TEST_CASE("trainer: Adam's steps are the paper's, with weight decay in the gradient") {
  TrainingConfig config = config_of(OptimizerKind::adam, 0.01);
  config.weight_decay = 0.02;
  check_updates(config, 3e-7);
  config.beta1 = 0.7;
  config.beta2 = 0.9;
  config.epsilon = 1e-3;
  check_updates(config, 3e-7);
}

TEST_CASE("trainer: AdamW's decay is apart from the gradient, on all parameters or on weights") {
  TrainingConfig config = config_of(OptimizerKind::adamw, 0.01);
  config.weight_decay = 0.5;
  check_updates(config, 3e-7);
  config.decay_scope = DecayScope::weights;
  check_updates(config, 3e-7);
}

TEST_CASE("trainer: label smoothing is trained on") {
  TrainingConfig config = config_of(OptimizerKind::sgd, 0.1);
  config.loss = {LossKind::cross_entropy, 0.2};
  check_updates(config, 3e-7);
}

namespace {

/// One more value of an average in double.
void average_in(std::vector<double>& average, const Tensor& value, double weight) {
  average.resize(at(value.size()));
  for (int64_t i = 0; i < value.size(); ++i)
    average[at(i)] += weight * (value.data<float>()[i] - average[at(i)]);
}

}  // namespace

// Weights and statistics are at most about 1; every step rounds an average twice, to 6e-8 each.
TEST_CASE("trainer: the averages of the weights are their formulas'") {
  const Graph graph = residual_graph();
  const LabelledImages images = labelled_images(40, 8, 4, 4);
  TrainingConfig config = config_of(OptimizerKind::sgd, 0.05);  // four steps an epoch, four epochs
  config.ema_decay = 0.8;
  config.swa_start = 2;
  ThreadPool pool(2);
  Trainer trainer(graph, config, images, pool);
  CHECK(error_of([&] { trainer.swa_states(); }) == "no epoch's weights have been averaged yet");
  std::vector<double> ema_theta, ema_states, swa_theta;
  while (!trainer.finished()) {
    trainer.step();
    const TrainingState& state = trainer.state();
    const double weight = state.optimizer_steps == 1 ? 1 : 0.2;
    average_in(ema_theta, state.theta, weight);
    average_in(ema_states, state.running_stats, weight);
    if (state.step == 0 && state.epoch >= 2)
      average_in(swa_theta, state.theta, 1.0 / static_cast<double>(state.epoch - 1));
    if (state.optimizer_steps == 1) CHECK(same_bits(state.ema_theta, state.theta));
    CHECK(worst_difference(state.ema_theta, ema_theta) <= 6e-7);
    CHECK(worst_difference(state.ema_states, ema_states) <= 2e-6);
    CHECK(state.swa_count == std::max<int64_t>(0, state.epoch - 1));
  }
  CHECK(trainer.state().swa_count == 3);
  CHECK(worst_difference(trainer.state().swa_theta, swa_theta) <= 4e-7);
  CHECK(!same_bits(trainer.state().ema_theta, trainer.state().theta));
  // They do not change the run.
  TrainingConfig plain = config;
  plain.ema_decay = 0;
  plain.swa_start = 0;
  const TrainingState without = state_after(graph, plain, images, 1, 16);
  CHECK(same_bits(without.theta, trainer.state().theta));
  CHECK(same_bits(without.running_stats, trainer.state().running_stats));
}

// A learning rate of 0 lets the network stand still, and an epoch's summed loss tells which images
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
      evaluate(graph, state.theta, state.running_stats, images, LossKind::cross_entropy, pool);
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
  const LabelledImages images = labelled_images(110, 8, 4, 3);
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
    const Graph graph = kind == OptimizerKind::sgd ? residual_graph() : dropout_graph();
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
  const LabelledImages images = labelled_images(40, 8, 4, 4);
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    const Graph graph = kind == OptimizerKind::sgd ? residual_graph() : dropout_graph();
    TrainingConfig config = config_of(kind, 0.05);  // four steps an epoch
    config.ema_decay = 0.9;
    config.swa_start = 1;
    const TrainingState whole = state_after(graph, config, images, 1, 11);
    for (int steps : {0, 1, 4, 6}) {
      CAPTURE(steps);
      const TrainingState saved = state_after(graph, config, images, 1, steps);
      const TrainingState untouched = copy_of(saved);
      ThreadPool pool(2);
      Trainer trainer(graph, config, images, pool);
      trainer.step();  // a state to be forgotten
      trainer.restore(saved);
      while (trainer.state().optimizer_steps < 11) trainer.step();
      check_same_state(whole, trainer.state());
      check_same_state(untouched, saved);  // the trainer works on a copy
    }
  }
}

TEST_CASE("trainer: a state of another model, optimizer or data set is refused") {
  const Graph graph = residual_graph(), other = trained_graph();
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
  TrainingConfig averaging = config;
  averaging.swa_start = 1;
  CHECK(error_with(state_after(graph, averaging, images, 1, 0)) ==
        "the saved run's averaged weights do not fit this model and optimizer");
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
  const LossSums sums = evaluate(graph, trainer.state().theta, trainer.state().running_stats,
                                 images, LossKind::cross_entropy, pool);
  CHECK(sums.accuracy() > 95);
  CHECK(sums.mean() < 0.5 * first);
  CHECK(error_of([&] { trainer.step(); }) == "this run has finished its 20 epochs");
}

TEST_CASE("trainer: no images are refused") {
  const Graph graph = trained_graph();
  LabelledImages none = labelled_images(4, 8, 4, 1);
  none.images = none.images.rows(0, 0);
  none.labels = none.labels.rows(0, 0);
  ThreadPool pool(1);
  CHECK(error_of([&] { Trainer(graph, TrainingConfig(), none, pool); }) == "no images to train on");
}
