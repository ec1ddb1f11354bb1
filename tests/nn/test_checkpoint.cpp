// Checkpoints: what is written is what is read, to the bit; what does not belong is refused by
// name.
#include "nn/checkpoint.h"

#include <unistd.h>

#include <limits>

#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A convolution of which no two extents are alike, BatchNorm, a classifier.
Graph small_graph() {
  Graph g({8, 8, 3});
  const Value x = g.relu(g.batchnorm(g.conv(g.input(), 5, {.kernel = 2})));
  g.set_output(g.linear(g.global_average_pool(x), 4, "fc"));
  return g;
}

CheckpointInfo some_info() {
  return {.model = R"({"name":"small \"net\""})",
          .normalisation = {{125.3 / 255, 123.0 / 255, 0.1 + 0.2}, {63.0 / 255, 1.0 / 3, 5e-324}},
          .config = R"({"epochs":7})",
          .notes = {{"version", "0.1"}, {"command", "train --lr 0.1"}, {"empty", ""}}};
}

/// Random tensors, among them numbers that text would lose.
TrainingState some_state(const ParameterLayout& layout, bool adam) {
  using Limits = std::numeric_limits<float>;
  TrainingState state;
  const int64_t n = layout.parameter_count();
  state.theta = normals(n, 1);
  state.running_stats = normals(layout.state_count(), 2);
  state.momentum = normals(n, 3, 1e-20);
  if (adam) {  // and everything else that a run may keep
    state.second_moment = normals(n, 4, 1e-38);
    state.ema_theta = normals(n, 5);
    state.ema_states = normals(layout.state_count(), 6);
    state.swa_theta = normals(n, 7);
    state.swa_count = 9;
  }
  const float odd[] = {Limits::denorm_min(), -0.0f,         Limits::infinity(),
                       Limits::quiet_NaN(),  Limits::max(), 0.1f};
  std::copy(std::begin(odd), std::end(odd), state.theta.data<float>() + 7);
  state.epoch = 3;
  state.step = 77;
  state.optimizer_steps = (int64_t{1} << 53) + 1;  // no double holds it
  state.epoch_sums.loss = 0.1 + 0.2;
  state.epoch_sums.correct = 12345;
  state.epoch_sums.count = 54321;
  return state;
}

/// A checkpoint file of Adam's, as its tensors and metadata, to be damaged and written again.
class Damaged {
 public:
  explicit Damaged(bool with_training_state = true) {
    write_checkpoint(path, layout(), some_state(layout(), true), some_info(), with_training_state);
    file = read_safetensors(path);
  }
  const ParameterLayout& layout() const { return graph_.layout(); }
  std::string error_of_weights() {
    write_safetensors(path, file);
    return error_of([&] { Checkpoint::read(path).weights(layout()); });
  }
  std::string error_of_training_state() {
    write_safetensors(path, file);
    return error_of([&] { Checkpoint::read(path).training_state(layout()); });
  }

 private:
  const TemporaryFolder folder_;
  const Graph graph_ = small_graph();

 public:
  const std::string path = folder_.file("a.safetensors");
  SafetensorsFile file;
};

const std::string kModel = some_info().model;

}  // namespace

TEST_CASE("checkpoint: training state and information come back to the bit") {
  const TemporaryFolder folder;
  const std::string path = folder.file("last.safetensors");
  const Graph graph = small_graph();
  for (bool adam : {false, true}) {
    const TrainingState state = some_state(graph.layout(), adam);
    write_checkpoint(path, graph.layout(), state, some_info(), true);
    const Checkpoint checkpoint = Checkpoint::read(path);
    CHECK(checkpoint.has_training_state());
    CHECK(checkpoint.info().model == some_info().model);
    CHECK(checkpoint.info().normalisation == some_info().normalisation);
    CHECK(checkpoint.info().config == some_info().config);
    CHECK(checkpoint.info().notes == some_info().notes);
    const TrainingState back = checkpoint.training_state(graph.layout());
    check_same_state(state, back);
    CHECK(weights_hash(state.theta, state.running_stats) ==
          weights_hash(back.theta, back.running_stats));
  }
  CHECK(folder.files() == 1);
}

