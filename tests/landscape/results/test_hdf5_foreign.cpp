// Files as other programs write them: strings of every kind, numbers of every width, attributes and
// datasets that are none of ours. Written with HDF5's own calls.
#include <hdf5.h>

#include <cstring>
#include <fstream>

#include "landscape/results/hdf5_file.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

hid_t string_type(size_t size, H5T_cset_t characters, H5T_str_t padding) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_cset(type, characters);
  H5Tset_strpad(type, padding);
  return type;
}

void write_dataset(hid_t file, const char* name, hid_t file_type, hid_t memory_type,
                   const std::vector<hsize_t>& extents, const void* values) {
  const hid_t space =
      extents.empty() ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
  const hid_t dataset =
      H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
}

void write_attribute(hid_t file, const char* name, hid_t type, hsize_t count, const void* values) {
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Awrite(attribute, type, values) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
}

/// A file of the library's default (oldest) format, open for writing until it is destroyed.
class ForeignFile {
 public:
  explicit ForeignFile(const std::string& path)
      : id(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {
    REQUIRE(id >= 0);
  }
  ~ForeignFile() { H5Fclose(id); }
  ForeignFile(const ForeignFile&) = delete;
  ForeignFile& operator=(const ForeignFile&) = delete;
  const hid_t id;
};

}  // namespace

TEST_CASE("hdf5: strings of every kind are read") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  {
    const ForeignFile file(path);
    const char* words = "variable, as h5py writes it";
    const char* none = nullptr;
    for (H5T_cset_t characters : {H5T_CSET_ASCII, H5T_CSET_UTF8}) {
      const hid_t type = string_type(H5T_VARIABLE, characters, H5T_STR_NULLTERM);
      write_dataset(file.id, characters == H5T_CSET_ASCII ? "ascii" : "utf8", type, type, {},
                    &words);
      write_attribute(file.id, characters == H5T_CSET_ASCII ? "ascii" : "utf8", type, 1, &words);
      if (characters == H5T_CSET_ASCII) write_dataset(file.id, "none", type, type, {1}, &none);
      H5Tclose(type);
    }
    for (H5T_str_t padding : {H5T_STR_NULLTERM, H5T_STR_NULLPAD, H5T_STR_SPACEPAD}) {
      const hid_t type = string_type(8, H5T_CSET_ASCII, padding);
      const char* value = padding == H5T_STR_SPACEPAD ? "abcde   " : "abcde\0\0";
      write_dataset(file.id, text("fixed", padding).c_str(), type, type, {}, value);
      write_dataset(file.id, text("two", padding).c_str(), type, type, {2}, "abcdefgh1234567");
      H5Tclose(type);
    }
    const hid_t full = string_type(8, H5T_CSET_ASCII, H5T_STR_NULLPAD);
    write_dataset(file.id, "full", full, full, {}, "abcdefgh");
    H5Tclose(full);
  }
  const Hdf5File file = Hdf5File::open_read(path);
  CHECK(file.read_text("ascii") == "variable, as h5py writes it");
  CHECK(file.read_text("utf8") == "variable, as h5py writes it");
  CHECK(file.read_text("none") == "");
  CHECK(file.read_text("full") == "abcdefgh");
  for (H5T_str_t padding : {H5T_STR_NULLTERM, H5T_STR_NULLPAD, H5T_STR_SPACEPAD}) {
    CHECK(file.read_text(text("fixed", padding)) == "abcde");
    CHECK_THROWS_WITH_AS(file.read_text(text("two", padding)),
                         doctest::Contains("it is not one string"), Error);
  }
  CHECK(file.attributes() ==
        std::map<std::string, std::string>{{"ascii", "variable, as h5py writes it"},
                                           {"utf8", "variable, as h5py writes it"}});
}

