#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "nn/safetensors.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A file of the format from its header and its number of data bytes, which count 0, 1, 2, ...
std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header;
  for (size_t i = 0; i < data_bytes; ++i) bytes += static_cast<char>(i);
  return bytes;
}

/// The message when the file holds `bytes`, without the path in front.
std::string error_of_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.file("net.safetensors");
  folder.write("net.safetensors", bytes);
  const std::string message = error_of([&] { read_safetensors(path); });
  if (message == "no error") return message;
  REQUIRE(message.starts_with(path + " "));
  CHECK(message.find('\n') == std::string::npos);
  return message.substr(path.size() + 1);
}

std::string error_of_header(const std::string& header, size_t data_bytes) {
  return error_of_bytes(file_of(header, data_bytes));
}

template <class T>
Tensor tensor_of(const Shape& shape, std::initializer_list<T> values) {
  Tensor tensor(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), tensor.data<T>());
  return tensor;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

}  // namespace

TEST_CASE("safetensors: what was written is read back, to the bit") {
  const TemporaryFolder folder;
  const std::string path = folder.file("net.safetensors");
  SafetensorsFile file;
  file.metadata = {{"format", "topograd-checkpoint-1"}, {"quote", "\"\n\\ \xC3\xA9"}};
  file.tensors = {{"a", tensor_of<uint8_t>({3}, {1, 2, 255})},
                  {"b.weight", tensor_of<float>({2, 2}, {1.5f, -0.0f, INFINITY, std::nanf("1")})},
                  {"c", tensor_of<double>({1, 1, 2, 1}, {1e-310, 3})},
                  {"d", tensor_of<int32_t>({}, {-7})},
                  {"e", Tensor(Shape{0, 3})}};
  write_safetensors(path, file);
  const SafetensorsFile back = read_safetensors(path);
  CHECK(back.metadata == file.metadata);
  REQUIRE(back.tensors.size() == file.tensors.size());
  for (const auto& entry : file.tensors)
    CHECK_MESSAGE(same(entry.second, back.tensors.at(entry.first)), entry.first);
  CHECK(folder.files() == 1);
}

TEST_CASE("safetensors: an empty file of tensors") {
  const TemporaryFolder folder;
  const std::string path = folder.file("empty");
  write_safetensors(path, {});
  CHECK(read_safetensors(path).tensors.empty());
}

TEST_CASE("safetensors: data begin at a multiple of eight, wide types first") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  SafetensorsFile file;
  file.tensors = {{"a", tensor_of<uint8_t>({1}, {9})}, {"z", tensor_of<double>({1}, {1})}};
  write_safetensors(path, file);
  const std::string bytes = folder.read("a");
  CHECK(bytes.size() % 8 == 1);
  CHECK(bytes.back() == 9);
}

TEST_CASE("safetensors: half precision and 64-bit integers become f32 and i32") {
  const TemporaryFolder folder;
  std::string bytes = file_of(R"({"h":{"dtype":"F16","shape":[8],"data_offsets":[0,16]},)"
                              R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},)"
                              R"("n":{"dtype":"I64","shape":[],"data_offsets":[22,30]}})",
                              0);
  // 1, -2.5, the largest, the smallest normal, the smallest subnormal, -0, -inf, NaN
  for (uint16_t h : {0x3C00, 0xC100, 0x7BFF, 0x0400, 0x0001, 0x8000, 0xFC00, 0x7E00})
    bytes.append(reinterpret_cast<const char*>(&h), 2);
  for (uint16_t b : {0x3F80, 0xC020, 0x7F80}) bytes.append(reinterpret_cast<const char*>(&b), 2);
  const int64_t batches = -78200;
  bytes.append(reinterpret_cast<const char*>(&batches), 8);
  folder.write("a", bytes);
  const SafetensorsFile file = read_safetensors(folder.file("a"));
  const float* h = file.tensors.at("h").data<float>();
  CHECK(h[0] == 1);
  CHECK(h[1] == -2.5f);
  CHECK(h[2] == 65504);
  CHECK(h[3] == 0x1p-14f);
  CHECK(h[4] == 0x1p-24f);
  CHECK((h[5] == 0 && std::signbit(h[5])));
  CHECK(h[6] == -INFINITY);
  CHECK(std::isnan(h[7]));
  CHECK(same(file.tensors.at("b"), tensor_of<float>({3}, {1, -2.5f, INFINITY})));
  CHECK(same(file.tensors.at("n"), tensor_of<int32_t>({}, {-78200})));
}

TEST_CASE("safetensors: an integer that does not fit is refused") {
  CHECK(error_of_header(R"({"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8) ==
        "tensor 'n' holds 506097522914230528, which does not fit 32 bits");
}

TEST_CASE("safetensors: a file that is missing, empty or a folder") {
  const TemporaryFolder folder;
  CHECK(error_of([&] { read_safetensors(folder.file("x")); }) ==
        folder.file("x") + " cannot be opened: No such file or directory");
  CHECK(error_of([&] { read_safetensors(folder.file("")); }) ==
        folder.file("") + " is a folder, not a safetensors file");
  CHECK(error_of_bytes("") == "is empty");
}

