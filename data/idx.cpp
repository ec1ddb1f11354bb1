#include "data/idx.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>

#include "kernels/core/file_bytes.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAdvice = "; get the set's four files anew, and unpack them with gunzip";
constexpr std::string_view kSplits[] = {"train", "t10k", "test"};

/// Signature of one of the sets that share the format and have files of no name of their own.
struct KnownSet {
  std::string name;
  std::vector<int32_t> first_labels;  ///< labels of its first training images
  std::vector<std::string> class_names;
};

const KnownSet kKnownSets[] = {
    {"mnist", {5, 0, 4, 1, 9, 2, 1, 3, 1, 4}, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
    {"fashion_mnist",
     {9, 0, 0, 3, 0, 2, 7, 2, 5, 5},
     {"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
      "ankle boot"}}};

const KnownSet* known_set(const Tensor& labels) {
  const int32_t* first = labels.data<int32_t>();
  for (const KnownSet& set : kKnownSets)
    if (labels.size() >= std::ssize(set.first_labels) &&
        std::equal(set.first_labels.begin(), set.first_labels.end(), first))
      return &set;
  return nullptr;
}

/// Returns the two spellings of a file's name: split "train", "t10k" or "test"; rank 3 for images, 1
/// for labels.
std::vector<std::string> file_names(const std::string& split, int rank) {
  const std::string stem = split + (rank == 3 ? "-images" : "-labels");
  return {text(stem, "-idx", rank, "-ubyte"), text(stem, ".idx", rank, "-ubyte")};
}

/// Returns what stands before a file's name of the format ("emnist-letters-"); nothing if it is of
/// another.
std::optional<std::string> prefix_of(const std::string& name) {
  for (const std::string_view split : kSplits)
    for (const int rank : {3, 1})
      for (const std::string& ending : file_names(std::string(split), rank))
        for (const std::string& whole : {ending, ending + ".gz"})
          if (name.ends_with(whole)) {
            const std::string prefix = name.substr(0, name.size() - whole.size());
            if (prefix.empty() || prefix.ends_with('-')) return prefix;
          }
  return std::nullopt;
}

/// Returns the stems of the sets in a folder: "folder/", "folder/emnist-letters-".
std::set<std::string> stems_in(const fs::path& folder) {
  std::set<std::string> stems;
  std::error_code unreadable;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, unreadable))
    if (const auto prefix = prefix_of(entry.path().filename().string()))
      stems.insert((folder / *prefix).string());
  return stems;
}

/// Returns the stems of the sets in the folder, else in its subfolder raw, else in the subfolders
/// raw of its subfolders, as torchvision lays them.
std::set<std::string> stems_below(const fs::path& folder) {
  std::set<std::string> stems = stems_in(folder);
  if (stems.empty()) stems = stems_in(folder / "raw");
  if (!stems.empty()) return stems;
  std::error_code unreadable;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, unreadable))
    stems.merge(stems_in(entry.path() / "raw"));
  return stems;
}

/// Returns how --data names a set: its folder, or its files without "-train-images-...".
std::string as_source(const std::string& stem) {
  return stem.substr(0, stem.size() - 1);
}

std::string locate(const std::string& stem, const std::vector<std::string>& splits, int rank) {
  for (const std::string& split : splits)
    for (const std::string& name : file_names(split, rank))
      if (fs::exists(stem + name)) return stem + name;
  for (const std::string& split : splits)
    for (const std::string& name : file_names(split, rank))
      require(!fs::exists(stem + name + ".gz"), stem, name,
              ".gz is compressed: unpack it with gunzip");
  fail(stem, file_names(splits[0], rank)[0], " is missing", kAdvice);
}

struct IdxFile {
  std::string path;
  std::vector<int64_t> dims;
  std::vector<char> bytes;  ///< the whole file, header included

