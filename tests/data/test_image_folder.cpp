#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <vector>

#include "data/load.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

void append_u32(std::string& bytes, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
}

/// CRC-32, as PNG's chunks carry it.
uint32_t crc32(const std::string& bytes) {
  uint32_t crc = ~0u;
  for (unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

void append_chunk(std::string& png, const std::string& type_and_data) {
  append_u32(png, static_cast<uint32_t>(type_and_data.size() - 4));
  png += type_and_data;
  append_u32(png, crc32(type_and_data));
}

/// A PNG, uncompressed. `pixels`: height x width x channels; channels 1 (grey), 3 or 4 (RGBA).
std::string png_of(uint32_t width, uint32_t height, const std::vector<uint8_t>& pixels) {
  const size_t channels = pixels.size() / width / height;
  std::string raw;  // each row behind its filter type, 0
  for (size_t y = 0; y < height; ++y) {
    raw += '\0';
    raw.append(reinterpret_cast<const char*>(&pixels[y * width * channels]), width * channels);
  }
  std::string header = "IHDR";
  append_u32(header, width);
  append_u32(header, height);
  header += '\x08';
  header += channels == 1 ? '\x00' : channels == 3 ? '\x02' : '\x06';
  header.append(3, '\0');
  uint32_t a = 1, b = 0;  // Adler-32
  for (unsigned char byte : raw) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  std::string data = "IDAT\x78\x01\x01";  // zlib's header, then one stored block
  const auto length = static_cast<uint16_t>(raw.size());
  for (const uint16_t word : {length, static_cast<uint16_t>(~length)})
    data += {static_cast<char>(word & 255), static_cast<char>(word >> 8)};
  data += raw;
  append_u32(data, b << 16 | a);
  std::string png = "\x89PNG\r\n\x1A\n";
  append_chunk(png, header);
  append_chunk(png, data);
  append_chunk(png, "IEND");
  return png;
}

/// 2 x 1 pixels of one colour each channel: {v, v + 1, v + 2}, {v + 3, ...}.
std::string small_png(uint8_t v) {
  std::vector<uint8_t> pixels(6);
  for (size_t i = 0; i < 6; ++i) pixels[i] = static_cast<uint8_t>(v + i);
  return png_of(2, 1, pixels);
}

/// Two classes, three and one training images, one test image each.
void write_small_set(const TemporaryFolder& folder) {
  folder.write("train/b/1.png", small_png(10));
  folder.write("train/b/2.PNG", small_png(20));
  folder.write("train/b/3.png", small_png(30));
  folder.write("train/b/notes.txt", "not an image");
  folder.write("train/b/.hidden.png", "not an image");
  folder.write("train/a/1.png", small_png(40));
  folder.write("test/a/1.png", small_png(50));
  folder.write("test/b/1.png", small_png(60));
}

std::string error_of_load(const TemporaryFolder& folder) {
  return error_of([&] { load_data({.source = folder.path()}); });
}

}  // namespace

TEST_CASE("image folder: classes by name, images in turn from every class") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const DataSplits data = load_data({.source = folder.path()});
  CHECK(data.train.name == "folder");
  CHECK(data.train.class_names == std::vector<std::string>{"a", "b"});
  REQUIRE(data.train.images.shape() == Shape{4, 1, 2, 3});
  const int32_t* labels = data.train.labels.data<int32_t>();
  CHECK(std::vector<int32_t>(labels, labels + 4) == std::vector<int32_t>{0, 1, 1, 1});
  const uint8_t* pixels = data.train.images.data<uint8_t>();
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t p = 0; p < 6; ++p)
      CHECK(pixels[i * 6 + p] == std::array{40, 10, 20, 30}[static_cast<size_t>(i)] + p);
  CHECK(data.test.images.data<uint8_t>()[6] == 60);
  CHECK(load_data({.source = folder.path(), .train_limit = 2}).train.count() == 2);
}

TEST_CASE("image folder: the normalisation is the training images' own, for both splits") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const DataSplits data = load_data({.source = folder.path()});
  // Red: 10 13 20 23 30 33 40 43, mean 26.5, variance 127.25. Green and blue: 1 and 2 more.
  for (size_t c = 0; c < 3; ++c) {
    CHECK(data.train.normalisation.mean[c] == doctest::Approx((26.5 + double(c)) / 255));
    CHECK(data.train.normalisation.std_dev[c] == doctest::Approx(std::sqrt(127.25) / 255));
  }
  CHECK(data.test.normalisation == data.train.normalisation);
}

TEST_CASE("image folder: a channel of one value has a scale all the same") {
  Tensor images({2, 1, 1, 3}, DType::u8);
  images.fill_zero();
  CHECK(measured_normalisation(images).std_dev[0] == 0.5 / 255);
}

