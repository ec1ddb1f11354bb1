#include "data/cifar.h"

#include <filesystem>

#include "kernels/core/file_bytes.h"
#include "kernels/core/streams.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kSize = 32;
constexpr int64_t kPixels = kSize * kSize;
constexpr int64_t kImageBytes = kPixels * kColourChannels;

struct SplitFiles {
  std::vector<std::string> files;
  int64_t records;  ///< in each file
};

/// Differences between the two sets.
struct CifarFormat {
  std::string name, title, subfolder, advice;
  int64_t label_bytes;  ///< label bytes of a record; the last one is the class
  int64_t classes;
  SplitFiles train, test;
  std::vector<std::string> python_signs;  ///< files of the versions for Python and Matlab
  std::string get_binary;                 ///< advice where those are found

  int64_t record_bytes() const { return label_bytes + kImageBytes; }
};

const CifarFormat& cifar10() {
  static const CifarFormat format{
      .name = "cifar10",
      .title = "CIFAR-10",
      .subfolder = "cifar-10-batches-bin",
      .advice = "; apps/download_cifar10.sh gets CIFAR-10 anew",
      .label_bytes = 1,
      .classes = 10,
      .train = {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                 "data_batch_5.bin"},
                10'000},
      .test = {{"test_batch.bin"}, 10'000},
      .python_signs = {"data_batch_1", "cifar-10-batches-py", "data_batch_1.mat"},
      .get_binary = "which apps/download_cifar10.sh gets"};
  return format;
}

const CifarFormat& cifar100() {
  static const CifarFormat format{
      .name = "cifar100",
      .title = "CIFAR-100",
      .subfolder = "cifar-100-binary",
      .advice = "; get CIFAR-100's binary version anew, from www.cs.toronto.edu/~kriz/cifar.html",
      .label_bytes = 2,
      .classes = 100,
      .train = {{"train.bin"}, 50'000},
      .test = {{"test.bin"}, 10'000},
      .python_signs = {"cifar-100-python", "cifar-100-matlab"},
      .get_binary = "from www.cs.toronto.edu/~kriz/cifar.html"};
  return format;
}

std::string find(const CifarFormat& format, const std::string& folder) {
  for (const fs::path& candidate : {fs::path(folder), fs::path(folder) / format.subfolder})
    for (const SplitFiles* split : {&format.train, &format.test})
      for (const std::string& file : split->files)
        if (fs::exists(candidate / file)) return candidate.string();
  for (const std::string& sign : format.python_signs)
    require(!fs::exists(fs::path(folder) / sign), folder, " holds ", format.title,
            "'s Python or Matlab version; this program reads the binary version, ",
            format.get_binary);
  return "";
}

/// Reorders one record's pixels from planar CHW to HWC.
void unpack(const char* planes, uint8_t* image) {
  for (int64_t c = 0; c < kColourChannels; ++c)
    for (int64_t p = 0; p < kPixels; ++p)
      image[p * kColourChannels + c] = static_cast<uint8_t>(planes[c * kPixels + p]);
}

Dataset load(const CifarFormat& format, const SplitFiles& split, const fs::path& folder,
             const std::vector<std::string>& class_names) {
  const int64_t count = static_cast<int64_t>(split.files.size()) * split.records;
  Dataset dataset{.name = format.name,
                  .images = Tensor({count, kSize, kSize, kColourChannels}, DType::u8),
                  .labels = Tensor({count}, DType::i32),
                  .class_names = class_names,
                  .normalisation = normalisation_named(format.name)};
  int32_t* label = dataset.labels.data<int32_t>();
  uint8_t* image = dataset.images.data<uint8_t>();
  for (const std::string& name : split.files) {
    const std::string path = (folder / name).string();
    const std::vector<char> bytes = file_bytes(path, format.advice);
    const int64_t expected = split.records * format.record_bytes();
    require(static_cast<int64_t>(bytes.size()) == expected, path, " has ", bytes.size(),
            " bytes, expected ", expected, format.advice);
    const char* record = bytes.data();
    for (int64_t i = 0; i < split.records; ++i, ++label, image += kImageBytes) {
      *label = static_cast<uint8_t>(record[format.label_bytes - 1]);
      require(*label < format.classes, path, ": image ", i, " has label ", *label, ", but ",
              format.title, " has labels 0 to ", format.classes - 1, ": the file is damaged",
              format.advice);
      unpack(record + format.label_bytes, image);
      record += format.record_bytes();
    }
  }
  return dataset;
}

DataSplits load_both(const CifarFormat& format, const std::string& folder,
                     const std::vector<std::string>& class_names) {
  return {load(format, format.train, folder, class_names),
          load(format, format.test, folder, class_names)};
}

/// Reads CIFAR-100's class names, one a line.
std::vector<std::string> fine_label_names(const fs::path& folder) {
  const std::string path = (folder / "fine_label_names.txt").string();
  const int64_t classes = cifar100().classes;
  std::vector<std::string> names;
  if (!fs::exists(path)) {
    for (int64_t i = 0; i < classes; ++i) names.push_back(text("class ", i));
    return names;
  }
  const std::vector<char> bytes = file_bytes(path, cifar100().advice);
  TextReader lines(std::string(bytes.begin(), bytes.end()));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) names.push_back(line);
  require(static_cast<int64_t>(names.size()) == classes, path, " has ", names.size(),
          " names, expected ", classes, cifar100().advice);
  return names;
}

}  // namespace

std::string find_cifar10(const std::string& folder) {
  return find(cifar10(), folder);
}

std::string find_cifar100(const std::string& folder) {
  return find(cifar100(), folder);
}

DataSplits load_cifar10(const std::string& folder) {
  return load_both(
      cifar10(), folder,
      {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"});
}

DataSplits load_cifar100(const std::string& folder) {
  return load_both(cifar100(), folder, fine_label_names(folder));
}

}  // namespace topograd
