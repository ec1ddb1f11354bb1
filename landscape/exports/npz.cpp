#include "landscape/exports/npz.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/core/check.h"
#include "landscape/exports/zip_archive.h"
#include "landscape/results/record_json.h"

namespace topograd {

namespace {

static_assert(std::endian::native == std::endian::little,
              "arrays are written as they lie in memory");

/// Decodes UTF-8 to code points; an invalid byte becomes U+FFFD.
std::u32string code_points(const std::string& utf8) {
  std::u32string points;
  for (size_t i = 0; i < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    const size_t length = first < 0x80       ? 1
                          : first >> 5 == 6  ? 2
                          : first >> 4 == 14 ? 3
                          : first >> 3 == 30 ? 4
                                             : 0;
    char32_t point = length < 2 ? first : first & (0x7F >> length);
    bool valid = length > 0 && i + length <= utf8.size();
    for (size_t k = 1; valid && k < length; ++k) {
      const auto next = static_cast<unsigned char>(utf8[i + k]);
      valid = next >> 6 == 2;
      point = point << 6 | (next & 0x3F);
    }
    points += valid ? point : U'\xFFFD';
    i += valid ? length : 1;
  }
  return points;
}

/// Returns '<U7' and the texts, each padded with zeros to the longest.
std::pair<std::string, std::string> texts(const std::vector<std::string>& words) {
  std::vector<std::u32string> all;
  size_t longest = 1;
  for (const std::string& word : words) {
    all.push_back(code_points(word));
    longest = std::max(longest, all.back().size());
  }
  std::string data;
  for (std::u32string& word : all) {
    word.resize(longest, U'\0');
    data.append(reinterpret_cast<const char*>(word.data()), 4 * longest);
  }
  return {text("<U", longest), data};
}

std::pair<std::string, std::string> type_and_data(const NamedArray& array) {
  std::string data;
  switch (array.type) {
    case NamedArray::Type::text:
      return texts(array.words);
    case NamedArray::Type::mask:
      for (double value : array.numbers) data += value != 0 ? '\1' : '\0';
      return {"|b1", data};
    case NamedArray::Type::real:
      data.append(reinterpret_cast<const char*>(array.numbers.data()), 8 * array.numbers.size());
      return {"<f8", data};
  }
  fail("no such type of array");
}

std::string npy_of(const NamedArray& array) {
  const auto [type, data] = type_and_data(array);
  std::string shape;
  for (int64_t extent : array.shape) shape += text(extent, ",");
  std::string header =
      text("{'descr': '", type, "', 'fortran_order': False, 'shape': (", shape, "), }");
  // The format wants the data to begin at a multiple of 64.
  const size_t before = 10;
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  std::string npy("\x93NUMPY\x01\x00", 8);
  npy += static_cast<char>(header.size() & 0xFF);
  npy += static_cast<char>(header.size() >> 8);
  return npy + header + data;
}

}  // namespace

std::string npz_of(const Record& record) {
  std::vector<ZipEntry> entries;
  for (const NamedArray& array : record.arrays)
    entries.push_back({array.name + ".npy", npy_of(array)});
  const auto add_text = [&](const std::string& name, const std::string& value) {
    require(!record.find(name), "there are values called '", name,
            "', which npz keeps for something else");
    entries.push_back(
        {name + ".npy", npy_of({.name = name, .type = NamedArray::Type::text, .words = {value}})});
  };
  add_text("kind", record.kind);
  add_text("provenance", json_of(record.provenance));
  return zip_archive(entries);
}

}  // namespace topograd
