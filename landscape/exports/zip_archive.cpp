#include "landscape/exports/zip_archive.h"

#include <zlib.h>

#include <cstdint>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50;
constexpr uint16_t kVersion = 20;  // 2.0, the first with folders
constexpr uint16_t kUtf8 = 0x0800, kStored = 0;
constexpr uint16_t kMidnight = 0, kFirstOfJanuary1980 = 0x21;
constexpr size_t kLargest = 0xFFFFFFFE;

/// Writer of little-endian numbers, whatever the processor.
class Bytes {
 public:
  Bytes& u16(uint64_t value) { return add(value, 2); }
  Bytes& u32(uint64_t value) { return add(value, 4); }
  const std::string& text() const { return bytes_; }

 private:
  Bytes& add(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
    return *this;
  }
  std::string bytes_;
};

/// Returns the fields common to an entry's header and the archive's directory.
std::string description(const ZipEntry& entry) {
  const uLong crc = crc32(0, reinterpret_cast<const Bytef*>(entry.contents.data()),
                          static_cast<uInt>(entry.contents.size()));
  return Bytes()
      .u16(kVersion)
      .u16(kUtf8)
      .u16(kStored)
      .u16(kMidnight)
      .u16(kFirstOfJanuary1980)
      .u32(crc)
      .u32(entry.contents.size())  // compressed size
      .u32(entry.contents.size())
      .u16(entry.name.size())
      .u16(0)  // extra fields
      .text();
}

}  // namespace

std::string zip_archive(const std::vector<ZipEntry>& entries) {
  size_t size = 0;
  for (const ZipEntry& entry : entries) size += entry.contents.size() + 2 * entry.name.size() + 100;
  require(size < kLargest && entries.size() < 0xFFFF,
          "a ZIP archive (.npz) holds less than 4 GiB, and ", size,
          " bytes are too many: leave planes out, or use the HDF5 file");
  std::string archive, directory;
  for (const ZipEntry& entry : entries) {
    const std::string described = description(entry);
    directory += Bytes().u32(kCentralHeader).u16(kVersion).text() + described +
                 Bytes().u16(0).u16(0).u16(0).u32(0).u32(archive.size()).text() + entry.name;
    archive += Bytes().u32(kLocalHeader).text() + described + entry.name + entry.contents;
  }
  const size_t begin = archive.size();
  archive += directory;
  return archive + Bytes()
                       .u32(kEnd)
                       .u16(0)
                       .u16(0)
                       .u16(entries.size())
                       .u16(entries.size())
                       .u32(directory.size())
                       .u32(begin)
                       .u16(0)
                       .text();
}

}  // namespace topograd
