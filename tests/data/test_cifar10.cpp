#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "data/load.h"
#include "kernels/core/hash.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

constexpr int64_t kRecordBytes = 3073;
constexpr int64_t kRecords = 10'000;
const char* const kNames[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                              "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

/// A file of the format: record i of file f has label (i + f) % 10; its pixels repeat a number that
/// depends on file, record, plane and position.
std::string batch(int64_t f) {
  std::string bytes(static_cast<size_t>(kRecords * kRecordBytes), '\0');
  char* out = bytes.data();
  for (int64_t i = 0; i < kRecords; ++i) {
    *out++ = static_cast<char>((i + f) % 10);
    for (int64_t p = 0; p < kRecordBytes - 1; ++p) *out++ = static_cast<char>(f + 3 * i + p);
  }
  return bytes;
}

void write_cifar10(const TemporaryFolder& folder, const std::string& prefix = "") {
  for (int64_t f = 0; f < 6; ++f) folder.write(prefix + kNames[f], batch(f));
}

std::string error_of_load(const TemporaryFolder& folder) {
  return error_of([&] { load_data({.source = folder.path()}); });
}

void check_contents(const Dataset& dataset, int64_t first_file) {
  REQUIRE(dataset.images.dtype() == DType::u8);
  REQUIRE(dataset.images.shape().with_first(1) == Shape{1, 32, 32, 3});
  const uint8_t* images = dataset.images.data<uint8_t>();
  int64_t wrong = 0;
  for (int64_t n = 0; n < dataset.count(); n += 997) {
    const int64_t f = first_file + n / kRecords, i = n % kRecords;
    wrong += dataset.labels.data<int32_t>()[n] != (i + f) % 10;
    for (int64_t p = 0; p < 1024; ++p)
      for (int64_t c = 0; c < 3; ++c)
        wrong += images[(n * 1024 + p) * 3 + c] != static_cast<uint8_t>(f + 3 * i + c * 1024 + p);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("cifar10: every pixel and label is where the format says, channels last") {
  const TemporaryFolder folder;
  write_cifar10(folder);
  const DataSplits data = load_data({.source = folder.path()});
  CHECK(data.train.name == "cifar10");
  CHECK(data.train.count() == 50'000);
  CHECK(data.test.count() == 10'000);
  CHECK(data.train.classes() == 10);
  CHECK(data.train.class_names[3] == "cat");
  CHECK(data.train.normalisation == normalisation_named("cifar10"));
  check_contents(data.train, 0);
  check_contents(data.test, 5);

  const DataSplits few = load_data({.source = folder.path(), .train_limit = 500, .test_limit = 7});
  CHECK(few.train.count() == 500);
  CHECK(few.train.images.dim(0) == 500);
  CHECK(few.test.count() == 7);
  check_contents(few.train, 0);
  CHECK(few.train.hash() == data.train.first(500).hash());
  CHECK(few.train.hash() != data.train.hash());
  CHECK(error_of([&] { load_data({.source = folder.path(), .test_limit = 10'001}); }) ==
        "the limit of test images is 10001, but there are 10000: lower it, or leave it out to use "
        "all");
}

TEST_CASE("cifar10: damaged and missing files, and the archive's own subfolder") {
  const TemporaryFolder folder;
  const std::string inner = "cifar-10-batches-bin/";
  const std::string advice = "; apps/download_cifar10.sh gets CIFAR-10 anew";
  write_cifar10(folder, inner);
  CHECK(load_data({.source = folder.path(), .train_limit = 1}).train.name == "cifar10");

  std::string bytes = batch(2);
  bytes.pop_back();
  folder.write(inner + "data_batch_3.bin", bytes);
  const std::string third = folder.file(inner + "data_batch_3.bin");
  CHECK(error_of_load(folder) == third + " has 30729999 bytes, expected 30730000" + advice);

  bytes.push_back(0);
  bytes[static_cast<size_t>(41 * kRecordBytes)] = 10;
  folder.write(inner + "data_batch_3.bin", bytes);
  CHECK(error_of_load(folder) ==
        third + ": image 41 has label 10, but CIFAR-10 has labels 0 to 9: the file is damaged" +
            advice);
  bytes[static_cast<size_t>(41 * kRecordBytes)] = static_cast<char>(200);  // no negative label
  folder.write(inner + "data_batch_3.bin", bytes);
  CHECK(error_of_load(folder).find("image 41 has label 200") != std::string::npos);

  std::filesystem::remove(third);
  CHECK(error_of_load(folder) == third + " is missing" + advice);
}

TEST_CASE("data: a source that is no data") {
  const TemporaryFolder folder;
  CHECK(
      error_of([&] { load_data({.source = folder.file("nowhere")}); }) ==
      "no data folder '" + folder.file("nowhere") +
          "': give 'synthetic', a folder with a data set (see train --help), or get CIFAR-10 with "
          "apps/download_cifar10.sh");
  CHECK(error_of_load(folder) ==
        folder.path() +
            " holds no data set: neither CIFAR-10's or CIFAR-100's binary files (data_batch_1.bin, "
            "train.bin, ...; apps/download_cifar10.sh gets CIFAR-10's), nor MNIST's "
            "(train-images-idx3-ubyte, ...), nor x_train.npy, y_train.npy, x_test.npy, y_test.npy, "
            "nor "
            "images as train/<class>/*.png and "
            "test/<class>/*.png");
  for (const char* name : {"a/cifar-10-batches-bin/test_batch.bin", "a/cifar-100-binary/test.bin",
                           "b/train-labels-idx1-ubyte", "b/test/0/1.png"})
    folder.write(name, "");
  const auto error_below = [&](const std::string& name) {
    return error_of([&] { load_data({.source = folder.file(name)}); });
  };
  CHECK(error_below("a") == folder.file("a") +
                                " holds both CIFAR-10 and CIFAR-100: give each a "
                                "folder of its own");
  CHECK(error_below("b") == folder.file("b") +
                                " holds both MNIST's files and images: give each a "
                                "folder of its own");
  folder.write("data_batch_1", "a pickle");
  CHECK(error_of_load(folder) ==
        folder.path() +
            " holds CIFAR-10's Python or Matlab version; this program reads the binary version, "
            "which apps/download_cifar10.sh gets");
}

TEST_CASE("cifar10: the real files") {
  const char* folder = std::getenv("TOPOGRAD_CIFAR10");
  if (!folder) {
    MESSAGE("SKIPPED: set TOPOGRAD_CIFAR10 to the folder of CIFAR-10's binary files");
    return;
  }
  const DataSplits data = load_data({.source = folder});
  CHECK(hex(data.train.hash()) == "cebb770b49d53ebc");
  // 5,000 training images of each class; the channel means and deviations that the literature has.
  std::vector<int64_t> counts(10);
  for (int64_t i = 0; i < data.train.count(); ++i) ++counts[data.train.labels.data<int32_t>()[i]];
  CHECK(counts == std::vector<int64_t>(10, 5000));
  const Normalisation measured = measured_normalisation(data.train.images);
  for (size_t c = 0; c < 3; ++c) {
    CHECK(measured.mean[c] == doctest::Approx(data.train.normalisation.mean[c]).epsilon(0.001));
    CHECK(measured.std_dev[c] ==
          doctest::Approx(data.train.normalisation.std_dev[c]).epsilon(0.001));
  }
}

TEST_CASE("data: an unknown normalisation is refused with the choices") {
  CHECK(error_of([] { normalisation_named("svhn"); }) ==
        "unknown normalisation 'svhn': choose cifar10, cifar100, mnist, fashion_mnist, imagenet, "
        "kuangliu or none");
  CHECK(normalisation_named("imagenet").mean[1] == 0.456);
  for (const std::string& name : normalisation_names()) check(normalisation_named(name));
}

TEST_CASE("data: one constant counts for all channels, several only for as many") {
  const Normalisation none = for_channels(normalisation_named("none"), 3);
  CHECK(none == Normalisation{{0, 0, 0}, {1, 1, 1}});
  const Normalisation cifar = normalisation_named("cifar10");
  CHECK(for_channels(cifar, 3) == cifar);
  CHECK(error_of([&] { for_channels(cifar, 1); }) ==
        "normalisation by 3 means and deviations, but the images have 1 channel: give one of each "
        "for every channel");
  CHECK(describe(normalisation_named("kuangliu")) ==
        "mean 0.4914,0.4822,0.4465 std 0.2023,0.1994,0.201");
  for (const Normalisation& wrong :
       {Normalisation{{}, {1}}, Normalisation{{0.5, 0.5}, {1}}, Normalisation{{1.1}, {1}},
        Normalisation{{NAN}, {1}}, Normalisation{{0.5}, {0}}, Normalisation{{0.5}, {NAN}}})
    CHECK_THROWS_AS(check(wrong), Error);
}
