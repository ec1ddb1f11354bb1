// Published networks and the reference implementation's own surfaces, reproduced. What this needs
// is too large for a repository; three environment variables say where it is:
//   TOPOGRAD_SHARED   a folder with weights/*/*_test_logits.npy and golden/*.h5
//   TOPOGRAD_CIFAR10  CIFAR-10, binary version, unpacked
//   TOPOGRAD_WEIGHTS  the networks as apps/import_torch.py converts them, <name>.safetensors
// Where TOPOGRAD_SHARED is not set, or names no folder, a test says SKIPPED, which ctest reports; where
// it is there, a missing file is a failure. TOPOGRAD_TEST_DEVICES chooses among cpu and cuda.
// TOPOGRAD_TEST_PUBLISHED=sample takes the first 2,000 test images, whose errors and loss follow from
// PyTorch's logits, and five points of a surface: a fifth of the time.
#include <iostream>

#include "apps/common/model_file.h"
#include "kernels/tile_conv/tile_conv.h"
#include "landscape/evaluation/evaluator.h"
#include "landscape/surface/surface.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Progress, at once: what goes into a pipe is otherwise held back until the end.
template <class... Parts>
void say(const Parts&... parts) {
  MESSAGE(text(parts...));
  std::cout.flush();
}

/// Whether a fifth of the work is asked for.
bool is_sample() {
  const char* extent = std::getenv("TOPOGRAD_TEST_PUBLISHED");
  return extent && std::string_view(extent) == "sample";
}

/// The file `name` in the folder that a variable names; empty, with a message, where this machine has
/// no such files at all. Fails the test where it has and this one is missing.
std::string file_from(const std::string& variable, const std::string& name) {
  const char* folder = std::getenv(variable.c_str());
  const std::string path = folder ? std::string(folder) + "/" + name : "";
  if (folder && std::filesystem::exists(path)) return path;
  const char* shared = std::getenv("TOPOGRAD_SHARED");
  REQUIRE_MESSAGE((!shared || !std::filesystem::exists(shared)), "TOPOGRAD_SHARED is ", shared,
                  ", but ", variable, " names no folder that holds ", name);
  say("SKIPPED: ", variable, " names no folder that holds ", name);
  return {};
}

/// Both splits of CIFAR-10, read once; null, with a message, where they are missing.
const DataSplits* cifar10() {
  static const auto data = [] {
    const std::string batch = file_from("TOPOGRAD_CIFAR10", "test_batch.bin");
    if (batch.empty()) return std::unique_ptr<const DataSplits>();
    DataSpec spec;
    spec.source = std::filesystem::path(batch).parent_path().string();
    return std::make_unique<const DataSplits>(load_data(spec));
  }();
  return data.get();
}

/// NumPy's format, version 1: magic, header length, a Python dictionary, the numbers.
Tensor read_npy(const std::string& path, int64_t rows, int64_t columns) {
  const std::string bytes = contents(path);
  REQUIRE_MESSAGE((bytes.size() > 10 && bytes.compare(0, 8, "\x93NUMPY\x01\x00", 8) == 0), path);
  const size_t start = 10 + static_cast<uint8_t>(bytes[8]) + 256 * static_cast<uint8_t>(bytes[9]);
  const std::string header = bytes.substr(10, start - 10);
  for (const std::string& part : {std::string("'descr': '<f4'"), std::string("_order': False"),
                                  text("'shape': (", rows, ", ", columns, ")")})
    REQUIRE_MESSAGE(header.find(part) != std::string::npos, path, " has the header ", header);
  const Tensor values({rows, columns});
  REQUIRE(bytes.size() == start + static_cast<size_t>(values.bytes()));
  std::copy_n(bytes.data() + start, values.bytes(), static_cast<char*>(values.raw()));
  return values;
}

