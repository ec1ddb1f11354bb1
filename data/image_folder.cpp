#include "data/image_folder.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <vector>

#include "data/image_file.h"
#include "kernels/core/check.h"
#include "kernels/core/file_bytes.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Returns the sorted names of a folder's entries that `accept` takes.
template <class Accept>
std::vector<std::string> sorted_entries(const fs::path& folder, Accept accept) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (accept(entry)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

/// Returns whether an entry of a class's folder is no image and need not be: hidden, or a list or
/// an index that people and file managers leave there.
bool is_no_data(const fs::directory_entry& entry) {
  static constexpr std::string_view kKinds[] = {".txt", ".md",   ".csv",  ".json", ".xml",
                                                ".yml", ".yaml", ".html", ".db",   ".ini"};
  if (entry.path().filename().string().starts_with('.')) return true;
  return entry.is_regular_file() && std::find(std::begin(kKinds), std::end(kKinds),
                                              extension_of(entry.path())) != std::end(kKinds);
}

/// Returns whether an entry of a class's folder is an image. Throws Error for anything that would
/// be left out without a word.
bool is_image(const fs::directory_entry& entry) {
  if (is_no_data(entry)) return false;
  const std::string path = entry.path().string();
  require(!entry.is_directory(), path,
          " is a folder in a class's folder, whose images would be left out: move them one up, or "
          "the folder away");
  std::error_code unreadable;
  require(fs::exists(entry.path(), unreadable), path, " is a link to nothing: remove it");
  require(entry.is_regular_file(), path, " is no file: take it out of the class's folder");
  const std::string extension = extension_of(entry.path());
  require(extension == ".png" || extension == ".jpg" || extension == ".jpeg", path,
          " is no .png or .jpg image, and would be left out: convert it, or take it away");
  return true;
}

std::vector<std::string> class_names_of(const fs::path& split) {
  require(fs::is_directory(split), split.string(),
          " is missing: images are expected as train/<class>/*.png and test/<class>/*.png");
  auto names = sorted_entries(split, [](const fs::directory_entry& entry) {
    return entry.is_directory() && !entry.path().filename().string().starts_with('.');
  });
  require(names.size() >= 2, split.string(), " has ", names.size(),
          " class folders; a classifier needs at least two");
  return names;
}

struct LabelledFile {
  fs::path path;
  int32_t label;
};

/// Images of a split, taken in turn from every class.
std::vector<LabelledFile> files_of(const fs::path& split, const std::vector<std::string>& classes) {
  std::vector<std::vector<std::string>> names;
  size_t longest = 0;
  for (const std::string& name : classes) {
    names.push_back(sorted_entries(split / name, is_image));
    require(!names.back().empty(), (split / name).string(), " holds no .png or .jpg image");
    longest = std::max(longest, names.back().size());
  }
  std::vector<LabelledFile> files;
  for (size_t i = 0; i < longest; ++i)
    for (size_t c = 0; c < classes.size(); ++c)
      if (i < names[c].size())
        files.push_back({split / classes[c] / names[c][i], static_cast<int32_t>(c)});
  return files;
}

DecodedImage read_image(const fs::path& path) {
  const std::vector<char> bytes = file_bytes(path.string(), "");
  try {
    return decoded_image({bytes.data(), bytes.size()});
  } catch (const Error& error) {
    fail(path.string(), " is no image that can be read: ", error.what());
  }
}

Dataset load_split(const fs::path& split, const std::vector<std::string>& classes) {
  const std::vector<LabelledFile> files = files_of(split, classes);
  const int64_t count = static_cast<int64_t>(files.size());
  Dataset dataset{.name = "folder",
                  .images = {},
                  .labels = Tensor({count}, DType::i32),
                  .class_names = classes,
                  .normalisation = {}};
  for (int64_t i = 0; i < count; ++i) {
    const LabelledFile& file = files[static_cast<size_t>(i)];
    const DecodedImage image = read_image(file.path);
    if (i == 0)  // the first image says how large all are
      dataset.images = Tensor({count, image.height, image.width, kColourChannels}, DType::u8);
    require(image.height == dataset.height() && image.width == dataset.width(), file.path.string(),
            " has ", image.width, "x", image.height, " pixels, but ", files[0].path.string(),
            " has ", dataset.width(), "x", dataset.height(), ": scale all images to one size");
    const Tensor target = dataset.images.rows(i, i + 1);
    std::memcpy(target.raw(), image.pixels.get(), static_cast<size_t>(target.bytes()));
    dataset.labels.data<int32_t>()[i] = file.label;
  }
  return dataset;
}

/// Names the first class that only one split has.
void require_same_classes(const fs::path& folder, const std::vector<std::string>& train,
                          const std::vector<std::string>& test) {
  std::vector<std::string> only;
  std::set_symmetric_difference(train.begin(), train.end(), test.begin(), test.end(),
                                std::back_inserter(only));
  if (only.empty()) return;
  const bool in_train = std::binary_search(train.begin(), train.end(), only[0]);
  fail(folder.string(), ": class '", only[0], "' is in ", in_train ? "train" : "test",
       " but not in ", in_train ? "test" : "train", "; both need the same classes");
}

}  // namespace

bool is_image_folder(const std::string& folder) {
  return fs::is_directory(fs::path(folder) / "train") ||
         fs::is_directory(fs::path(folder) / "test");
}

DataSplits load_image_folder(const std::string& folder) {
  const fs::path train = fs::path(folder) / "train";
  const fs::path test = fs::path(folder) / "test";
  const std::vector<std::string> classes = class_names_of(train);
  require_same_classes(folder, classes, class_names_of(test));
  DataSplits splits{load_split(train, classes), load_split(test, classes)};
  require(splits.train.images.shape().with_first(1) == splits.test.images.shape().with_first(1),
          folder, ": training images have ", splits.train.width(), "x", splits.train.height(),
          " pixels, test images ", splits.test.width(), "x", splits.test.height(),
          ": scale all images to one size");
  splits.train.normalisation = measured_normalisation(splits.train.images);
  splits.test.normalisation = splits.train.normalisation;
  return splits;
}

}  // namespace topograd