  const uint8_t* values() const {
    return reinterpret_cast<const uint8_t*>(bytes.data()) + header_bytes(dims.size());
  }
  static size_t header_bytes(size_t rank) { return 4 + 4 * rank; }
};

uint32_t big_endian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

IdxFile read_idx(const std::string& path, int rank) {
  IdxFile file{path, {}, file_bytes(path, kAdvice)};
  const auto size = static_cast<int64_t>(file.bytes.size());
  const auto header = static_cast<int64_t>(IdxFile::header_bytes(static_cast<size_t>(rank)));
  require(size < 2 || std::memcmp(file.bytes.data(), "\x1f\x8b", 2) != 0, path,
          " is compressed: add .gz to its name and unpack it with gunzip");
  require(size >= header, path, " has ", size, " bytes, not even the ", header, " of its header",
          kAdvice);
  const char magic[] = {0, 0, 8, static_cast<char>(rank)};
  require(std::memcmp(file.bytes.data(), magic, 4) == 0, path, " begins with ",
          big_endian(file.bytes.data()), ", not ", big_endian(magic), ": it holds no ",
          rank == 3 ? "images" : "labels", " in the idx format", kAdvice);
  int64_t expected = 1;
  for (int i = 0; i < rank; ++i) {
    const int64_t extent = big_endian(file.bytes.data() + 4 + 4 * i);
    require(extent > 0, path, " says that it holds nothing", kAdvice);
    file.dims.push_back(extent);
    expected = expected > size ? expected : expected * extent;  // no product overflows
  }
  std::string shape;
  for (int64_t extent : file.dims) shape += text(shape.empty() ? "" : "x", extent);
  require(size - header == expected, path, " has ", size - header, " bytes of ",
          rank == 3 ? "pixels" : "labels", ", but says that it holds ", shape, kAdvice);
  return file;
}

Dataset load_split(const std::string& stem, const std::vector<std::string>& names) {
  const IdxFile images = read_idx(locate(stem, names, 3), 3);
  const IdxFile labels = read_idx(locate(stem, names, 1), 1);
  const int64_t count = images.dims[0];
  require(labels.dims[0] == count, labels.path, " has ", labels.dims[0], " labels, but ",
          images.path, " has ", count, " images", kAdvice);
  Dataset dataset{.name = "idx",
                  .images = Tensor({count, images.dims[1], images.dims[2], 1}, DType::u8),
                  .labels = Tensor({count}, DType::i32),
                  .class_names = {},
                  .normalisation = {}};
  std::memcpy(dataset.images.raw(), images.values(), static_cast<size_t>(dataset.images.bytes()));
  std::copy_n(labels.values(), count, dataset.labels.data<int32_t>());
  return dataset;
}

/// Throws Error unless all labels of a split are from `lowest` to `highest`.
void require_labels(const std::string& stem, const char* split, const Dataset& data, int lowest,
                    int highest) {
  const int32_t* labels = data.labels.data<int32_t>();
  for (int64_t i = 0; i < data.count(); ++i)
    require(labels[i] >= lowest && labels[i] <= highest, as_source(stem), ": ", split, " image ", i,
            " has label ", labels[i], ", but the set has labels ", lowest, " to ", highest,
            ": its file is damaged", kAdvice);
}

std::vector<std::string> numbered(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(text(i));
  return names;
}

/// Class names of EMNIST's sets (G. Cohen, S. Afshar, J. Tapson, A. van Schaik, 2017): digits,
/// capitals, small letters; balanced and bymerge have those small letters that do not look like
/// their capitals.
std::vector<std::string> emnist_classes(const std::string& set) {
  std::string all = set == "letters" ? "" : "0123456789";
  if (set != "digits" && set != "mnist") all += "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (set == "byclass") all += "abcdefghijklmnopqrstuvwxyz";
  if (set == "balanced" || set == "bymerge") all += "abdefghnqrt";
  std::vector<std::string> names;
  for (const char c : all) names.emplace_back(1, c);
  return names;
}

