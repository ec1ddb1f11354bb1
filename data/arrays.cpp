#include "data/arrays.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include "data/npy.h"
#include "kernels/core/file_bytes.h"
#include "kernels/core/output_claim.h"
#include "nn/safetensors.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostClasses = 100'000;

/// Names that an array may have: Keras's, and ours.
struct ArrayNames {
  const char *usual, *long_name;
};
constexpr ArrayNames kTrainImages{"x_train", "train_images"};
constexpr ArrayNames kTrainLabels{"y_train", "train_labels"};
constexpr ArrayNames kTestImages{"x_test", "test_images"};
constexpr ArrayNames kTestLabels{"y_test", "test_labels"};

/// Returns a named array; with an empty type where there is none.
using ArraySource = std::function<NumpyArray(const std::string& name)>;

/// A file or a folder of named arrays.
class ArrayFiles {
 public:
  explicit ArrayFiles(const std::string& path) : path_(path) {
    if (path.ends_with(".safetensors")) tensors_ = read_safetensors(path).tensors;
  }

  /// Is an ArraySource.
  NumpyArray operator()(const std::string& name) const {
    if (tensors_) return tensor(name);
    if (!fs::is_directory(path_)) return read_npz(path_, name);
    const std::string path = path_ + "/" + name + ".npy";
    if (!fs::exists(path)) return {};
    const std::vector<char> bytes = file_bytes(path, "");
    return read_npy({bytes.data(), bytes.size()});
  }

 private:
  NumpyArray tensor(const std::string& name) const {
    const auto found = tensors_->find(name);
    if (found == tensors_->end()) return {};
    const Tensor& t = found->second;
    const char* type = t.dtype() == DType::u8    ? "u1"
                       : t.dtype() == DType::i32 ? "i4"
                       : t.dtype() == DType::f32 ? "f4"
                                                 : "f8";
    const char* bytes = static_cast<const char*>(t.raw());
    return {type, {t.shape().begin(), t.shape().end()}, {bytes, bytes + t.bytes()}};
  }

  std::string path_;
  std::optional<std::map<std::string, Tensor>> tensors_;
};

NumpyArray required_array(const ArraySource& source, const ArrayNames& names) {
  NumpyArray array = source(names.usual);
  if (array.type.empty()) array = source(names.long_name);
  require(!array.type.empty(), "it has neither '", names.usual, "' nor '", names.long_name,
          "': four arrays are needed, x_train, y_train, x_test, y_test");
  return array;
}

/// Calls f with the array's numbers, as its type says.
template <class F>
void with_numbers(const NumpyArray& array, const char* name, F&& f) {
  const auto call = [&](auto number) {
    using T = decltype(number);
    std::vector<T> values(array.bytes.size() / sizeof(T));
    std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    f(values);
  };
  if (array.type == "u1" || array.type == "b1") return call(uint8_t{});
  if (array.type == "i1") return call(int8_t{});
  if (array.type == "u2") return call(uint16_t{});
  if (array.type == "i2") return call(int16_t{});
  if (array.type == "u4") return call(uint32_t{});
  if (array.type == "i4") return call(int32_t{});
  if (array.type == "u8") return call(uint64_t{});
  if (array.type == "i8") return call(int64_t{});
  if (array.type == "f4") return call(float{});
  if (array.type == "f8") return call(double{});
  fail("'", name, "' holds numbers of type ", array.type,
       ": uint8, int32, int64, float32 or float64");
}

/// Where the channels of an image lie among its axes.
enum class ChannelAxis { last, first, none };

ChannelAxis channel_axis(const std::vector<int64_t>& shape, const char* name) {
  require(shape.size() == 3 || shape.size() == 4, "'", name, "' has ", shape.size(),
          " axes: [N, H, W, C], [N, C, H, W] or [N, H, W]");
  if (shape.size() == 3) return ChannelAxis::none;
  const int64_t a = shape[1], b = shape[2], c = shape[3];
  if (a == b && b != c) return ChannelAxis::last;
  if (b == c && a != b) return ChannelAxis::first;
  require(a != c, "'", name, "' is [N, ", a, ", ", b, ", ", c,
          "], which leaves open which axis is that of the channels: save them as [N, H, W, C] of "
          "images whose extents differ");
  return c < a ? ChannelAxis::last : ChannelAxis::first;
}

