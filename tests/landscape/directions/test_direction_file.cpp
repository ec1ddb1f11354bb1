#include "landscape/directions/direction_file.h"
#include "landscape/results/hdf5_file.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Direction random_state_direction(const ParameterLayout& layout, uint64_t seed) {
  return {random_vector(layout.parameter_count(), seed), random_vector(layout.state_count(), seed)};
}

/// ResNet-56 of the paper: option B, BatchNorm after each convolution.
ParameterLayout resnet56_layout() {
  ParameterLayout layout;
  const auto add_convolution = [&](const std::string& conv, const std::string& bn, int64_t inputs,
                                   int64_t outputs, int64_t size) {
    layout.add(conv + ".weight", ParameterKind::conv_weight, {outputs, size, size, inputs});
    layout.add(bn + ".weight", ParameterKind::norm_scale, {outputs});
    layout.add(bn + ".bias", ParameterKind::norm_shift, {outputs});
  };
  add_convolution("conv1", "bn1", 3, 16, 3);
  int64_t inputs = 16;
  for (int stage = 1; stage <= 3; ++stage) {
    const int64_t outputs = int64_t{8} << stage;
    for (int block = 0; block < 9; ++block) {
      const std::string name = text("layer", stage, ".", block, ".");
      add_convolution(name + "conv1", name + "bn1", inputs, outputs, 3);
      add_convolution(name + "conv2", name + "bn2", outputs, outputs, 3);
      if (inputs != outputs)
        add_convolution(name + "shortcut.0", name + "shortcut.1", inputs, outputs, 1);
      inputs = outputs;
    }
  }
  layout.add("linear.weight", ParameterKind::linear_weight, {10, 64});
  layout.add("linear.bias", ParameterKind::bias, {10});
  return layout;
}

}  // namespace

TEST_CASE("direction file: weights in parameter order, convolutions as OIHW") {
  const TemporaryFolder folder;
  const ParameterLayout layout = small_layout();
  const Direction x{random_vector(layout.parameter_count(), 1), {}};
  const Direction y{random_vector(layout.parameter_count(), 2), {}};
  write_directions(folder.file("d.h5"), layout, DirectionType::weights, x, y, {{"seed", "7"}});
  CHECK(folder.files() == 1);

  const Hdf5File file = Hdf5File::open_read(folder.file("d.h5"));
  CHECK(file.attributes().at("seed") == "7");
  CHECK(file.members("xdirection").size() == layout.parameters().size());
  REQUIRE(file.shape("xdirection/0") == Shape{4, 5, 3, 2});  // OHWI: 4, 3, 2, 5
  const std::vector<float> conv = file.read<float>("xdirection/0");
  for (int64_t o = 0; o < 4; ++o)
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t h = 0; h < 3; ++h)
        for (int64_t w = 0; w < 2; ++w)
          CHECK(conv[static_cast<size_t>(((o * 5 + i) * 3 + h) * 2 + w)] ==
                x.parameters.data<float>()[((o * 3 + h) * 2 + w) * 5 + i]);
  CHECK(file.shape("ydirection/6") == Shape{3, 7});

  const Directions read = read_directions(folder.file("d.h5"), layout, DirectionType::weights);
  CHECK(same_values(read.x.parameters, x.parameters));
  REQUIRE(read.y);
  CHECK(same_values(read.y->parameters, y.parameters));
  CHECK_FALSE(read.x.running_stats.defined());
}

TEST_CASE("direction file: states in state_dict order, and no y for a line") {
  const TemporaryFolder folder;
  const std::string path = folder.file("d.h5");
  const ParameterLayout layout = small_layout();
  const Direction x = random_state_direction(layout, 3);
  write_directions(path, layout, DirectionType::states, x);
  const Hdf5File file = Hdf5File::open_read(path);
  CHECK(file.members("xdirection").size() == layout.state_dict().size());
  CHECK(file.read<float>("xdirection/3")[1] ==
        x.running_stats.data<float>()[1]);  // bn1.running_mean
  const Directions read = read_directions(path, layout, DirectionType::states);
  CHECK(same_values(read.x.parameters, x.parameters));
  CHECK(same_values(read.x.running_stats, x.running_stats));
  CHECK_FALSE(read.y);
  CHECK_THROWS_AS(write_directions(path, layout, DirectionType::states, {x.parameters, {}}), Error);
}