/// NaN wherever anything is not a number.
double largest_difference(const Tensor& a, const Tensor& b) {
  double worst = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double difference =
        std::abs(static_cast<double>(a.data<float>()[i]) - b.data<float>()[i]);
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

struct Published {
  std::string name;
  std::string logits;
  int64_t wrong;  ///< of the 10,000 test images
  double loss;
};

/// The errors and the mean cross-entropy that PyTorch's logits have on the first images, in double.
void take_from_logits(const Tensor& logits, const LabelledImages& images, Published& expected) {
  const int64_t classes = logits.dim(1);
  expected.wrong = 0;
  expected.loss = 0;
  for (int64_t i = 0; i < images.count(); ++i) {
    const float* row = logits.data<float>() + i * classes;
    const int32_t label = images.labels.data<int32_t>()[i];
    expected.wrong += std::max_element(row, row + classes) - row != label;
    double sum = 0;
    for (int64_t c = 0; c < classes; ++c) sum += std::exp(double{row[c]} - double{row[label]});
    expected.loss += std::log(sum) / static_cast<double>(images.count());
  }
}

/// The CPU, and a GPU where there is one; of them those that TOPOGRAD_TEST_DEVICES names, where it
/// is set.
std::vector<Device> fast_devices() {
  const char* chosen = std::getenv("TOPOGRAD_TEST_DEVICES");
  std::vector<Device> devices;
  for (Device device : {Device::cpu, Device::cuda})
    if (is_available(device) &&
        (!chosen || std::string_view(chosen).find(name_of(device)) != std::string_view::npos))
      devices.push_back(device);
  return devices;
}

/// Test error to the last image, loss, and every logit against PyTorch's. With `first` above 0, the
/// logits of so many images alone.
void check_published(Published expected, Device device, int64_t first = 0) {
  const std::string weights = file_from("TOPOGRAD_WEIGHTS", expected.name + ".safetensors");
  const std::string logits_file = file_from("TOPOGRAD_SHARED", expected.logits);
  const DataSplits* data = cifar10();
  if (weights.empty() || logits_file.empty() || !data) return;
  const LoadedModel model = load_model(weights);
  LabelledImages images = data->test.view();
  images.normalisation = model.info.normalisation;
  const int64_t all = images.count();
  const Tensor theirs = read_npy(logits_file, all, model.graph.classes());
  if (is_sample() && first == 0) {
    images = images.first(2000);
    take_from_logits(theirs, images, expected);
  } else {
    images = images.first(first);
  }
  say(expected.name, " on ", name_of(device), ": ", images.count(), " test images ...");
  ThreadPool pool(0, device);
  const Tensor logits({images.count(), model.graph.classes()});
  const LossSums sums = evaluate(model.graph, model.weights.theta, model.weights.running_stats,
                                 images, LossKind::cross_entropy, pool, logits);
  const double difference = largest_difference(logits, theirs);
  if (first > 0) {
    say(expected.name, " on ", name_of(device), ": largest difference of a logit ", difference);
    CHECK(difference <= 1e-3);
    return;
  }
  say(expected.name, " on ", name_of(device), ": ", sums.count - sums.correct, " wrong, loss ",
      sums.mean(), ", largest difference of a logit ", difference);
  CHECK(sums.count == (is_sample() ? 2'000 : 10'000));
  CHECK(sums.count - sums.correct == expected.wrong);
  CHECK(std::abs(sums.mean() - expected.loss) <= 1e-4);
  CHECK(difference <= 1e-3);
}

/// How near a golden surface's losses a precision must come: relatively, or absolutely.
struct Nearness {
  Precision precision;
  double relative, absolute;
};
constexpr Nearness kNearF32{Precision::f32, 1e-4, 1e-6};
constexpr Nearness kNearBf16x3{Precision::bf16x3, 1e-3, 1e-5};

/// The reference implementation's own surface, computed in double precision on the first 500
/// images of data_batch_1.
void check_golden_surface(const std::string& name, Device device, const Nearness& near) {
  const std::string weights =
      file_from("TOPOGRAD_WEIGHTS", "losslandscape_" + name + ".safetensors");
  const std::string directions_file =
      file_from("TOPOGRAD_SHARED", "golden/" + name + "_directions.h5");
  const std::string surface_file =
      file_from("TOPOGRAD_SHARED", "golden/" + name + "_surface_fp64_5x5_batch1_first500.h5");
  const DataSplits* data = cifar10();
  if (weights.empty() || directions_file.empty() || surface_file.empty() || !data) return;
  const LoadedModel model = load_model(weights);
  const Surface golden = Surface::load(surface_file);
  REQUIRE(golden.points() == 25);
  const Directions directions =
      read_directions(directions_file, model.graph.layout(), DirectionType::weights);
  std::vector<LabelledImages> sets = {data->train.view().first(500)};
  sets[0].normalisation = model.info.normalisation;
  ThreadPool pool(0, device);
  Evaluator evaluator({.graph = model.graph,
                       .theta = model.weights.theta,
                       .running_stats = model.weights.running_stats,
                       .planes = {&directions, 1},
                       .sets = sets,
                       .precision = near.precision},
                      pool);
  const std::string how = text(name, " on ", name_of(device), " in ", name_of(near.precision));
  double largest = 0;
  for (int64_t iy = 0; iy < golden.ny(); ++iy) {
    const double y = golden.y()[static_cast<size_t>(iy)];
    say(how, ": row ", iy + 1, " of ", golden.ny(), " ...");
    std::vector<PlanePosition> row;
    std::vector<int64_t> columns;
    for (int64_t ix = 0; ix < golden.nx(); ++ix) {
      // The centre and the corners.
      if (is_sample() && !(ix == iy && iy == 2) && !(ix % 4 == 0 && iy % 4 == 0)) continue;
      row.push_back({golden.x()[static_cast<size_t>(ix)], y});
      columns.push_back(ix);
    }
    if (row.empty()) continue;
    const auto sums = evaluator.evaluate(row);
    for (size_t ix = 0; ix < row.size(); ++ix) {
      CAPTURE(row[ix].alpha);
      CAPTURE(row[ix].beta);
      const auto index = static_cast<size_t>(golden.index(columns[ix], iy));
      const double loss = golden.plane("train_loss")[index];
      const double difference = std::abs(sums[ix][0][0].mean() - loss);
      if (!(difference / loss <= largest)) largest = difference / loss;
      CHECK(difference <= std::max(near.relative * loss, near.absolute));
      // Percent of 500 images: multiples of 0.2.
      if (near.precision == Precision::f32)
        CHECK(sums[ix][0][0].correct == std::lround(5 * golden.plane("train_acc")[index]));
    }
  }
  say(how, ": largest relative difference of a loss ", largest);
}

}  // namespace

