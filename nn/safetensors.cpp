#include "nn/safetensors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/core/atomic_file.h"
#include "kernels/core/output_claim.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little,
              "safetensors holds little-endian numbers: swap the bytes on this machine");

constexpr int64_t kLengthBytes = 8;
constexpr int64_t kLargestHeader = 100'000'000;  // the format's own limit

float from_bf16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

float from_f16(uint16_t bits) {
  const float sign = bits & 0x8000 ? -1.0f : 1.0f;
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<float>::quiet_NaN()
                    : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
}

int32_t from_i64(int64_t value) {
  require(std::in_range<int32_t>(value), "holds ", value, ", which does not fit 32 bits");
  return static_cast<int32_t>(value);
}

/// Conversion of a type of the format to one of ours: `convert` is null where the bytes are the
/// same.
struct FileType {
  std::string_view name;
  DType dtype;
  int64_t bytes;
  void (*convert)(const Tensor& to, const std::vector<char>& from);
};

template <class To, class From, To (*element)(From)>
void convert(const Tensor& to, const std::vector<char>& from) {
  for (int64_t i = 0; i < to.size(); ++i) {
    From value;
    std::memcpy(&value, from.data() + i * static_cast<int64_t>(sizeof value), sizeof value);
    to.data<To>()[i] = element(value);
  }
}

constexpr FileType kFileTypes[] = {
    {"F32", DType::f32, 4, nullptr},
    {"F64", DType::f64, 8, nullptr},
    {"I32", DType::i32, 4, nullptr},
    {"U8", DType::u8, 1, nullptr},
    {"F16", DType::f32, 2, convert<float, uint16_t, from_f16>},
    {"BF16", DType::f32, 2, convert<float, uint16_t, from_bf16>},
    {"I64", DType::i32, 8, convert<int32_t, int64_t, from_i64>},
};

const FileType& file_type_named(const std::string& name) {
  for (const FileType& type : kFileTypes)
    if (type.name == name) return type;
  fail("has type ", name, "; this program reads F32, F64, F16, BF16, I32, I64 and U8");
}

std::string_view file_type_of(DType dtype) {
  for (const FileType& type : kFileTypes)
    if (type.dtype == dtype && !type.convert) return type.name;
  fail("safetensors has no type for ", name_of(dtype));
}

/// One tensor as the header describes it; offsets count from the end of the header.
struct Entry {
  std::string name;
  const FileType* type;
  Shape shape;
  int64_t begin;
  int64_t end;
};

/// A number of the header that counts something; a huge one would overflow the sums below.
int64_t parse_count(const json& value) {
  require(value.is_number_unsigned() && value.get<uint64_t>() < (uint64_t{1} << 62),
          "has a shape or offset of ", json_text(value), ", which is no count");
  return value.get<int64_t>();
}

Entry parse_entry(const std::string& name, const json& value, int64_t data_bytes) {
  const json& shape = value.at("shape");
  const json& offsets = value.at("data_offsets");
  require(shape.is_array() && offsets.is_array() && offsets.size() == 2,
          "needs arrays 'shape' and 'data_offsets' [begin, end]");
  require(shape.size() <= 4, "has ", shape.size(), " extents; this program takes up to four");
  Entry entry{name,
              &file_type_named(value.at("dtype").get<std::string>()),
              {},
              parse_count(offsets[0]),
              parse_count(offsets[1])};
  require(entry.begin <= entry.end && entry.end <= data_bytes, "lies at bytes [", entry.begin, ", ",
          entry.end, ") of ", data_bytes, ": the file is truncated or damaged");
  int64_t bytes = entry.type->bytes;
  for (const json& item : shape) {
    const int64_t extent = parse_count(item);
    entry.shape.push_back(extent);
    require(extent == 0 || bytes <= std::numeric_limits<int64_t>::max() / extent,
            "has a shape too large for any file");
    bytes *= extent;
  }
  require(bytes == entry.end - entry.begin, "has ", entry.end - entry.begin,
          " bytes, but its shape ", entry.shape, " of ", entry.type->name, " needs ", bytes);
  return entry;
}