TEST_CASE("hdf5: numbers of any width are converted, what cannot be is an error") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  {
    const ForeignFile file(path);
    const int32_t integers[] = {-1, 7};
    const double real = 0.1;
    write_dataset(file.id, "big-endian", H5T_STD_I64BE, H5T_NATIVE_INT32, {2}, integers);
    write_dataset(file.id, "half as wide", H5T_IEEE_F32BE, H5T_NATIVE_DOUBLE, {1}, &real);
    write_dataset(file.id, "five axes", H5T_STD_I32LE, H5T_NATIVE_INT32, {1, 1, 2, 1, 1}, integers);
    write_attribute(file.id, "pair", H5T_NATIVE_INT32, 2, integers);
    write_attribute(file.id, "one", H5T_NATIVE_INT32, 1, integers);
    write_attribute(file.id, "real", H5T_NATIVE_DOUBLE, 1, &real);
  }
  const Hdf5File file = Hdf5File::open_read(path);
  CHECK(file.read<double>("big-endian") == std::vector<double>{-1, 7});
  CHECK(file.read<double>("half as wide") == std::vector<double>{0.1f});
  CHECK_THROWS_WITH_AS(file.read<double>("five axes"),
                       doctest::Contains("has 5 axes, at most four are known"), Error);
  CHECK(file.attributes() == std::map<std::string, std::string>{{"one", "-1"}, {"real", "0.1"}});
}