/// Copies images into [N, H, W, C].
template <class To, class From>
Tensor images_of(const std::vector<From>& values, const std::vector<int64_t>& shape,
                 ChannelAxis axis, DType dtype) {
  const int64_t N = shape[0], C = axis == ChannelAxis::none    ? 1
                                  : axis == ChannelAxis::first ? shape[1]
                                                               : shape[3];
  const size_t h = axis == ChannelAxis::first ? 2 : 1;
  const int64_t H = shape[h], W = shape[h + 1];
  const Tensor images({N, H, W, C}, dtype);
  To* y = images.data<To>();
  const From* x = values.data();
  const bool channels_first = axis == ChannelAxis::first;
  for (int64_t n = 0; n < N; ++n)
    for (int64_t p = 0; p < H * W; ++p)
      for (int64_t c = 0; c < C; ++c) {
        const int64_t from = channels_first ? (n * C + c) * H * W + p : (n * H * W + p) * C + c;
        *y++ = static_cast<To>(x[from]);
      }
  return images;
}

Tensor images_of(const NumpyArray& array, const char* name) {
  const ChannelAxis axis = channel_axis(array.shape, name);
  require(array.count() > 0, "'", name, "' holds no images");
  Tensor images;
  with_numbers(array, name, [&](const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    if constexpr (std::is_same_v<T, uint8_t>) {
      images = images_of<uint8_t>(values, array.shape, axis, DType::u8);
    } else if constexpr (std::is_floating_point_v<T>) {
      images = images_of<float>(values, array.shape, axis, DType::f32);
      for (int64_t i = 0; i < images.size(); ++i)
        require(std::isfinite(images.data<float>()[i]), "'", name,
                "' holds numbers that are not finite");
    } else {
      fail("'", name, "' holds whole numbers of type ", array.type,
           ": save pixels from 0 to 255 as uint8, other numbers as float32");
    }
  });
  return images;
}

/// Whether an array lists classes: [N] of whole numbers from 0, or [N, 1] of a type that holds no
/// others.
bool lists_classes(const NumpyArray& array, const char* name) {
  const bool column = array.shape.size() == 2 && array.shape[1] == 1;
  if (array.shape.size() != 1 && !column) return false;
  if (array.type.front() != 'f') return true;
  bool whole = !column;
  with_numbers(array, name, [&](const auto& values) {
    for (const auto value : values)
      whole = whole && value >= 0 && std::floor(static_cast<double>(value)) == value;
  });
  return whole;
}

/// Returns targets that are numbers, f32 [N, C]; of [N] one each.
Tensor numbers_of(const NumpyArray& array, const char* name, int64_t images) {
  require((array.shape.size() == 1 || array.shape.size() == 2) && array.shape[0] == images, "'",
          name, "' has to be a class, [N], or numbers, [N, outputs], for each of ", images,
          " images");
  const int64_t outputs = array.shape.size() == 1 ? 1 : array.shape[1];
  require(outputs > 0 && outputs <= kMostClasses, "'", name, "' has ", outputs,
          " numbers an image: 1 to ", kMostClasses);
  const Tensor numbers({images, outputs});
  with_numbers(array, name, [&](const auto& values) {
    for (size_t i = 0; i < values.size(); ++i) {
      numbers.data<float>()[i] = static_cast<float>(values[i]);
      require(std::isfinite(numbers.data<float>()[i]), "'", name,
              "' holds numbers that are not finite");
    }
  });
  return numbers;
}

Tensor labels_of(const NumpyArray& array, const char* name, int64_t images) {
  require(array.shape[0] == images, "'", name, "' has to be a label for each of ", images,
          " images, [N]");
  const Tensor labels({images}, DType::i32);
  with_numbers(array, name, [&](const auto& values) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto label = values[i];
      require(static_cast<double>(label) >= 0 && static_cast<double>(label) < kMostClasses &&
                  static_cast<double>(static_cast<int32_t>(label)) == static_cast<double>(label),
              "'", name, "' has the label ", +label, ": whole numbers from 0 are classes");
      labels.data<int32_t>()[i] = static_cast<int32_t>(label);
    }
  });
  return labels;
}