TEST_CASE("published akamaster: the test error of Y. Idelbayev's networks, to the last image") {
  for (Device device : fast_devices()) {
    check_published(
        {"akamaster_resnet20", "weights/akamaster/resnet20_test_logits.npy", 827, 0.37266}, device);
    check_published(
        {"akamaster_resnet56", "weights/akamaster/resnet56_test_logits.npy", 661, 0.34583}, device);
  }
}

TEST_CASE("published authors: the test error of the paper's authors' networks, to the last image") {
  for (Device device : fast_devices()) {
    check_published(
        {"losslandscape_resnet56", "weights/losslandscape/resnet56_test_logits.npy", 634, 0.288304},
        device);
    check_published({"losslandscape_resnet56_noshort",
                     "weights/losslandscape/resnet56_noshort_test_logits.npy", 1331, 0.432743},
                    device);
  }
}

TEST_CASE("published emulated: logits of a trained network by the emulated kernels") {
  check_published(
      {"akamaster_resnet20", "weights/akamaster/resnet20_test_logits.npy", 827, 0.37266},
      Device::simt, 8);
}

TEST_CASE("published surfaces: the reference implementation's, point by point") {
  for (Device device : fast_devices()) {
    check_golden_surface("resnet56", device, kNearF32);
    check_golden_surface("resnet56_noshort", device, kNearF32);
  }
}

TEST_CASE("published bf16x3: the reference implementation's surfaces") {
  for (Device device : fast_devices()) {
    if (device == Device::cpu && !has_tile_unit()) {
      say("SKIPPED: this processor has no tile unit, and its emulation would take an hour");
      continue;
    }
    check_golden_surface("resnet56", device, kNearBf16x3);
    check_golden_surface("resnet56_noshort", device, kNearBf16x3);
  }
}