TEST_CASE("hdf5: an extent beyond the file's size is damage, not a request for memory") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  {
    const ForeignFile file(path);
    const hsize_t extents[] = {hsize_t{1} << 40, hsize_t{1} << 20};
    const hid_t space = H5Screate_simple(2, extents, nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {1, 1};
    H5Pset_chunk(creation, 2, chunk);  // takes no space until it is written
    const hid_t dataset =
        H5Dcreate2(file.id, "huge", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    REQUIRE(dataset >= 0);
    H5Dclose(dataset);
    H5Pclose(creation);
    H5Sclose(space);
  }
  CHECK_THROWS_WITH_AS(Hdf5File::open_read(path).read<double>("huge"),
                       doctest::Contains("larger than what the file holds of it, which is damaged"),
                       Error);
}

TEST_CASE("hdf5: what leads to another file is not read") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  folder.write("secret", "words of another file");
  {
    const ForeignFile other(folder.file("other.h5"));
    const double value = 42;
    write_dataset(other.id, "x", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, {1}, &value);
  }
  {
    const ForeignFile file(path);
    REQUIRE(H5Lcreate_external(folder.file("other.h5").c_str(), "/x", file.id, "link", H5P_DEFAULT,
                               H5P_DEFAULT) >= 0);
    REQUIRE(H5Lcreate_external(folder.file("other.h5").c_str(), "/", file.id, "group", H5P_DEFAULT,
                               H5P_DEFAULT) >= 0);
    REQUIRE(H5Lcreate_soft("/group/x", file.id, "by way of", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    const hsize_t bytes = 8, one = 1;
    const hid_t space = H5Screate_simple(1, &bytes, nullptr);
    const hid_t stored = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(stored, folder.file("secret").c_str(), 0, bytes);
    H5Dclose(
        H5Dcreate2(file.id, "stored", H5T_NATIVE_UINT8, space, H5P_DEFAULT, stored, H5P_DEFAULT));
    H5Pclose(stored);
    H5Sclose(space);
    const hid_t single = H5Screate_simple(1, &one, nullptr);
    const hid_t mapped = H5Pcreate(H5P_DATASET_CREATE);
    REQUIRE(H5Pset_virtual(mapped, single, folder.file("other.h5").c_str(), "/x", single) >= 0);
    H5Dclose(H5Dcreate2(file.id, "virtual", H5T_NATIVE_DOUBLE, single, H5P_DEFAULT, mapped,
                        H5P_DEFAULT));
    H5Pclose(mapped);
    H5Sclose(single);
  }
  const Hdf5File file = Hdf5File::open_read(path);
  for (const char* name : {"link", "group/x", "by way of", "stored", "virtual"}) {
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(file.read<double>(name),
                         doctest::Contains("another file, which is not read"), Error);
    CHECK_THROWS_AS(file.read_text(name), Error);
    CHECK_THROWS_AS(file.shape(name), Error);
  }
  CHECK_THROWS_WITH_AS(file.members("group"), doctest::Contains("another file"), Error);
}

TEST_CASE("hdf5: strings and numbers longer than the file are errors") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  {
    const ForeignFile file(path);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t text = string_type((size_t{1} << 31) - 1, H5T_CSET_ASCII, H5T_STR_NULLTERM);
    H5Dclose(H5Dcreate2(file.id, "text", text, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Tclose(text);
    const hid_t number = H5Tcopy(H5T_NATIVE_INT64);
    H5Tset_size(number, 1 << 20);
    H5Dclose(H5Dcreate2(file.id, "number", number, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Tclose(number);
    H5Sclose(space);
  }
  const Hdf5File file = Hdf5File::open_read(path);
  CHECK_THROWS_WITH_AS(file.read_text("text"), doctest::Contains("longer than the file"), Error);
  if (file.has("number"))  // newer versions of HDF5 make no such dataset
    CHECK_THROWS_WITH_AS(file.read<double>("number"), doctest::Contains("does not hold numbers"),
                         Error);
}

namespace {

/// A file in which a dataset and an attribute are strings of variable length.
std::string written_texts(const TemporaryFolder& folder, H5F_libver_t format, hsize_t user_block,
                          int further) {
  const std::string path = folder.file("texts.h5");
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_userblock(creation, user_block);
  H5Pset_libver_bounds(access, format, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access);
  const hid_t type = string_type(H5T_VARIABLE, H5T_CSET_UTF8, H5T_STR_NULLTERM);
  const char *words = "words of a dataset", *note = "words of an attribute";
  write_dataset(file, "text", type, type, {}, &words);
  for (int i = 0; i < further; ++i)
    write_attribute(file, text("before ", i).c_str(), H5T_NATIVE_INT, 1, &i);
  write_attribute(file, "note", type, 1, &note);
  H5Tclose(type);
  H5Pclose(creation);
  H5Pclose(access);
  H5Fclose(file);
  return path;
}

}  // namespace

TEST_CASE("hdf5: strings of variable length in either format, behind a block of the user's") {
  const TemporaryFolder folder;
  for (const H5F_libver_t format : {H5F_LIBVER_EARLIEST, H5F_LIBVER_V18, H5F_LIBVER_LATEST})
    for (const hsize_t user_block : {0, 512})
      for (const int further : {0, 6}) {
        CAPTURE(format);
        CAPTURE(user_block);
        const Hdf5File file =
            Hdf5File::open_read(written_texts(folder, format, user_block, further));
        CHECK(file.read_text("text") == "words of a dataset");
        CHECK(file.attributes().at("note") == "words of an attribute");
      }
  {  // Version 1 of an object's header goes on elsewhere.
    const Hdf5File many = Hdf5File::open_read(written_texts(folder, H5F_LIBVER_EARLIEST, 0, 300));
    CHECK(many.attributes().at("note") == "words of an attribute");
  }
  // Later formats then keep attributes in a heap of theirs.
  const Hdf5File dense = Hdf5File::open_read(written_texts(folder, H5F_LIBVER_LATEST, 0, 20));
  CHECK_THROWS_WITH_AS(dense.attributes(), doctest::Contains("fixed length"), Error);
}

TEST_CASE("hdf5: whatever byte of a string's place and heap is changed, it is read or refused") {
  const TemporaryFolder folder;
  for (const H5F_libver_t format : {H5F_LIBVER_EARLIEST, H5F_LIBVER_V18}) {
    const std::string path = written_texts(folder, format, 0, 0), sound = contents(path);
    const size_t heap = sound.find("GCOL");
    REQUIRE(heap != sound.npos);
    int refused = 0;
    for (size_t at = 0; at < sound.size(); ++at) {
      // The heap's head and objects, and every descriptor: its address is the heap's.
      const uint64_t address = heap;
      const auto points_here = [&](size_t from) {
        return from + 8 <= sound.size() && std::memcmp(&sound[from], &address, 8) == 0;
      };
      bool in_descriptor = false;
      for (size_t from = at > 12 ? at - 12 : 0; from <= at + 4; ++from)
        in_descriptor = in_descriptor || points_here(from);
      if (!in_descriptor && (at < heap || at >= heap + 96)) continue;
      for (const char changed : {'\x00', '\x01', '\x7F', '\xFF'}) {
        std::string bytes = sound;
        bytes[at] = changed;
        std::ofstream(path, std::ios::binary) << bytes;
        try {
          const Hdf5File file = Hdf5File::open_read(path);
          const size_t length = file.read_text("text").size();
          CHECK(length <= sound.size());
          file.attributes();
        } catch (const Error&) {
          ++refused;
        }
      }
    }
    CHECK(refused > 20);
  }
}