Dataset split_of(const Tensor& images) {
  return {.name = "arrays", .images = images, .labels = {}, .class_names = {}, .normalisation = {}};
}

Tensor images_in(const ArraySource& source, const ArrayNames& names) {
  return images_of(required_array(source, names), names.usual);
}

/// Returns a split like another one, without images.
Dataset empty_split(const Dataset& like) {
  Dataset empty = split_of(Tensor(like.images.shape().with_first(0), like.images.dtype()));
  empty.labels = Tensor(like.labels.shape().with_first(0), like.labels.dtype());
  return empty;
}

/// Returns "0", "1", ... for as many classes, or numbers, as the labels have; of classes at least
/// so many.
std::vector<std::string> names_of_classes(const DataSplits& data, int64_t at_least) {
  int64_t count = at_least;
  for (const Dataset* split : {&data.train, &data.test}) {
    if (split->labels.dtype() == DType::f32) {
      count = split->labels.dim(1);
      continue;
    }
    for (int64_t i = 0; i < split->count(); ++i)
      count = std::max<int64_t>(count, split->labels.data<int32_t>()[i] + 1);
  }
  std::vector<std::string> names;
  for (int64_t label = 0; label < count; ++label) names.push_back(text(label));
  return names;
}

/// Reads the labels of both splits, which are classes where both list classes.
void add_labels(DataSplits& data, const ArraySource& source, bool has_test) {
  const NumpyArray train = required_array(source, kTrainLabels);
  const NumpyArray test = has_test ? required_array(source, kTestLabels) : NumpyArray();
  const bool classes = lists_classes(train, kTrainLabels.usual) &&
                       (!has_test || lists_classes(test, kTestLabels.usual));
  const auto of = classes ? labels_of : numbers_of;
  data.train.labels = of(train, kTrainLabels.usual, data.train.images.dim(0));
  if (!has_test) return;
  data.test.labels = of(test, kTestLabels.usual, data.test.images.dim(0));
  require(classes || data.train.labels.dim(1) == data.test.labels.dim(1), "training images have ",
          data.train.labels.shape(), " numbers, test images ", data.test.labels.shape());
}

/// Makes the data set; without `has_test` its test split is empty.
DataSplits splits_of(const ArraySource& source, bool has_test, int64_t classes) {
  DataSplits data;
  data.train = split_of(images_in(source, kTrainImages));
  if (has_test) data.test = split_of(images_in(source, kTestImages));
  add_labels(data, source, has_test);
  if (!has_test) data.test = empty_split(data.train);
  require(data.train.images.shape().with_first(1) == data.test.images.shape().with_first(1) &&
              data.train.images.dtype() == data.test.images.dtype(),
          "the images of training are ", data.train.images.shape(), ' ',
          name_of(data.train.images.dtype()), ", those of the test ", data.test.images.shape(), ' ',
          name_of(data.test.images.dtype()));
  data.train.class_names = data.test.class_names = names_of_classes(data, classes);
  data.train.normalisation = data.test.normalisation =
      data.train.images.dtype() == DType::u8
          ? measured_normalisation(data.train.images)
          : for_channels(normalisation_named("none"), data.train.channels());
  return data;
}

}  // namespace

std::string find_arrays(const std::string& source) {
  if (fs::is_directory(source))
    return fs::exists(source + "/x_train.npy") || fs::exists(source + "/train_images.npy")
               ? source
               : std::string();
  const bool named = source.ends_with(".npz") || source.ends_with(".safetensors");
  return named && fs::exists(source) ? source : std::string();
}

DataSplits load_arrays(const std::string& found) {
  try {
    if (!fs::is_directory(found)) note_input(found);
    return splits_of(ArrayFiles(found), /*has_test=*/true, 0);
  } catch (const Error& error) {
    fail(found, ": ", error.what());
  }
}

DataSplits data_of_arrays(const std::map<std::string, NumpyArray>& arrays, int64_t classes) {
  const ArraySource source = [&](const std::string& name) {
    const auto found = arrays.find(name);
    return found == arrays.end() ? NumpyArray() : found->second;
  };
  return splits_of(source, arrays.contains(kTestImages.usual), classes);
}

}  // namespace topograd
