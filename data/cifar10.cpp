#include "data/cifar10.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kSize = 32;
constexpr int64_t kPixels = kSize * kSize;
constexpr int64_t kChannels = 3;
constexpr int64_t kImageBytes = kPixels * kChannels;
constexpr int64_t kRecordBytes = 1 + kImageBytes;
constexpr int64_t kRecordsPerFile = 10'000;
constexpr int64_t kFileBytes = kRecordsPerFile * kRecordBytes;
constexpr std::string_view kAdvice = "; apps/download_cifar10.sh gets CIFAR-10 anew";

const std::vector<std::string> kTrainFiles{"data_batch_1.bin", "data_batch_2.bin",
                                           "data_batch_3.bin", "data_batch_4.bin",
                                           "data_batch_5.bin"};
const std::vector<std::string> kTestFiles{"test_batch.bin"};

bool holds_any_file(const fs::path& folder) {
  for (const auto* names : {&kTrainFiles, &kTestFiles})
    for (const std::string& name : *names)
      if (fs::exists(folder / name)) return true;
  return false;
}

std::vector<char> read_file(const fs::path& path) {
  require(fs::exists(path), path.string(), " is missing", kAdvice);
  const auto bytes = static_cast<int64_t>(fs::file_size(path));
  require(bytes == kFileBytes, path.string(), " has ", bytes, " bytes, expected ", kFileBytes,
          kAdvice);
  std::vector<char> contents(static_cast<size_t>(bytes));
  std::ifstream in(path, std::ios::binary);
  require(in.is_open(), path.string(), " cannot be opened: ", std::strerror(errno));
  require(static_cast<bool>(in.read(contents.data(), bytes)), path.string(),
          " cannot be read to its end: the disk fails, or the file changes");
  return contents;
}

/// One record: planar CHW to HWC.
void unpack(const char* record, int32_t& label, uint8_t* image) {
  label = static_cast<uint8_t>(record[0]);
  const char* planes = record + 1;
  for (int64_t c = 0; c < kChannels; ++c)
    for (int64_t p = 0; p < kPixels; ++p)
      image[p * kChannels + c] = static_cast<uint8_t>(planes[c * kPixels + p]);
}

Dataset load_files(const fs::path& folder, const std::vector<std::string>& names) {
  const int64_t count = static_cast<int64_t>(names.size()) * kRecordsPerFile;
  Dataset dataset{.name = "cifar10",
                  .images = Tensor({count, kSize, kSize, kChannels}, DType::u8),
                  .labels = Tensor({count}, DType::i32),
                  .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
                                  "horse", "ship", "truck"},
                  .normalisation = normalisation_named("cifar10")};
  int32_t* label = dataset.labels.data<int32_t>();
  uint8_t* image = dataset.images.data<uint8_t>();
  for (const std::string& name : names) {
    const std::vector<char> contents = read_file(folder / name);
    for (int64_t i = 0; i < kRecordsPerFile; ++i, ++label, image += kImageBytes) {
      unpack(contents.data() + i * kRecordBytes, *label, image);
      require(*label < dataset.classes(), (folder / name).string(), ": image ", i, " has label ",
              *label, ", but CIFAR-10 has labels 0 to 9: the file is damaged", kAdvice);
    }
  }
  return dataset;
}

}  // namespace

std::string find_cifar10(const std::string& folder) {
  for (const fs::path& candidate : {fs::path(folder), fs::path(folder) / "cifar-10-batches-bin"})
    if (holds_any_file(candidate)) return candidate.string();
  for (const char* sign : {"data_batch_1", "cifar-10-batches-py", "data_batch_1.mat"})
    require(!fs::exists(fs::path(folder) / sign), folder,
            " holds CIFAR-10's Python or Matlab version; this program reads the binary version, "
            "which apps/download_cifar10.sh gets");
  return "";
}

DataSplits load_cifar10(const std::string& folder) {
  return {load_files(folder, kTrainFiles), load_files(folder, kTestFiles)};
}

}  // namespace topograd
