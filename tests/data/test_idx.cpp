#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "data/load.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string header(const std::vector<uint32_t>& dims) {
  std::string bytes = big_endian(0x800 + static_cast<uint32_t>(dims.size()));
  for (uint32_t extent : dims) bytes += big_endian(extent);
  return bytes;
}

/// Image n's pixel at p is 40 n + p.
std::string images(uint32_t count, uint32_t height = 5, uint32_t width = 4) {
  std::string bytes = header({count, height, width});
  for (uint32_t n = 0; n < count; ++n)
    for (uint32_t p = 0; p < height * width; ++p) bytes += static_cast<char>(40 * n + p);
  return bytes;
}

std::string labels(const std::vector<int>& values) {
  std::string bytes = header({static_cast<uint32_t>(values.size())});
  for (int value : values) bytes += static_cast<char>(value);
  return bytes;
}

/// Twelve training and two test images of 5x4 pixels.
struct IdxFolder {
  TemporaryFolder folder;
  std::vector<int> train_labels{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 0};

  void write(const std::string& prefix = "", const std::string& mark = "-") const {
    folder.write(prefix + "train-images" + mark + "idx3-ubyte", images(12));
    folder.write(prefix + "train-labels" + mark + "idx1-ubyte", labels(train_labels));
    folder.write(prefix + "t10k-images" + mark + "idx3-ubyte", images(2));
    folder.write(prefix + "t10k-labels" + mark + "idx1-ubyte", labels({7, 2}));
  }
  DataSplits load() const { return load_data({.source = folder.path()}); }
  /// The error with another file in the place of one.
  std::string error_with(const std::string& name, const std::string& contents) const {
    write();
    folder.write(name, contents);
    return error_of([&] { load(); });
  }
};

const std::string kAdvice = "; get the set's four files anew, and unpack them with gunzip";

}  // namespace

TEST_CASE("idx: every pixel and label, one channel, under all of the files' names") {
  for (const char* prefix : {"", "raw/"})
    for (const char* mark : {"-", "."}) {
      IdxFolder set;
      set.write(prefix, mark);
      const DataSplits data = set.load();
      CHECK(data.train.name == "idx");
      CHECK(data.train.images.shape() == Shape{12, 5, 4, 1});
      CHECK(data.test.images.shape() == Shape{2, 5, 4, 1});
      CHECK(data.train.classes() == 10);
      CHECK(!data.train.flips_keep_class);
      int64_t wrong = 0;
      for (int64_t n = 0; n < 12; ++n) {
        wrong += data.train.labels.data<int32_t>()[n] != set.train_labels[static_cast<size_t>(n)];
        for (int64_t p = 0; p < 20; ++p)
          wrong += data.train.images.data<uint8_t>()[n * 20 + p] != (40 * n + p) % 256;
      }
      CHECK(wrong == 0);
      CHECK(data.test.labels.data<int32_t>()[1] == 2);
      CHECK(data.train.normalisation == measured_normalisation(data.train.images));
      CHECK(data.test.normalisation == data.train.normalisation);
    }
}

TEST_CASE("idx: MNIST and Fashion-MNIST are known by their first labels") {
  IdxFolder set;
  set.train_labels = {5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5};
  set.write();
  const Dataset mnist = set.load().test;
  CHECK(mnist.name == "mnist");
  CHECK(mnist.normalisation == Normalisation{{0.1307}, {0.3081}});
  CHECK(!mnist.flips_keep_class);
  set.train_labels = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9};
  set.write();
  const Dataset fashion = set.load().train;
  CHECK(fashion.name == "fashion_mnist");
  CHECK(fashion.class_names[9] == "ankle boot");
  CHECK(fashion.normalisation == Normalisation{{0.2860}, {0.3530}});
  CHECK(fashion.flips_keep_class);
  set.train_labels[9] = 4;
  set.write();
  CHECK(set.load().train.name == "idx");
}

TEST_CASE("idx: damaged, foreign and contradictory files") {
  const IdxFolder set;
  const std::string pixels = "train-images-idx3-ubyte", names = "t10k-labels-idx1-ubyte";
  const std::string pixels_path = set.folder.file(pixels), names_path = set.folder.file(names);
  std::string bytes = images(12);
  CHECK(set.error_with(pixels, bytes.substr(0, bytes.size() - 1)) ==
        pixels_path + " has 239 bytes of pixels, but says that it holds 12x5x4" + kAdvice);
  CHECK(set.error_with(pixels, bytes + "x") ==
        pixels_path + " has 241 bytes of pixels, but says that it holds 12x5x4" + kAdvice);
  CHECK(set.error_with(pixels, bytes.substr(0, 15)) ==
        pixels_path + " has 15 bytes, not even the 16 of its header" + kAdvice);
  CHECK(set.error_with(pixels, "") ==
        pixels_path + " has 0 bytes, not even the 16 of its header" + kAdvice);
  CHECK(set.error_with(pixels, header({1u << 31, 1u << 31, 4})) ==
        pixels_path + " has 0 bytes of pixels, but says that it holds 2147483648x2147483648x4" +
            kAdvice);
  CHECK(set.error_with(pixels, images(0)) == pixels_path + " says that it holds nothing" + kAdvice);
  CHECK(set.error_with(pixels, labels(std::vector<int>(30))) ==
        pixels_path + " begins with 2049, not 2051: it holds no images in the idx format" +
            kAdvice);
  CHECK(set.error_with(names, images(2)) ==
        names_path + " begins with 2051, not 2049: it holds no labels in the idx format" + kAdvice);
  bytes[2] = 13;  // floats
  CHECK(set.error_with(pixels, bytes).find("begins with 3331, not 2051") != std::string::npos);
  CHECK(set.error_with(names, labels({7, 10})) ==
        set.folder.path() +
            ": test image 1 has label 10, but the set has labels 0 to 9: its file is damaged" +
            kAdvice);
  CHECK(set.error_with(names, labels({200, 1})).find("image 0 has label 200") != std::string::npos);
  CHECK(set.error_with(names, labels({7, 2, 1})) == names_path + " has 3 labels, but " +
                                                        set.folder.file("t10k-images-idx3-ubyte") +
                                                        " has 2 images" + kAdvice);
  CHECK(set.error_with("t10k-images-idx3-ubyte", images(2, 4, 5)) ==
        set.folder.path() +
            ": training images have 5x4 pixels, test images 4x5: they are not of one set" +
            kAdvice);
}