TEST_CASE("checkpoint: weights alone come back to the bit, and nothing continues from them") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.safetensors");
  const Graph graph = small_graph();
  const TrainingState state = some_state(graph.layout(), true);
  CheckpointInfo info = some_info();
  info.config.clear();  // as an imported network
  write_checkpoint(path, graph.layout(), state, info, false);
  const Checkpoint checkpoint = Checkpoint::read(path);
  CHECK(!checkpoint.has_training_state());
  CHECK(checkpoint.info().config.empty());
  CHECK(read_safetensors(path).tensors.size() == graph.layout().state_dict().size());
  const ModelState back = checkpoint.weights(graph.layout());
  CHECK(same_bits(back.theta, state.theta));
  CHECK(same_bits(back.running_stats, state.running_stats));
  CHECK(error_of([&] { checkpoint.training_state(graph.layout()); }) ==
        path + " holds weights only: training cannot continue from it (the run's " +
            "last.safetensors can)");
}

TEST_CASE("checkpoint: on disk, tensors have PyTorch's names and order (OIHW)") {
  Damaged checkpoint;
  const ParameterEntry& entry = checkpoint.layout().parameters()[0];
  REQUIRE(entry.shape == Shape{5, 2, 2, 3});  // OHWI
  const TrainingState state = some_state(checkpoint.layout(), true);
  const auto check_order = [&](const std::string& name, const Tensor& flat) {
    CAPTURE(name);
    REQUIRE(checkpoint.file.tensors.contains(name));
    const Tensor tensor = checkpoint.file.tensors.at(name);
    REQUIRE(tensor.shape() == Shape{5, 3, 2, 2});
    const int64_t o = 3, i = 2, h = 1, w = 0;
    CHECK(tensor.data<float>()[((o * 3 + i) * 2 + h) * 2 + w] ==
          flat.data<float>()[entry.offset + ((o * 2 + h) * 2 + w) * 3 + i]);
  };
  check_order("conv1.weight", state.theta);
  check_order("optimizer.momentum.conv1.weight", state.momentum);
  check_order("optimizer.second_moment.conv1.weight", state.second_moment);
  check_order("average.ema.conv1.weight", state.ema_theta);
  check_order("average.swa.conv1.weight", state.swa_theta);
  for (const char* name : {"bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var",
                           "fc.weight", "fc.bias", "optimizer.momentum.bn1.bias"})
    CHECK(checkpoint.file.tensors.contains(name));
  CHECK(!checkpoint.file.tensors.contains("optimizer.momentum.bn1.running_mean"));
  CHECK(checkpoint.file.tensors.at("fc.weight").shape() == Shape{4, 5});
}

TEST_CASE("checkpoint: a tensor that is missing is named") {
  for (const char* name : {"conv1.weight", "bn1.running_var", "fc.bias"}) {
    Damaged checkpoint;
    checkpoint.file.tensors.erase(name);
    CHECK(checkpoint.error_of_weights() == checkpoint.path + " has no tensor '" + name +
                                               "': it was made for another model than " + kModel);
  }
  for (const char* name : {"optimizer.momentum.bn1.weight", "optimizer.second_moment.fc.weight",
                           "average.ema.bn1.running_mean", "average.swa.fc.bias"}) {
    Damaged checkpoint;
    checkpoint.file.tensors.erase(name);
    CHECK(checkpoint.error_of_weights() == "no error");  // the network itself is whole
    CHECK(checkpoint.error_of_training_state() == checkpoint.path + " has no tensor '" + name +
                                                      "': it was made for another model than " +
                                                      kModel);
  }
}

TEST_CASE("checkpoint: a tensor too many is named") {
  Damaged checkpoint;
  checkpoint.file.tensors.emplace("layer9.weight", Tensor::zeros({2}));
  const std::string error =
      checkpoint.path + ": the model " + kModel + " has no tensor 'layer9.weight'";
  CHECK(checkpoint.error_of_weights() == error);
  CHECK(checkpoint.error_of_training_state() == error);
}