/// The tensors in the order of their bytes, which must fill the rest of the file.
std::vector<Entry> parse_entries(const json& header, int64_t data_bytes) {
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") continue;
    try {
      entries.push_back(parse_entry(name, value, data_bytes));
    } catch (const std::exception& error) {
      fail("tensor '", name, "' ", error.what());
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  int64_t next = 0;
  for (const Entry& entry : entries) {
    require(entry.begin == next, "tensor '", entry.name, "' begins at byte ", entry.begin,
            ", but the one before it ends at ", next, ": the file is damaged");
    next = entry.end;
  }
  require(next == data_bytes, "the tensors end at byte ", next, " of ", data_bytes,
          ": the file is damaged");
  return entries;
}

/// Names the format of a file that does not begin like ours.
std::string foreign_format(std::string_view start) {
  if (start.starts_with("PK\x03\x04") || start.starts_with('\x80'))
    return "is a PyTorch checkpoint? convert it with apps/import_torch.py";
  if (start.starts_with("\x89HDF")) return "is an HDF5 file, not a safetensors checkpoint";
  return "is not a safetensors file";
}

void read_exactly(std::istream& in, char* to, int64_t bytes) {
  require(static_cast<bool>(in.read(to, bytes)), "ends too early, or the disk fails");
}

/// The parsed header; leaves `in` at the first byte of data and `data_bytes` at their number.
json read_header(std::istream& in, int64_t& data_bytes) {
  in.seekg(0, std::ios::end);
  const int64_t file_bytes = static_cast<int64_t>(in.tellg());
  in.seekg(0);
  require(file_bytes > 0, "is empty");
  std::string start(static_cast<size_t>(std::min<int64_t>(file_bytes, kLengthBytes + 1)), '\0');
  read_exactly(in, start.data(), static_cast<int64_t>(start.size()));
  const bool complete = static_cast<int64_t>(start.size()) > kLengthBytes;
  require(complete && start.back() == '{', foreign_format(start));
  uint64_t length;
  std::memcpy(&length, start.data(), sizeof length);
  require(length <= kLargestHeader && static_cast<int64_t>(length) <= file_bytes - kLengthBytes,
          "has a header of ", length, " bytes in a file of ", file_bytes,
          ": the file is truncated or damaged");
  data_bytes = file_bytes - kLengthBytes - static_cast<int64_t>(length);
  std::string header(length, '\0');
  in.seekg(kLengthBytes);
  read_exactly(in, header.data(), static_cast<int64_t>(length));
  json parsed = json_or_null(header);
  require(parsed.is_object(), "has a header that is no JSON object: the file is damaged");
  return parsed;
}

Tensor read_tensor(std::istream& in, const Entry& entry) {
  Tensor tensor(entry.shape, entry.type->dtype);
  if (!entry.type->convert) {
    read_exactly(in, static_cast<char*>(tensor.raw()), tensor.bytes());
    return tensor;
  }
  std::vector<char> bytes(static_cast<size_t>(entry.end - entry.begin));
  read_exactly(in, bytes.data(), entry.end - entry.begin);
  try {
    entry.type->convert(tensor, bytes);
  } catch (const Error& error) {
    fail("tensor '", entry.name, "' ", error.what());
  }
  return tensor;
}

SafetensorsFile read(std::istream& in) {
  int64_t data_bytes = 0;
  const json header = read_header(in, data_bytes);
  SafetensorsFile file;
  if (const auto found = header.find("__metadata__"); found != header.end()) {
    require(found->is_object(), "has a __metadata__ that is no JSON object: the file is damaged");
    for (const auto& [key, value] : found->items()) {
      require(value.is_string(), "has metadata '", key, "' that is no string");
      file.metadata[key] = value.get<std::string>();
    }
  }
  for (const Entry& entry : parse_entries(header, data_bytes))
    file.tensors[entry.name] = read_tensor(in, entry);
  return file;
}

}  // namespace

SafetensorsFile read_safetensors(const std::string& path) {
  note_input(path);
  try {
    std::ifstream in(path, std::ios::binary);
    require(in.is_open(), "cannot be opened: ", std::strerror(errno));
    require(!std::filesystem::is_directory(path), "is a folder, not a safetensors file");
    return read(in);
  } catch (const std::exception& error) {
    fail(path, " ", error.what());
  }
}

void write_safetensors(const std::string& path, const SafetensorsFile& file) {
  using Item = std::pair<const std::string, Tensor>;
  std::vector<const Item*> items;
  for (const Item& item : file.tensors) items.push_back(&item);
  // Wide types first, so that every tensor is aligned for readers that map the file.
  std::stable_sort(items.begin(), items.end(), [](const Item* a, const Item* b) {
    return bytes_of(a->second.dtype()) > bytes_of(b->second.dtype());
  });
  nlohmann::ordered_json header;
  header["__metadata__"] = file.metadata;
  std::vector<std::string_view> parts(2);  // the header's length and the header: known below
  int64_t offset = 0;
  for (const Item* item : items) {
    const Tensor& tensor = item->second;
    require(tensor.defined() && tensor.device() == Device::cpu && item->first != "__metadata__",
            "cannot write ", path, ": '", item->first, "' is no tensor in this machine's memory");
    header[item->first] = {
        {"dtype", file_type_of(tensor.dtype())},
        {"shape", std::vector<int64_t>(tensor.shape().begin(), tensor.shape().end())},
        {"data_offsets", {offset, offset + tensor.bytes()}}};
    parts.emplace_back(static_cast<const char*>(tensor.raw()), static_cast<size_t>(tensor.bytes()));
    offset += tensor.bytes();
  }
  std::string header_text = json_text(header);
  header_text.resize((header_text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = header_text.size();
  parts[0] = {reinterpret_cast<const char*>(&length), sizeof length};
  parts[1] = header_text;
  write_file_atomically(path, [&](const std::string& temporary) { write_bytes(temporary, parts); });
}

}  // namespace topograd
