#include <doctest/doctest.h>

#include <filesystem>
#include <vector>

#include "kernels/core/atomic_file.h"
#include "kernels/core/hash.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;
namespace fs = std::filesystem;

TEST_CASE("atomic file: replaces the old contents and leaves nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_file_atomically(path, "first");
  CHECK(folder.read("a") == "first");
  const std::string binary("a\0b", 3);
  write_file_atomically(path, binary);
  CHECK(folder.read("a") == binary);
  CHECK(folder.files() == 1);
}

TEST_CASE("atomic file: the old file is whole while the new one is being written") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_file_atomically(path, "old");
  write_file_atomically(path, [&](const std::string& temporary) {
    CHECK(fs::path(temporary).parent_path() == fs::path(path).parent_path());
    write_bytes(temporary, "half");
    CHECK(folder.read("a") == "old");
    write_bytes(temporary, "new");
  });
  CHECK(folder.read("a") == "new");
}

TEST_CASE("atomic file: a writer that throws leaves the old file and no temporary") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_file_atomically(path, "old");
  const auto failing = [](const std::string& temporary) {
    write_bytes(temporary, "half");
    fail("the axes differ");
  };
  CHECK(error_of([&] { write_file_atomically(path, failing); }) ==
        "cannot write " + path + ": the axes differ");
  CHECK(folder.read("a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("atomic file: a writer that writes nothing, or a missing folder, is an error") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  CHECK(error_of([&] { write_file_atomically(path, [](const std::string&) {}); }) ==
        "cannot write " + path + ": nothing was written");
  CHECK(folder.files() == 0);
  const std::string lost = folder.file("missing/a");
  CHECK(error_of([&] { write_file_atomically(lost, "x"); }) ==
        "cannot write " + lost + ": No such file or directory: make its folder first");
}

TEST_CASE("atomic file: a full disk is named") {
  if (!fs::exists("/dev/full")) return;  // not a Linux kernel's
  CHECK(error_of([] { write_bytes("/dev/full", "x"); }) ==
        "No space left on device: free some space or write elsewhere");
}

TEST_CASE("atomic file: a folder in the place of the file is an error") {
  const TemporaryFolder folder;
  fs::create_directory(folder.file("a"));
  CHECK(error_of([&] { write_file_atomically(folder.file("a"), "x"); }) ==
        "cannot write " + folder.file("a") + ": Is a directory");
  CHECK(folder.files() == 1);
}

TEST_CASE("hash: XXH64 of the published strings and of every tail length's path") {
  CHECK(content_hash(nullptr, 0) == 0xEF46DB3751D8E999);
  CHECK(content_hash("abc", 3) == 0x44BC2CF5AD770999);
  // Values of xxHash 0.8.1 itself: prefixes of bytes 7 i + 3, seeds 0 and 2654435761.
  std::vector<unsigned char> bytes(200);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(7 * i + 3);
  struct Case {
    size_t length;
    uint64_t hash, seeded;
  };
  for (const Case& c : std::vector<Case>{
           {1, 0x1F25C8D0BC1F4BB6, 0x79CF94F5ACE37FE1},
           {4, 0x9BB64B7D66EE9FDA, 0x4A862FBB4B73776E},
           {14, 0xC7F1D4D0ACFA5A14, 0x51341A138B098941},
           {31, 0xA2AA5F33CC4A6119, 0x381822F33376D6B6},
           {32, 0x23C3C17EF790FD97, 0x9ABD315470AC276A},
           {33, 0x50A7CFC7BA588784, 0x72CDD3262F467933},
           {63, 0x5E3E54B431C7493C, 0x634DA7D265979E61},
           {64, 0x0EB64B3EF6EEB01F, 0xBCB3847D70525180},
           {101, 0xBAD4D3BF033BDA4C, 0x6C892CEEBBC660AA},
           {200, 0xA6CB3C09BC829B24, 0xFB1DD7EAA8EB8A3C},
       }) {
    CAPTURE(c.length);
    CHECK(content_hash(bytes.data(), c.length) == c.hash);
    CHECK(content_hash(bytes.data(), c.length, 2654435761) == c.seeded);
  }
}

TEST_CASE("hash: sixteen digits") {
  CHECK(hex(0) == "0000000000000000");
  CHECK(hex(0x0123456789ABCDEF) == "0123456789abcdef");
}