TEST_CASE("checkpoint: a tensor of another shape or type is named") {
  Damaged shape;
  // As many numbers, but our order, not PyTorch's.
  shape.file.tensors.at("conv1.weight") = Tensor::zeros({5, 2, 2, 3});
  CHECK(shape.error_of_weights() ==
        shape.path + ": 'conv1.weight' is [5x2x2x3], the model " + kModel + " has [5x3x2x2]");
  Damaged momentum;
  momentum.file.tensors.at("optimizer.momentum.fc.bias") = Tensor::zeros({5});
  CHECK(momentum.error_of_training_state() == momentum.path +
                                                  ": 'optimizer.momentum.fc.bias' is [5], " +
                                                  "the model " + kModel + " has [4]");
  Damaged type;
  type.file.tensors.at("fc.bias") = Tensor::zeros({4}, DType::f64);
  CHECK(type.error_of_weights() == type.path + ": 'fc.bias' holds f64, a checkpoint f32");
}

TEST_CASE("checkpoint: progress and normalisation that cannot be read are errors") {
  for (const char* progress : {"", "{", "[]", R"({"epoch":1})", R"({"epoch":"one"})"}) {
    CAPTURE(progress);
    Damaged checkpoint;
    checkpoint.file.metadata["progress"] = progress;
    const std::string error = checkpoint.error_of_training_state();
    CHECK_MESSAGE(error.starts_with(checkpoint.path + ": its training state cannot be read: "),
                  error);
  }
  for (const char* normalisation : {"", "null", R"({"mean":[1]})", R"({"mean":1,"std":2})"}) {
    CAPTURE(normalisation);
    Damaged checkpoint;
    checkpoint.file.metadata["normalisation"] = normalisation;
    const std::string error = checkpoint.error_of_weights();
    CHECK_MESSAGE(error.starts_with(checkpoint.path + ": its normalisation cannot be read: "),
                  error);
  }
}

TEST_CASE("checkpoint: other safetensors files are refused") {
  Damaged checkpoint;
  const std::string error = checkpoint.path +
                            " is a safetensors file, but not a Topograd checkpoint; make one with "
                            "train or apps/import_torch.py";
  checkpoint.file.metadata["format"] = "pt";
  CHECK(checkpoint.error_of_weights() == error);
  checkpoint.file.metadata.clear();
  CHECK(checkpoint.error_of_weights() == error);
}

TEST_CASE("checkpoint: a path that cannot be written leaves the old file") {
  const TemporaryFolder folder;
  const std::string path = folder.file("last.safetensors");
  const Graph graph = small_graph();
  const TrainingState state = some_state(graph.layout(), false);
  write_checkpoint(path, graph.layout(), state, some_info(), true);
  const std::string old = folder.read("last.safetensors");
  // A folder where the lock should go: nobody can write there, not even root.
  const std::string obstacle = folder.file(".last.safetensors.lock");
  std::filesystem::create_directory(obstacle);
  TrainingState later = copy_of(state);
  later.step = 78;
  CHECK(error_of([&] {
          write_checkpoint(path, graph.layout(), later, some_info(), true);
        }).starts_with("cannot write " + path + ": "));
  CHECK(folder.read("last.safetensors") == old);
  std::filesystem::remove_all(obstacle);
  write_checkpoint(path, graph.layout(), later, some_info(), true);
  CHECK(Checkpoint::read(path).training_state(graph.layout()).step == 78);
  CHECK(folder.files() == 1);
}

TEST_CASE("checkpoint: a run that goes through a file continues to the same bits") {
  const TemporaryFolder folder;
  const Graph graph = small_graph();
  const LabelledImages images = labelled_images(40, 8, 4, 1);
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
    TrainingConfig config;
    config.epochs = 3;
    config.batch_size = 16;
    config.optimizer = kind;
    config.schedule = {.kind = ScheduleKind::cosine, .base = 0.02, .epochs = 3};
    if (kind == OptimizerKind::adam) {
      config.ema_decay = 0.9;
      config.swa_start = 1;
    }
    ThreadPool pool(1);
    Trainer whole(graph, config, images, pool), second(graph, config, images, pool);
    const std::string path = folder.file(name_of(kind));
    for (int step = 0; step < 7; ++step) {
      if (step == 5) write_checkpoint(path, graph.layout(), whole.state(), some_info(), true);
      whole.step();
    }
    second.restore(Checkpoint::read(path).training_state(graph.layout()));
    second.step();
    second.step();
    check_same_state(whole.state(), second.state());
  }
}
