#include "data/idx.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>

#include "data/file_bytes.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kClasses = 10;
constexpr std::string_view kAdvice = "; get the set's four files anew, and unpack them with gunzip";

/// Signature of one of the sets that share the format.
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

/// Returns the two spellings of a file's name: split "train" or "t10k"; rank 3 for images, 1 for
/// labels.
std::vector<std::string> file_names(const std::string& split, int rank) {
  const std::string stem = split + (rank == 3 ? "-images" : "-labels");
  return {text(stem, "-idx", rank, "-ubyte"), text(stem, ".idx", rank, "-ubyte")};
}

std::string locate(const fs::path& folder, const std::string& split, int rank) {
  const std::vector<std::string> names = file_names(split, rank);
  for (const std::string& name : names)
    if (fs::exists(folder / name)) return (folder / name).string();
  for (const std::string& name : names)
    require(!fs::exists(folder / (name + ".gz")), (folder / (name + ".gz")).string(),
            " is compressed: unpack it with gunzip");
  fail((folder / names[0]).string(), " is missing", kAdvice);
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

Dataset load_split(const fs::path& folder, const std::string& split) {
  const IdxFile images = read_idx(locate(folder, split, 3), 3);
  const IdxFile labels = read_idx(locate(folder, split, 1), 1);
  const int64_t count = images.dims[0];
  require(labels.dims[0] == count, labels.path, " has ", labels.dims[0], " labels, but ",
          images.path, " has ", count, " images", kAdvice);
  Dataset dataset{.name = "idx",
                  .images = Tensor({count, images.dims[1], images.dims[2], 1}, DType::u8),
                  .labels = Tensor({count}, DType::i32),
                  .class_names = {},
                  .normalisation = {}};
  std::memcpy(dataset.images.raw(), images.values(), static_cast<size_t>(dataset.images.bytes()));
  for (int64_t i = 0; i < count; ++i) {
    const int32_t label = labels.values()[i];
    require(label < kClasses, labels.path, ": image ", i, " has label ", label,
            ", but sets of this format have labels 0 to ", kClasses - 1, ": the file is damaged",
            kAdvice);
    dataset.labels.data<int32_t>()[i] = label;
  }
  return dataset;
}

}  // namespace

std::string find_idx(const std::string& folder) {
  for (const fs::path& candidate : {fs::path(folder), fs::path(folder) / "raw"})
    for (const char* split : {"train", "t10k"})
      for (int rank : {3, 1})
        for (const std::string& name : file_names(split, rank))
          if (fs::exists(candidate / name) || fs::exists(candidate / (name + ".gz")))
            return candidate.string();
  return "";
}

DataSplits load_idx(const std::string& folder) {
  DataSplits splits{load_split(folder, "train"), load_split(folder, "t10k")};
  require(splits.train.images.shape().with_first(1) == splits.test.images.shape().with_first(1),
          folder, ": training images have ", splits.train.height(), "x", splits.train.width(),
          " pixels, test images ", splits.test.height(), "x", splits.test.width(),
          ": they are not of one set", kAdvice);
  const KnownSet* known = known_set(splits.train.labels);
  const Normalisation normalisation =
      known ? normalisation_named(known->name) : measured_normalisation(splits.train.images);
  for (Dataset* dataset : {&splits.train, &splits.test}) {
    dataset->name = known ? known->name : "idx";
    dataset->class_names = (known ? *known : kKnownSets[0]).class_names;
    dataset->normalisation = normalisation;
    dataset->flips_keep_class = known && known->name == "fashion_mnist";
  }
  return splits;
}

}  // namespace topograd
