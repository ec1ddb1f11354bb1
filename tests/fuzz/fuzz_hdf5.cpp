#include <algorithm>
#include <cstring>
#include <vector>

#include "landscape/kinds/result_kind.h"
#include "landscape/results/hdf5_file.h"
#include "tests/fuzz/drawn.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

/// What an entry of the file is: the first byte of each.
enum class Entry { f64, f32, u8, text, text_attribute, number_attribute };
constexpr int64_t kEntries = 6;
constexpr int64_t kMostValues = 4096;

template <class T>
void write_values(Hdf5File& file, const std::string& name, Source& source) {
  std::vector<int64_t> extents;
  int64_t count = 1;
  for (int64_t rank = source.below(5); rank > 0; --rank) {
    const int64_t extent =
        std::min<int64_t>(source.byte(), kMostValues / std::max<int64_t>(1, count));
    extents.push_back(extent);
    count *= extent;
  }
  std::vector<T> values(static_cast<size_t>(count));
  const std::string_view raw = source.bytes(values.size() * sizeof(T));
  if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
  file.write(name, values.data(), Shape(extents.begin(), extents.end()));
}

/// Writes an entry: its kind, its name behind a byte with its length, its value.
void write_entry(Hdf5File& file, Source& source) {
  const auto kind = static_cast<Entry>(source.below(kEntries));
  const std::string name(source.bytes(source.byte()));
  if (kind == Entry::f64) write_values<double>(file, name, source);
  if (kind == Entry::f32) write_values<float>(file, name, source);
  if (kind == Entry::u8) write_values<uint8_t>(file, name, source);
  if (kind == Entry::text) file.write_text(name, std::string(source.bytes(source.byte())));
  if (kind == Entry::text_attribute)
    file.set_attribute(name, std::string(source.bytes(source.byte())));
  if (kind == Entry::number_attribute) file.set_attribute(name, source.number());
}

}  // namespace

/// Bytes of an HDF5 file hardly survive a change, for they have checksums: these are its entries.
void hdf5(std::string_view bytes) {
  const std::string path = folder() + "/entries.h5";
  Source source(bytes);
  Hdf5File file = Hdf5File::create(path);
  while (!source.ended()) write_entry(file, source);
  file.close();
  draw_and_write(load_record(path), bytes);
}

}  // namespace topograd::fuzz