TEST_CASE("direction file: num_batches_tracked after each running variance is skipped") {
  const TemporaryFolder folder;
  const std::string path = folder.file("d.h5");
  const ParameterLayout layout = small_layout();
  const Direction x = random_state_direction(layout, 4);
  write_directions(folder.file("plain.h5"), layout, DirectionType::states, x);
  const Hdf5File plain = Hdf5File::open_read(folder.file("plain.h5"));
  Hdf5File file = Hdf5File::create(path);
  int next = 0;
  for (size_t i = 0; i < layout.state_dict().size(); ++i) {
    const std::string name = text("xdirection/", i);
    file.write(text("xdirection/", next++), plain.read<float>(name).data(), plain.shape(name));
    const uint8_t batches = 93;
    if (layout.state_dict()[i].kind == ParameterKind::bn_variance)
      file.write(text("xdirection/", next++), &batches, {});
  }
  file.close();
  const Directions read = read_directions(path, layout, DirectionType::states);
  CHECK(same_values(read.x.parameters, x.parameters));
  CHECK(same_values(read.x.running_stats, x.running_stats));
}

TEST_CASE("direction file: what does not fit the model is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("d.h5");
  const ParameterLayout layout = small_layout();
  const auto refuses = [&](const std::string& message) {
    CHECK_THROWS_WITH_AS(read_directions(path, layout, DirectionType::weights), message.c_str(),
                         Error);
  };
  ParameterLayout other;
  other.add("conv1.weight", ParameterKind::conv_weight, {4, 3, 3, 5});
  write_directions(path, other, DirectionType::weights, {random_vector(180, 1), {}});
  refuses(path +
          " holds 1 tensors in xdirection, the model has 8 (weights): it was made for another "
          "network or another type of direction");
  for (size_t i = 1; i < layout.parameters().size(); ++i)
    other.add(text(i), ParameterKind::bias, {1});
  write_directions(path, other, DirectionType::weights, {random_vector(187, 1), {}});
  refuses(path +
          ": xdirection/0 has the shape [4x5x3x3], conv1.weight has [4x5x3x2]: the file was "
          "made for another network");
  const Tensor bad = random_vector(layout.parameter_count(), 1);
  bad.data<float>()[122] = std::nanf("");
  write_directions(path, layout, DirectionType::weights, {bad, {}});
  refuses(path + ": xdirection/1 (bn1.weight) holds a value that is not finite");
  Hdf5File::create(path).close();
  refuses(path + " holds no xdirection: it is not a direction file");
}

TEST_CASE("direction file: the authors' directions for ResNet-56") {
  const std::string path = shared_file("golden/resnet56_directions.h5");
  if (path.empty()) return;
  const ParameterLayout layout = resnet56_layout();
  REQUIRE(layout.parameter_count() == 855770);
  const Directions read = read_directions(path, layout, DirectionType::weights);
  REQUIRE(read.y);
  // 855,770 random numbers: a cosine beyond 5 deviations would be no accident.
  CHECK(std::abs(cosine(read.x, *read.y)) <= 5 / std::sqrt(855770.0));
  const TemporaryFolder folder;
  write_directions(folder.file("d.h5"), layout, DirectionType::weights, read.x, read.y);
  const Hdf5File golden = Hdf5File::open_read(path);
  const Hdf5File ours = Hdf5File::open_read(folder.file("d.h5"));
  for (const std::string group : {"xdirection", "ydirection"}) {
    REQUIRE(ours.members(group) == golden.members(group));
    for (const std::string& name : golden.members(group)) {
      CHECK(ours.shape(group + "/" + name) == golden.shape(group + "/" + name));
      CHECK(ours.read<float>(group + "/" + name) == golden.read<float>(group + "/" + name));
    }
  }
}
