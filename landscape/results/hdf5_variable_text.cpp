#include "landscape/results/hdf5_variable_text.h"

#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/core/check.h"
#include "kernels/core/streams.h"

namespace topograd {

namespace {

// Chapters of HDF5's file format specification: III.E global heap, IV.A object headers, IV.A.2.m attribute messages.
constexpr uint64_t kHeapHeader = 16;    // bytes: a signature, a version, at 8 the heap's length
constexpr uint64_t kObjectHeader = 16;  // bytes: an index, a count, at 8 the object's length
constexpr uint64_t kDescriptor = 16;    // bytes: a length, at 4 a heap's address, at 12 an index
constexpr int kAttributeMessage = 0x0C, kContinuationMessage = 0x10;
constexpr int kSharedMessage = 2;  // a flag: the message is elsewhere

uint64_t number(std::string_view bytes, uint64_t at, uint64_t count) {
  require(at + count <= bytes.size(), "it ends too early");
  uint64_t value = 0;
  for (uint64_t i = count; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[at + i - 1]);
  return value;
}

constexpr uint64_t padded(uint64_t bytes) {
  return (bytes + 7) / 8 * 8;
}

/// Returns the value of an attribute's message if it is called so: what follows its name, its type
/// and its extents.
std::optional<std::string> value_of(std::string_view message, const std::string& name) {
  const uint64_t version = number(message, 0, 1);
  const uint64_t name_bytes = number(message, 2, 2), type_bytes = number(message, 4, 2),
                 space_bytes = number(message, 6, 2);
  const uint64_t at = version == 3 ? 9 : 8;
  const auto place = [&](uint64_t bytes) { return version == 1 ? padded(bytes) : bytes; };
  require(version >= 1 && version <= 3 && at + name_bytes <= message.size(),
          "its attributes are damaged");
  const std::string_view stored = message.substr(at, name_bytes);
  if (stored.substr(0, stored.find('\0')) != name) return {};
  const uint64_t value = at + place(name_bytes) + place(type_bytes) + place(space_bytes);
  require(value + kDescriptor <= message.size(), "its attributes are damaged");
  return std::string(message.substr(value, kDescriptor));
}

/// A part of an object's header: messages one after the other.
struct Messages {
  std::string bytes;
  int version;       // 1 or 2
  bool with_orders;  // version 2: each message has the number in which it was made
};

/// Calls function(type, flags, body) for each message, as long as it returns false.
template <class Function>
bool any_message(const Messages& messages, Function function) {
  const std::string_view bytes = messages.bytes;
  const uint64_t head = messages.version == 1 ? 8 : messages.with_orders ? 6 : 4;
  for (uint64_t at = 0; at + head <= bytes.size();) {
    const bool old = messages.version == 1;
    const auto type = static_cast<int>(number(bytes, at, old ? 2 : 1));
    const uint64_t size = number(bytes, at + (old ? 2 : 1), 2);
    const auto flags = static_cast<int>(number(bytes, at + (old ? 4 : 3), 1));
    at += head;
    require(at + size <= bytes.size(), "its attributes are damaged");
    if (function(type, flags, bytes.substr(at, size))) return true;
    at += size;
  }
  return false;
}

}  // namespace

Hdf5VariableText::Hdf5VariableText(std::string path, uint64_t user_block)
    : path_(std::move(path)), user_block_(user_block) {
  file_bytes_ = std::filesystem::file_size(path_);
}

std::string Hdf5VariableText::bytes(uint64_t at, uint64_t count) const {
  require(at <= file_bytes_ && count <= file_bytes_ - at, "it is longer than the file");
  FileReader in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(at));
  std::string result(count, '\0');
  in.read(result.data(), static_cast<std::streamsize>(count));
  require(static_cast<uint64_t>(in.gcount()) == count, "the file ends too early");
  return result;
}

std::string Hdf5VariableText::described(const std::string& descriptor) const {
  const uint64_t length = number(descriptor, 0, 4), address = number(descriptor, 4, 8),
                 wanted = number(descriptor, 12, 4);
  if (length == 0 || address == 0) return "";
  require(length <= file_bytes_ && address <= file_bytes_, "it is longer than the file");
  const uint64_t begin = user_block_ + address;
  const std::string header = bytes(begin, kHeapHeader);
  require(header.compare(0, 4, "GCOL") == 0, "its heap of strings is not where it should be");
  const std::string heap = bytes(begin, number(header, 8, 8));
  for (uint64_t at = kHeapHeader; at + kObjectHeader <= heap.size();) {
    const uint64_t index = number(heap, at, 2), size = number(heap, at + 8, 8);
    if (index == 0) break;  // the rest is free
    at += kObjectHeader;
    require(size <= heap.size() - at, "its heap of strings is damaged");
    if (index == wanted) {
      require(length <= size, "its heap of strings is damaged");
      return {heap.data() + at, strnlen(heap.data() + at, length)};
    }
    at += padded(size);
  }
  fail("its heap of strings does not hold it");
}

std::string Hdf5VariableText::of_dataset(uint64_t storage) const {
  return described(bytes(storage, kDescriptor));
}

std::string Hdf5VariableText::of_attribute(uint64_t header, const std::string& name) const {
  require(header <= file_bytes_, "it is longer than the file");
  const uint64_t begin = user_block_ + header;
  std::vector<Messages> parts;
  if (bytes(begin, 4) == "OHDR") {
    const auto flags = static_cast<int>(number(bytes(begin + 5, 1), 0, 1));
    const uint64_t before = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    const uint64_t size_bytes = uint64_t{1} << (flags & 3);
    const uint64_t size = number(bytes(begin + before, size_bytes), 0, size_bytes);
    parts.push_back({bytes(begin + before + size_bytes, size), 2, (flags & 4) != 0});
  } else {
    parts.push_back({bytes(begin + 16, number(bytes(begin + 8, 4), 0, 4)), 1, false});
  }
  std::optional<std::string> descriptor;
  // A part may say where another one lies; no file has more of them than this.
  constexpr size_t kMostParts = 4096;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Messages part = parts[i];
    const bool found = any_message(part, [&](int type, int flags, std::string_view body) {
      if (type == kContinuationMessage) {
        require(parts.size() < kMostParts, "its attributes are damaged");
        const uint64_t address = number(body, 0, 8), length = number(body, 8, 8);
        require(address <= file_bytes_ && length >= 8, "its attributes are damaged");
        const std::string there = bytes(user_block_ + address, length);
        // Version 2: a signature before, a checksum behind.
        parts.push_back({part.version == 1 ? there : there.substr(4, length - 8), part.version,
                         part.with_orders});
      }
      if (type == kAttributeMessage && (flags & kSharedMessage) == 0)
        descriptor = value_of(body, name);
      return descriptor.has_value();
    });
    if (found) return described(*descriptor);
  }
  fail("it is kept in a way that is not read: write it as a string of fixed length");
}

}  // namespace topograd
