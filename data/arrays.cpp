#include "data/arrays.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "data/npy.h"
#include "kernels/core/file_bytes.h"
#include "kernels/core/output_claim.h"

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

/// Returns a named array of a file, or of a folder; with an empty type where there is none.
NumpyArray array_of(const std::string& source, const std::string& name) {
  if (!fs::is_directory(source)) return read_npz(source, name);
  const std::string path = source + "/" + name + ".npy";
  if (!fs::exists(path)) return {};
  const std::vector<char> bytes = file_bytes(path, "");
  return read_npy({bytes.data(), bytes.size()});
}

NumpyArray required_array(const std::string& source, const ArrayNames& names) {
  NumpyArray array = array_of(source, names.usual);
  if (array.type.empty()) array = array_of(source, names.long_name);
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

Tensor labels_of(const NumpyArray& array, const char* name, int64_t images) {
  const bool column = array.shape.size() == 2 && array.shape[1] == 1;
  require((array.shape.size() == 1 || column) && array.shape[0] == images, "'", name,
          "' has to be a label for each of ", images, " images, [N]");
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

Dataset split_of(const std::string& source, const ArrayNames& images, const ArrayNames& labels) {
  Dataset data{.name = "arrays",
               .images = images_of(required_array(source, images), images.usual),
               .labels = {},
               .class_names = {},
               .normalisation = {}};
  data.labels = labels_of(required_array(source, labels), labels.usual, data.images.dim(0));
  return data;
}

}  // namespace

std::string find_arrays(const std::string& source) {
  if (fs::is_directory(source))
    return fs::exists(source + "/x_train.npy") || fs::exists(source + "/train_images.npy")
               ? source
               : std::string();
  return source.ends_with(".npz") && fs::exists(source) ? source : std::string();
}

DataSplits load_arrays(const std::string& found) {
  try {
    if (!fs::is_directory(found)) note_input(found);
    DataSplits data{split_of(found, kTrainImages, kTrainLabels),
                    split_of(found, kTestImages, kTestLabels)};
    require(data.train.images.shape().with_first(1) == data.test.images.shape().with_first(1) &&
                data.train.images.dtype() == data.test.images.dtype(),
            "the images of training are ", data.train.images.shape(), ' ',
            name_of(data.train.images.dtype()), ", those of the test ", data.test.images.shape(),
            ' ', name_of(data.test.images.dtype()));
    int32_t last = 0;
    for (const Dataset* split : {&data.train, &data.test})
      for (int64_t i = 0; i < split->count(); ++i)
        last = std::max(last, split->labels.data<int32_t>()[i]);
    std::vector<std::string> names;
    for (int32_t label = 0; label <= last; ++label) names.push_back(text(label));
    data.train.class_names = data.test.class_names = names;
    data.train.normalisation = data.test.normalisation =
        data.train.images.dtype() == DType::u8
            ? measured_normalisation(data.train.images)
            : for_channels(normalisation_named("none"), data.train.channels());
    return data;
  } catch (const Error& error) {
    fail(found, ": ", error.what());
  }
}

}  // namespace topograd
