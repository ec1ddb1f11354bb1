// .npz, read back by a reader that knows the two formats from their specifications alone.
#include "landscape/exports/npz.h"

#include <map>

#include "landscape/exports/zip_archive.h"
#include "landscape/surface/surface_results.h"
#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// CRC-32 bit by bit.
uint32_t crc_of(const std::string& bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

/// The entries of an archive by its directory, each held against the header before it.
std::map<std::string, std::string> unzipped(const std::string& archive) {
  const size_t end = archive.rfind("PK\x05\x06");
  REQUIRE(end == archive.size() - 22);
  const auto count = number_at<uint16_t>(archive, end + 10);
  CHECK(number_at<uint32_t>(archive, end + 12) + number_at<uint32_t>(archive, end + 16) == end);
  size_t at = number_at<uint32_t>(archive, end + 16);
  std::map<std::string, std::string> entries;
  for (int i = 0; i < count; ++i) {
    REQUIRE(archive.substr(at, 4) == "PK\x01\x02");
    CHECK(number_at<uint16_t>(archive, at + 10) == 0);  // stored
    const auto size = number_at<uint32_t>(archive, at + 24);
    CHECK(number_at<uint32_t>(archive, at + 20) == size);
    const auto name_size = number_at<uint16_t>(archive, at + 28);
    const auto local = number_at<uint32_t>(archive, at + 42);
    const std::string name = archive.substr(at + 46, name_size);
    REQUIRE(archive.substr(local, 4) == "PK\x03\x04");
    CHECK(archive.substr(local + 4, 26) == archive.substr(at + 6, 26));
    CHECK(archive.substr(local + 30, name_size) == name);
    const std::string contents = archive.substr(local + 30 + name_size, size);
    CHECK(number_at<uint32_t>(archive, at + 16) == crc_of(contents));
    entries[name] = contents;
    at += 46u + name_size;
  }
  CHECK(at == end);
  return entries;
}

struct Npy {
  std::string header, data;
};

Npy npy_in(const std::map<std::string, std::string>& entries, const std::string& name) {
  REQUIRE_MESSAGE(entries.contains(name + ".npy"), name);
  const std::string& npy = entries.at(name + ".npy");
  REQUIRE(npy.substr(0, 8) == std::string("\x93NUMPY\x01\0", 8));
  const size_t begin = 10u + number_at<uint16_t>(npy, 8);
  CHECK(begin % 64 == 0);
  CHECK(npy[begin - 1] == '\n');
  std::string header = npy.substr(10, begin - 11);
  header.erase(header.find_last_not_of(' ') + 1);
  return {header, npy.substr(begin)};
}

}  // namespace

TEST_CASE("npz: axes, planes in rows of x, mask and provenance") {
  const Surface surface = with_holes();
  const auto entries = unzipped(npz_of(record_of(surface)));
  CHECK(entries.size() == 7);
  const Npy loss = npy_in(entries, "train_loss");
  CHECK(loss.header == "{'descr': '<f8', 'fortran_order': False, 'shape': (3,4,), }");
  CHECK(same_bits(numbers_in<double>(loss.data), surface.plane("train_loss")));
  CHECK(
      same_bits(numbers_in<double>(npy_in(entries, "train_acc").data), surface.plane("train_acc")));
  CHECK(npy_in(entries, "x").header == "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }");
  CHECK(same_bits(numbers_in<double>(npy_in(entries, "x").data), surface.x()));
  CHECK(same_bits(numbers_in<double>(npy_in(entries, "y").data), surface.y()));
  const Npy done = npy_in(entries, "done");
  CHECK(done.header == "{'descr': '|b1', 'fortran_order': False, 'shape': (3,4,), }");
  CHECK(done.data == std::string("\1\1\1\1\1\1\1\1\1\0\1\1", 12));
}

TEST_CASE("npz: texts are UTF-32, and the provenance is JSON in ASCII") {
  Record record = record_of(lopsided());
  record.add_words("names", "name", {"\xC3\xA9t\xC3\xA9", "a", "", "\xFF\xF0\x9F\x98\x80"});
  const auto entries = unzipped(npz_of(record));
  const Npy names = npy_in(entries, "names");
  CHECK(names.header == "{'descr': '<U3', 'fortran_order': False, 'shape': (4,), }");
  CHECK(numbers_in<uint32_t>(names.data) ==
        std::vector<uint32_t>{0xE9, 't', 0xE9, 'a', 0, 0, 0, 0, 0, 0xFFFD, 0x1F600, 0});
  std::string provenance;
  for (uint32_t point : numbers_in<uint32_t>(npy_in(entries, "provenance").data))
    provenance += static_cast<char>(point);
  CHECK(provenance ==
        "{\"command\":\"landscape surface \\\"a b\\\" <x> & \\u00e9\\nnext\",\"dir_file\":"
        "\"directions.h5\",\"seed\":\"3\"}");
  CHECK(npy_in(entries, "provenance").header ==
        text("{'descr': '<U", provenance.size(), "', 'fortran_order': False, 'shape': (), }"));
}

TEST_CASE("npz: the names of kind and provenance are not an array's") {
  Record record{"gap", ""};
  record.add_number("kind", 1);
  CHECK(error_of([&] { npz_of(record); }) ==
        "there are values called 'kind', which npz keeps for something else");
}

TEST_CASE("npz: equal records give equal bytes") {
  CHECK(npz_of(record_of(lopsided())) == npz_of(record_of(lopsided())));
}

TEST_CASE("zip: an empty archive, and an empty entry") {
  CHECK(unzipped(zip_archive({})).empty());
  const auto entries = unzipped(zip_archive({{"empty", ""}, {"b", "contents"}}));
  CHECK(entries.at("empty").empty());
  CHECK(entries.at("b") == "contents");
}
