#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "data/load.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

constexpr int64_t kRecordBytes = 3074;
constexpr int64_t kTrain = 50'000, kTest = 10'000;
// Records that are written; the others are zero, in files that take no room.
const int64_t kWritten[] = {0, 1, 41, 9'998, 9'999};

/// Record i has superclass i % 20 and class (i + 7) % 100; its pixels depend on record, plane and
/// position.
std::string record(int64_t i) {
  std::string bytes;
  bytes += static_cast<char>(i % 20);
  bytes += static_cast<char>((i + 7) % 100);
  for (int64_t p = 0; p < 3072; ++p) bytes += static_cast<char>(3 * i + p);
  return bytes;
}

void write_at(const TemporaryFolder& folder, const std::string& name, int64_t offset,
              const std::string& bytes) {
  std::fstream file(folder.file(name), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(offset);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

void write_cifar100(const TemporaryFolder& folder, const std::string& prefix = "") {
  for (const auto& [name, count] : {std::pair{"train.bin", kTrain}, std::pair{"test.bin", kTest}}) {
    folder.write(prefix + name, "");
    std::filesystem::resize_file(folder.file(prefix + name),
                                 static_cast<size_t>(count * kRecordBytes));
    for (int64_t i : kWritten) write_at(folder, prefix + name, i * kRecordBytes, record(i));
  }
}

std::string error_of_load(const TemporaryFolder& folder) {
  return error_of([&] { load_data({.source = folder.path()}); });
}

int64_t wrong_values(const Dataset& dataset) {
  int64_t wrong = 0;
  for (int64_t i : kWritten) {
    const uint8_t* image = dataset.images.data<uint8_t>() + i * 3072;
    wrong += dataset.labels.data<int32_t>()[i] != (i + 7) % 100;
    for (int64_t p = 0; p < 1024; ++p)
      for (int64_t c = 0; c < 3; ++c)
        wrong += image[p * 3 + c] != static_cast<uint8_t>(3 * i + c * 1024 + p);
  }
  return wrong;
}

const std::string kAdvice =
    "; get CIFAR-100's binary version anew, from www.cs.toronto.edu/~kriz/cifar.html";

}  // namespace

TEST_CASE("cifar100: every pixel and fine label is where the format says, channels last") {
  const TemporaryFolder folder;
  write_cifar100(folder, "cifar-100-binary/");
  const DataSplits data = load_data({.source = folder.path()});
  CHECK(data.train.name == "cifar100");
  CHECK(data.train.images.shape() == Shape{kTrain, 32, 32, 3});
  CHECK(data.test.images.shape() == Shape{kTest, 32, 32, 3});
  CHECK(data.train.classes() == 100);
  CHECK(data.train.class_names[99] == "class 99");
  CHECK(data.train.flips_keep_class);
  CHECK(data.train.normalisation.mean == std::vector{129.3 / 255, 124.1 / 255, 112.4 / 255});
  CHECK(data.test.normalisation.std_dev == std::vector{68.2 / 255, 65.4 / 255, 70.4 / 255});
  CHECK(wrong_values(data.train) == 0);
  CHECK(wrong_values(data.test) == 0);
}

TEST_CASE("cifar100: the names of the classes") {
  const TemporaryFolder folder;
  write_cifar100(folder);
  std::string names;
  for (int i = 0; i < 100; ++i) names += text("name", i, "\n");
  folder.write("fine_label_names.txt", names + "\n");  // the archive's ends with an empty line
  const DataSplits data = load_data({.source = folder.path(), .train_limit = 1});
  CHECK(data.train.classes() == 100);
  CHECK(data.train.class_names[41] == "name41");
  CHECK(data.test.class_names == data.train.class_names);
  folder.write("fine_label_names.txt", "apple\nbee\n");
  CHECK(error_of_load(folder) ==
        folder.file("fine_label_names.txt") + " has 2 names, expected 100" + kAdvice);
}

TEST_CASE("cifar100: damaged and missing files") {
  const TemporaryFolder folder;
  write_cifar100(folder);
  const std::string train = folder.file("train.bin"), test = folder.file("test.bin");
  std::filesystem::resize_file(test, kTest * kRecordBytes - 1);
  CHECK(error_of_load(folder) == test + " has 30739999 bytes, expected 30740000" + kAdvice);
  std::filesystem::resize_file(test, (kTest - 1) * kRecordBytes);  // whole records, one too few
  CHECK(error_of_load(folder) == test + " has 30736926 bytes, expected 30740000" + kAdvice);
  std::filesystem::remove(test);
  CHECK(error_of_load(folder) == test + " is missing" + kAdvice);
  folder.write("test.bin/inner", "");
  CHECK(error_of_load(folder) == test + " is no file" + kAdvice);

  write_at(folder, "train.bin", 41 * kRecordBytes, std::string("\x13\x64", 2));
  CHECK(error_of_load(folder) ==
        train + ": image 41 has label 100, but CIFAR-100 has labels 0 to 99: the file is damaged" +
            kAdvice);
  write_at(folder, "train.bin", 41 * kRecordBytes, std::string("\x13\xff", 2));
  CHECK(error_of_load(folder).find("image 41 has label 255") != std::string::npos);
}

TEST_CASE("cifar100: the version for Python is refused with what to do") {
  const TemporaryFolder folder;
  folder.write("cifar-100-python/train", "a pickle");
  CHECK(error_of_load(folder) ==
        folder.path() +
            " holds CIFAR-100's Python or Matlab version; this program reads the binary version, "
            "from www.cs.toronto.edu/~kriz/cifar.html");
}

TEST_CASE("cifar100: the real files") {
  const char* folder = std::getenv("TOPOGRAD_CIFAR100");
  if (!folder) {
    MESSAGE("SKIPPED: set TOPOGRAD_CIFAR100 to the folder of CIFAR-100's binary files");
    return;
  }
  const DataSplits data = load_data({.source = folder});
  std::vector<int64_t> counts(100);
  for (int64_t i = 0; i < data.train.count(); ++i) ++counts[data.train.labels.data<int32_t>()[i]];
  CHECK(counts == std::vector<int64_t>(100, 500));
  const Normalisation measured = measured_normalisation(data.train.images);
  for (size_t c = 0; c < 3; ++c) {
    CHECK(measured.mean[c] == doctest::Approx(data.train.normalisation.mean[c]).epsilon(0.001));
    CHECK(measured.std_dev[c] ==
          doctest::Approx(data.train.normalisation.std_dev[c]).epsilon(0.001));
  }
}