TEST_CASE("idx: missing and compressed files") {
  const IdxFolder set;
  CHECK(set.error_with("train-labels-idx1-ubyte", "\x1f\x8b\x08 compressed") ==
        set.folder.file("train-labels-idx1-ubyte") +
            " is compressed: add .gz to its name and unpack it with gunzip");
  set.write();
  const std::string path = set.folder.file("t10k-images-idx3-ubyte");
  std::filesystem::remove(path);
  CHECK(error_of([&] { set.load(); }) == path + " is missing" + kAdvice);
  set.folder.write("t10k-images-idx3-ubyte.gz", "\x1f\x8b");
  CHECK(error_of([&] { set.load(); }) == path + ".gz is compressed: unpack it with gunzip");

  // As they are downloaded: all four compressed.
  const TemporaryFolder fresh;
  fresh.write("train-images-idx3-ubyte.gz", "\x1f\x8b");
  CHECK(error_of([&] { load_data({.source = fresh.path()}); }) ==
        fresh.file("train-images-idx3-ubyte.gz") + " is compressed: unpack it with gunzip");
}

TEST_CASE("idx: any number of classes, and known sets have their own") {
  IdxFolder set;
  set.train_labels = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 46};
  set.write();
  CHECK(set.load().train.classes() == 47);
  CHECK(set.load().test.class_names[46] == "46");
  set.train_labels = {5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 46};  // MNIST's first ten
  set.write();
  CHECK(error_of([&] {
          set.load();
        }).find("training image 11 has label 46, but the set has labels 0 to 9") !=
        std::string::npos);
}

TEST_CASE("idx: torchvision's root, and what it holds several of") {
  const IdxFolder set;
  set.write("MNIST/raw/");
  CHECK(set.load().train.count() == 12);
  set.write("KMNIST/raw/");
  const std::string message = error_of([&] { set.load(); });
  CHECK(message == set.folder.path() + " holds several data sets; choose one of " +
                       set.folder.file("KMNIST/raw") + ", " + set.folder.file("MNIST/raw"));
  CHECK(load_data({.source = set.folder.file("KMNIST")}).train.count() == 12);
}

TEST_CASE("idx: EMNIST's letters begin with one and lie on their side") {
  const IdxFolder set;
  const auto write = [&](const std::string& name, const std::vector<int>& train) {
    const std::string prefix = "EMNIST/raw/emnist-" + name + "-";
    set.folder.write(prefix + "train-images-idx3-ubyte", images(2));
    set.folder.write(prefix + "train-labels-idx1-ubyte", labels(train));
    set.folder.write(prefix + "test-images-idx3-ubyte", images(2));
    set.folder.write(prefix + "test-labels-idx1-ubyte", labels({1, 2}));
  };
  write("letters", {1, 26});
  const Dataset letters = set.load().train;
  CHECK(letters.name == "emnist_letters");
  CHECK(letters.classes() == 26);
  CHECK(letters.labels.data<int32_t>()[1] == 25);
  CHECK(letters.class_names[25] == "Z");
  REQUIRE(letters.images.shape() == Shape{2, 4, 5, 1});
  CHECK(letters.images.data<uint8_t>()[1] == 4);  // the file's second row
  CHECK(letters.images.data<uint8_t>()[5] == 1);
  write("balanced", {0, 46});
  CHECK(error_of([&] {
          set.load();
        }).find("choose one of " + set.folder.file("EMNIST/raw/emnist-balanced") + ", ") !=
        std::string::npos);
  const Dataset balanced =
      load_data({.source = set.folder.file("EMNIST/raw/emnist-balanced")}).train;
  CHECK(balanced.classes() == 47);
  CHECK(balanced.class_names[36] == "a");
  write("letters", {0, 26});
  CHECK(error_of([&] {
          load_data({.source = set.folder.file("EMNIST/raw/emnist-letters")});
        }).find("labels 1 to 26") != std::string::npos);
}

TEST_CASE("idx: the real files") {
  for (const char* variable : {"TOPOGRAD_MNIST", "TOPOGRAD_FASHION_MNIST"}) {
    const char* folder = std::getenv(variable);
    if (!folder) {
      MESSAGE("SKIPPED: set ", std::string(variable),
              " to the folder of the set's four unpacked files");
      continue;
    }
    const DataSplits data = load_data({.source = folder});
    CHECK(data.train.images.shape() == Shape{60'000, 28, 28, 1});
    CHECK(data.train.name != "idx");
    const Normalisation measured = measured_normalisation(data.train.images);
    CHECK(measured.mean[0] == doctest::Approx(data.train.normalisation.mean[0]).epsilon(0.001));
    CHECK(measured.std_dev[0] ==
          doctest::Approx(data.train.normalisation.std_dev[0]).epsilon(0.001));
  }
}