/// Turns images as they lie in EMNIST's files, column by column.
void transpose(Tensor& images) {
  const int64_t height = images.dim(1), width = images.dim(2);
  Tensor turned({images.dim(0), width, height, 1}, DType::u8);
  const uint8_t* from = images.data<uint8_t>();
  uint8_t* to = turned.data<uint8_t>();
  for (int64_t n = 0; n < images.dim(0); ++n)
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        to[(n * width + x) * height + y] = from[(n * height + y) * width + x];
  images = turned;
}

/// Makes the two splits what EMNIST's set of this name is.
void make_emnist(const std::string& stem, const std::string& set, DataSplits& splits) {
  const std::vector<std::string> classes = emnist_classes(set);
  const int first = set == "letters" ? 1 : 0;  // its labels begin with one
  const auto count = static_cast<int>(classes.size());
  require_labels(stem, "training", splits.train, first, first + count - 1);
  require_labels(stem, "test", splits.test, first, first + count - 1);
  for (Dataset* dataset : {&splits.train, &splits.test}) {
    dataset->name = "emnist_" + set;
    dataset->class_names = classes;
    transpose(dataset->images);
    int32_t* labels = dataset->labels.data<int32_t>();
    for (int64_t i = 0; i < dataset->count(); ++i) labels[i] -= first;
  }
}

/// Makes the two splits a set that is known by its first labels, or any set.
void make_plain(const std::string& stem, DataSplits& splits) {
  const KnownSet* known = known_set(splits.train.labels);
  int highest = 9;
  if (!known) {
    const int32_t* labels = splits.train.labels.data<int32_t>();
    highest = std::max(*std::max_element(labels, labels + splits.train.count()), 1);
  }
  require_labels(stem, "training", splits.train, 0, highest);
  require_labels(stem, "test", splits.test, 0, highest);
  for (Dataset* dataset : {&splits.train, &splits.test}) {
    dataset->name = known ? known->name : "idx";
    dataset->class_names = known ? known->class_names : numbered(highest + 1);
    dataset->flips_keep_class = known && known->name == "fashion_mnist";
  }
}

}  // namespace

std::string find_idx(const std::string& source) {
  std::set<std::string> stems;
  if (fs::is_directory(source)) {
    stems = stems_below(source);
  } else {
    const fs::path path = source, folder = path.has_parent_path() ? path.parent_path() : ".";
    const std::string prefix = path.filename().string() + "-";
    for (const std::string& stem : stems_in(folder))
      if (fs::path(stem).filename() == prefix) stems = {stem};
  }
  if (stems.empty()) return "";
  std::string sources;
  for (const std::string& stem : stems) sources += (sources.empty() ? "" : ", ") + as_source(stem);
  require(stems.size() == 1, source, " holds several data sets; choose one of ", sources);
  return *stems.begin();
}

DataSplits load_idx(const std::string& stem) {
  DataSplits splits{load_split(stem, {"train"}), load_split(stem, {"t10k", "test"})};
  require(splits.train.images.shape().with_first(1) == splits.test.images.shape().with_first(1),
          as_source(stem), ": training images have ", splits.train.height(), "x",
          splits.train.width(), " pixels, test images ", splits.test.height(), "x",
          splits.test.width(), ": they are not of one set", kAdvice);
  const std::string prefix = fs::path(stem).filename().string();  // "emnist-letters-", or empty
  if (prefix.starts_with("emnist-") && prefix.size() > 7)
    make_emnist(stem, prefix.substr(7, prefix.size() - 8), splits);
  else
    make_plain(stem, splits);
  const std::string& name = splits.train.name;
  const bool has_constants = name == "mnist" || name == "fashion_mnist";
  splits.train.normalisation =
      has_constants ? normalisation_named(name) : measured_normalisation(splits.train.images);
  splits.test.normalisation = splits.train.normalisation;
  return splits;
}

}  // namespace topograd