TEST_CASE("safetensors: files of other formats are named") {
  const std::string convert = "is a PyTorch checkpoint? convert it with apps/import_torch.py";
  CHECK(error_of_bytes("PK\x03\x04 and the rest of a zip archive") == convert);
  CHECK(error_of_bytes("\x80\x02}q\x00and the rest of a pickle") == convert);
  CHECK(error_of_bytes("\x89HDF\r\n\x1A\n and more") ==
        "is an HDF5 file, not a safetensors checkpoint");
  CHECK(error_of_bytes("some text, long enough") == "is not a safetensors file");
  CHECK(error_of_bytes("short") == "is not a safetensors file");
}

TEST_CASE("safetensors: a header of 640 bytes begins like a pickle and is none") {
  std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(640, ' ');
  CHECK(error_of_header(header, 1) == "no error");
}

TEST_CASE("safetensors: a truncated file, wherever it ends") {
  const std::string whole = file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  CHECK(error_of_bytes(whole) == "no error");
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(error_of_bytes(whole.substr(0, size)) != "no error");
  }
  CHECK(error_of_bytes(whole.substr(0, 20)) ==
        "has a header of 54 bytes in a file of 20: the file is truncated or damaged");
  CHECK(error_of_bytes(whole.substr(0, whole.size() - 1)) ==
        "tensor 'a' lies at bytes [0, 8) of 7: the file is truncated or damaged");
  CHECK(error_of_bytes(whole + "x") == "the tensors end at byte 8 of 9: the file is damaged");
}

TEST_CASE("safetensors: a header that is no JSON, or no object") {
  const std::string damaged = "has a header that is no JSON object: the file is damaged";
  CHECK(error_of_header("{\"a\":", 0) == damaged);
  CHECK(error_of_header("{} {}", 0) == damaged);
  CHECK(error_of_header(std::string("{\"\xFF\":1}"), 0) == damaged);
  CHECK(error_of_header(R"({"__metadata__":3})", 0) ==
        "has a __metadata__ that is no JSON object: the file is damaged");
  CHECK(error_of_header(R"({"__metadata__":{"a":3}})", 0) == "has metadata 'a' that is no string");
}

TEST_CASE("safetensors: entries that contradict themselves or each other") {
  const auto entry = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return "\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets;
  };
  const auto one = [&](const std::string& dtype, const std::string& shape,
                       const std::string& offsets, size_t bytes) {
    return error_of_header("{\"a\":{" + entry(dtype, shape, offsets) + "}}", bytes);
  };
  CHECK(one("F8", "[8]", "[0,8]", 8) ==
        "tensor 'a' has type F8; this program reads F32, F64, F16, BF16, I32, I64 and U8");
  CHECK(one("F32", "[3]", "[0,8]", 8) ==
        "tensor 'a' has 8 bytes, but its shape [3] of F32 needs 12");
  CHECK(one("F32", "[2]", "[8,0]", 8) ==
        "tensor 'a' lies at bytes [8, 0) of 8: the file is truncated or damaged");
  CHECK(one("F32", "[2]", "[4,12]", 12) ==
        "tensor 'a' begins at byte 4, but the one before it ends at 0: the file is damaged");
  CHECK(one("F32", "[-2]", "[0,8]", 8) ==
        "tensor 'a' has a shape or offset of -2, which is no count");
  CHECK(one("F32", "[1e3]", "[0,8]", 8) ==
        "tensor 'a' has a shape or offset of 1000.0, which is no count");
  CHECK(one("F32", "[18446744073709551615]", "[0,8]", 8) ==
        "tensor 'a' has a shape or offset of 18446744073709551615, which is no count");
  CHECK(one("F32", "[4294967296,4294967296]", "[0,8]", 8) ==
        "tensor 'a' has a shape too large for any file");
  CHECK(one("F32", "[1,1,1,1,2]", "[0,8]", 8) ==
        "tensor 'a' has 5 extents; this program takes up to four");
  CHECK(one("F32", "2", "[0,8]", 8) ==
        "tensor 'a' needs arrays 'shape' and 'data_offsets' [begin, end]");
  CHECK(one("F32", "[2]", "[0]", 8) ==
        "tensor 'a' needs arrays 'shape' and 'data_offsets' [begin, end]");
  CHECK(error_of_header(R"({"a":{"shape":[2]}})", 8).starts_with("tensor 'a' "));
  CHECK(error_of_header(R"({"a":3})", 8).starts_with("tensor 'a' "));
  CHECK(error_of_header("{\"a\":{" + entry("U8", "[5]", "[0,5]") + "},\"b\":{" +
                            entry("U8", "[5]", "[3,8]") + "}}",
                        8) ==
        "tensor 'b' begins at byte 3, but the one before it ends at 5: the file is damaged");
}

TEST_CASE("safetensors: a file that cannot be written is an error and leaves nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("missing/net.safetensors");
  CHECK(error_of([&] { write_safetensors(path, {}); }) ==
        "cannot write " + path + ": No such file or directory: make its folder first");
  SafetensorsFile undefined;
  undefined.tensors["a"] = Tensor();
  CHECK(error_of([&] { write_safetensors(folder.file("a"), undefined); }) ==
        "cannot write " + folder.file("a") + ": 'a' is no tensor in this machine's memory");
  CHECK(folder.files() == 0);
}
