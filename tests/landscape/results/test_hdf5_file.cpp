#include <hdf5.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

#include "landscape/results/hdf5_checksum.h"
#include "landscape/results/hdf5_file.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("hdf5: numbers, text, groups and attributes come back as they were") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  const std::vector<double> doubles = {0.1, -std::numeric_limits<double>::infinity(), 1e300};
  const std::vector<float> floats = {1.5f, -2, 0.1f, 4, 5, 6};
  const uint8_t byte = 255;
  {
    Hdf5File file = Hdf5File::create(path);
    file.write("line", doubles.data(), {3});
    file.write("group/10", floats.data(), {2, 1, 3});
    file.write("group/2", floats.data(), {1, 2, 3, 1});
    file.write("scalar", &byte, {});
    file.write("empty", doubles.data(), {0});
    file.write_text("text", "naïve = \"?\"");
    file.write_text("no text", "");
    file.set_attribute("name", "");
    file.set_attribute("seed", int64_t{-9007199254740993});
    file.set_attribute("step", 0.1);
    file.set_attribute("long", std::string(100000, 'x'));
    file.close();
  }
  const Hdf5File file = Hdf5File::open_read(path);
  CHECK(file.members() ==
        std::vector<std::string>{"empty", "group", "line", "no text", "scalar", "text"});
  CHECK(file.members("group") == std::vector<std::string>{"10", "2"});
  CHECK(file.has("group/10"));
  CHECK_FALSE(file.has("group/3"));
  CHECK_FALSE(file.has("nothing/at/all"));
  CHECK(file.shape("group/10") == Shape{2, 1, 3});
  CHECK(file.shape("scalar") == Shape{});
  CHECK(file.read<double>("line") == doubles);
  CHECK(file.read<float>("group/10") == floats);
  CHECK(file.read<double>("scalar") == std::vector<double>{255});
  CHECK(file.read<float>("empty").empty());
  CHECK(file.read_text("text") == "naïve = \"?\"");
  CHECK(file.read_text("no text") == "");
  CHECK(file.is_numeric("scalar"));
  CHECK_FALSE(file.is_numeric("text"));
  CHECK_FALSE(file.is_numeric("group"));
  const std::map<std::string, std::string> attributes = file.attributes();
  CHECK(attributes.size() == 4);
  CHECK(attributes.at("name") == "");
  CHECK(attributes.at("seed") == "-9007199254740993");
  CHECK(attributes.at("step") == "0.1");
  CHECK(attributes.at("long").size() == 100000);
}

TEST_CASE("hdf5: equal contents give files equal to the byte") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    // HDF5 would store times in seconds: the second file is made in another one.
    if (folder.files() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    Hdf5File file = Hdf5File::create(folder.file(name));
    const double value = 3;
    file.write("group/value", &value, {1});
    file.set_attribute("loss", "mse");
    file.close();
  }
  CHECK(contents(folder.file("a")) == contents(folder.file("b")));
}

TEST_CASE("hdf5: errors say which file and what was being done") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  const std::string missing = text("cannot open ", path, ": No such file or directory");
  CHECK_THROWS_WITH_AS(Hdf5File::open_read(path), missing.c_str(), Error);
  write_contents(path, "xcoordinates = -1, 1\n");
  const std::string other = text("cannot open ", path, ": it is not an HDF5 file");
  CHECK_THROWS_WITH_AS(Hdf5File::open_read(path), other.c_str(), Error);
  CHECK_THROWS_WITH_AS(Hdf5File::create(path + "/b.h5"), "Not a directory", Error);

  Hdf5File file = Hdf5File::create(path);
  file.write_text("text", "words");
  const std::string words = text("cannot read 'text' of ", path, ": it does not hold numbers");
  CHECK_THROWS_WITH_AS(file.read<double>("text"), words.c_str(), Error);
  const double value = 1;
  file.write("value", &value, {});
  CHECK_THROWS_WITH_AS(file.read_text("value"), doctest::Contains("it is not one string"), Error);
  CHECK_THROWS_WITH_AS(file.write("value", &value, {}),
                       doctest::Contains(text("cannot write 'value' of ", path).c_str()), Error);
  CHECK_THROWS_WITH_AS(file.read<double>("none"),
                       doctest::Contains(text("cannot open 'none' of ", path).c_str()), Error);
}

namespace {

/// Replaces the one place of a file where `before` stands by `after`, of the same length.
void replace_bytes(const std::string& path, const std::string& before, const std::string& after) {
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const size_t at = bytes.find(before);
  REQUIRE(at != std::string::npos);
  REQUIRE(bytes.find(before, at + 1) == std::string::npos);
  REQUIRE(before.size() == after.size());
  std::ofstream(path, std::ios::binary) << bytes.replace(at, before.size(), after);
}

std::string bytes_of(double value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

TEST_CASE("hdf5: one value or attribute that changed is noticed when the file is opened") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  const auto write = [&](double last) {
    Hdf5File file = Hdf5File::create(path);
    const std::vector<float> many(5'000'000, 0.25f);  // more than is read at a time
    file.write("group/many", many.data(), {5, 1'000'000});
    file.write("values", {1, 2, last});
    file.write_text("words", "the loss");
    file.set_attribute("note", "as it was");
    file.close();
  };
  write(0.3);
  CHECK(error_of([&] { Hdf5File::open_read(path); }) == "no error");
  CHECK_FALSE(Hdf5File::open_read(path).attributes().contains("checksum"));

  const std::string damaged =
      path +
      " was damaged, or altered: its contents are not those of its "
      "checksum. Restore a copy, or compute it again; a program that alters "
      "it on purpose removes the attribute 'checksum'";
  replace_bytes(path, bytes_of(0.3), bytes_of(std::nextafter(0.3, 1.0)));
  CHECK(error_of([&] { Hdf5File::open_read(path); }) == damaged);
  write(0.3);
  replace_bytes(path, "the loss", "the lost");
  CHECK(error_of([&] { Hdf5File::open_read(path); }) == damaged);
}

TEST_CASE("hdf5: the checksum depends on contents alone, wherever in the file they lie") {
  const TemporaryFolder folder;
  const auto checksum = [&](bool reversed, const std::string& name) {
    const std::string path = folder.file("a.h5");
    Hdf5File file = Hdf5File::create(path);
    if (reversed) file.write("b", {2});
    file.write(name, {1});
    if (!reversed) file.write("b", {2});
    file.close();
    const hid_t opened = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const std::string result = hdf5_checksum(opened, path);
    H5Fclose(opened);
    return result;
  };
  CHECK(checksum(false, "a") == checksum(true, "a"));
  CHECK(checksum(false, "a") != checksum(false, "c"));
  CHECK(checksum(false, "a").size() == 16);
}