TEST_CASE("image folder: grey is expanded to three channels, transparency is dropped") {
  const TemporaryFolder folder;
  write_small_set(folder);
  folder.write("train/a/1.png", png_of(2, 1, {7, 9}));
  folder.write("test/a/1.png", png_of(2, 1, {1, 2, 3, 0, 4, 5, 6, 255}));
  const DataSplits data = load_data({.source = folder.path()});
  const uint8_t* grey = data.train.images.data<uint8_t>();
  CHECK(std::vector<int>(grey, grey + 6) == std::vector<int>{7, 7, 7, 9, 9, 9});
  const uint8_t* opaque = data.test.images.data<uint8_t>();
  CHECK(std::vector<int>(opaque, opaque + 6) == std::vector<int>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("image folder: images of different sizes are refused, within and between splits") {
  const TemporaryFolder folder;
  write_small_set(folder);
  folder.write("train/b/3.png", png_of(1, 2, {1, 2, 3, 4, 5, 6}));
  CHECK(error_of_load(folder) == folder.file("train/b/3.png") + " has 1x2 pixels, but " +
                                     folder.file("train/a/1.png") +
                                     " has 2x1: scale all images to one size");
  folder.write("train/b/3.png", small_png(30));
  folder.write("test/a/1.png", png_of(1, 1, {1, 2, 3}));
  folder.write("test/b/1.png", png_of(1, 1, {1, 2, 3}));
  CHECK(error_of_load(folder) == folder.path() +
                                     ": training images have 2x1 pixels, test images 1x1: scale "
                                     "all images to one size");
}

TEST_CASE("image folder: an unreadable image is named with the reason") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const std::string path = folder.file("train/b/2.png");
  const std::string start = path + " is no image that can be read: ";
  const std::string whole = small_png(1);
  for (const std::string& bytes : {std::string("text"), whole.substr(0, whole.size() / 2),
                                   std::string(), whole.substr(0, 20)}) {
    folder.write("train/b/2.png", bytes);
    const std::string message = error_of_load(folder);
    CHECK(message.starts_with(start));
    CHECK(message.size() > start.size());
  }
}

TEST_CASE("image folder: missing splits, classes and images") {
  const TemporaryFolder folder;
  write_small_set(folder);
  std::filesystem::remove_all(folder.file("test/a"));
  CHECK(error_of_load(folder) ==
        folder.file("test") + " has 1 class folders; a classifier needs at least two");
  folder.write("test/c/1.png", small_png(1));
  CHECK(error_of_load(folder) ==
        folder.path() + ": class 'a' is in train but not in test; both need the same classes");
  folder.write("test/a/1.png", small_png(1));
  CHECK(error_of_load(folder) ==
        folder.path() + ": class 'c' is in test but not in train; both need the same classes");
  std::filesystem::remove_all(folder.file("test/c"));
  std::filesystem::remove(folder.file("test/a/1.png"));
  CHECK(error_of_load(folder) == folder.file("test/a") + " holds no .png or .jpg image");
  std::filesystem::remove_all(folder.file("test"));
  CHECK(error_of_load(folder) ==
        folder.file("test") +
            " is missing: images are expected as train/<class>/*.png and test/<class>/*.png");
}

TEST_CASE("image folder: what would be left out is refused, what is no data is not") {
  const TemporaryFolder folder;
  write_small_set(folder);
  for (const char* name : {"train/a/Thumbs.db", "train/a/.DS_Store", "train/b/labels.csv"})
    folder.write(name, "not an image");
  CHECK(load_data({.source = folder.path()}).train.count() == 4);
  for (const char* name : {"train/a/2.bmp", "train/b/4.webp", "test/a/2.TIF", "test/b/image"}) {
    folder.write(name, "an image of another type");
    CHECK(error_of_load(folder) ==
          folder.file(name) +
              " is no .png or .jpg image, and would be left out: convert it, or take it away");
    std::filesystem::remove(folder.file(name));
  }
  folder.write("train/a/more/2.png", small_png(2));
  CHECK(error_of_load(folder).starts_with(folder.file("train/a/more") + " is a folder in a class"));
  std::filesystem::remove_all(folder.file("train/a/more"));
  std::filesystem::create_symlink("gone.png", folder.file("train/b/link.png"));
  CHECK(error_of_load(folder) ==
        folder.file("train/b/link.png") + " is a link to nothing: remove it");
  std::filesystem::remove(folder.file("train/b/link.png"));
  std::filesystem::create_symlink("1.png", folder.file("train/b/link.png"));
  CHECK(load_data({.source = folder.path()}).train.count() == 5);
}
