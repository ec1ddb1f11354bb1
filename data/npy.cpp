#include "data/npy.h"

#include <zip.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
/// Numbers of zero are packed as small as this.
constexpr int64_t kLargestPacking = 256;

/// Returns what stands behind 'key': in the header, a dictionary of Python on one line.
std::string_view value_of_key(std::string_view header, std::string_view key) {
  const std::string quoted = text('\'', key, "':");
  const size_t begin = header.find(quoted);
  require(begin != std::string_view::npos, "its header has no '", key, "'");
  header.remove_prefix(begin + quoted.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

std::vector<int64_t> shape_of(std::string_view rest) {
  require(rest.starts_with('('), "its header has no shape");
  rest.remove_prefix(1);
  std::vector<int64_t> shape;
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" ,"), rest.size()));
    if (rest.starts_with(')')) return shape;
    int64_t extent = -1;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), extent);
    require(error == std::errc() && extent >= 0 && shape.size() < 8, "its shape cannot be read");
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    shape.push_back(extent);
  }
}

int64_t bytes_of_type(const std::string& type) {
  for (const char* known : {"u1", "i1", "b1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"})
    if (type == known) return type[1] - '0';
  fail("it holds values of type '", type, "': numbers alone are read");
}

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace

int64_t NumpyArray::count() const {
  int64_t count = 1;
  for (int64_t extent : shape) count *= extent;
  return count;
}

NumpyArray read_npy(std::string_view file) {
  require(file.starts_with(kMagic) && file.size() > 12, "it is no array of numpy (.npy)");
  const bool wide = file[6] >= 2;  // the length of the header in four bytes
  uint32_t length = 0;
  std::memcpy(&length, file.data() + 8, wide ? 4 : 2);
  const size_t begin = wide ? 12 : 10;
  require(length <= file.size() - begin, "it ends too early");
  const std::string_view header = file.substr(begin, length);
  const std::string_view type = value_of_key(header, "descr");
  const size_t quote = type.starts_with('\'') ? type.find('\'', 1) : std::string_view::npos;
  require(quote != std::string_view::npos, "it holds records, not numbers");
  NumpyArray array;
  array.type = std::string(type.substr(1, quote - 1));
  require(array.type.size() == 3 && array.type[0] != '>', "it holds values of type '", array.type,
          "': numbers in little-endian order alone are read");
  array.type.erase(0, 1);
  require(value_of_key(header, "fortran_order").starts_with("False"),
          "it is in Fortran's order: save numpy.ascontiguousarray() of it");
  array.shape = shape_of(value_of_key(header, "shape"));
  const std::string_view data = file.substr(begin + length);
  double bytes = static_cast<double>(bytes_of_type(array.type)), most = bytes;
  for (int64_t extent : array.shape) {
    bytes *= static_cast<double>(extent);
    most *= static_cast<double>(std::max<int64_t>(1, extent));
  }
  require(most < 0x1p62, "its shape is too large for any file");  // beside an extent of 0, too
  require(bytes == static_cast<double>(data.size()), "it has ", data.size(),
          " bytes of numbers, not ", bytes, ", as its header says");
  array.bytes.assign(data.begin(), data.end());
  return array;
}

NumpyArray read_npz(const std::string& path, const std::string& name) {
  int error = 0;
  const std::unique_ptr<zip_t, CloseArchive> archive(
      zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &error));
  require(archive != nullptr, "it is no ZIP archive, or damaged");
  const std::string member = name + ".npy";
  zip_stat_t stat;
  if (zip_stat(archive.get(), member.c_str(), 0, &stat) != 0) return {};
  const double limit =
      static_cast<double>(kLargestPacking) * static_cast<double>(std::filesystem::file_size(path));
  require((stat.valid & ZIP_STAT_SIZE) != 0 && static_cast<double>(stat.size) <= limit, "'", member,
          "' in it is larger than could be packed into it");
  const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen(archive.get(), member.c_str(), 0));
  require(file != nullptr, "'", member, "' in it cannot be read: ", zip_strerror(archive.get()));
  std::vector<char> bytes(stat.size);
  require(zip_fread(file.get(), bytes.data(), bytes.size()) == static_cast<int64_t>(bytes.size()),
          "'", member, "' in it is damaged");
  char rest = 0;  // reading on to the end compares the checksum
  require(zip_fread(file.get(), &rest, 1) == 0, "'", member, "' in it is damaged");
  return read_npy({bytes.data(), bytes.size()});
}

}  // namespace topograd
