#include <filesystem>

#include "apps/train/class_weights.h"
#include "data/arrays.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

enum class Form { npz, safetensors, folder };
constexpr int64_t kForms = 3;

/// Returns files of four arrays in a folder; two bytes say how long each is, but for the last.
std::string folder_of(Source& source) {
  std::filesystem::create_directory(folder() + "/arrays");
  for (const char* name : {"x_train", "y_train", "x_test", "y_test"}) {
    const bool last = std::string_view(name) == "y_test";
    const size_t low = last ? 0 : source.byte(), high = last ? 0 : source.byte();
    file_of(std::string("arrays/") + name + ".npy",
            last ? source.rest() : source.bytes(high << 8 | low));
  }
  return folder() + "/arrays";
}

}  // namespace

/// The first byte says which form the arrays have.
void arrays(std::string_view bytes) {
  Source source(bytes);
  const auto form = static_cast<Form>(source.below(kForms));
  const std::string path = form == Form::folder ? folder_of(source)
                           : form == Form::npz  ? file_of("arrays.npz", source.rest())
                                                : file_of("arrays.safetensors", source.rest());
  const DataSplits data = load_arrays(path);
  data.train.hash();
  with_class_weights(LossKind::cross_entropy, "balanced", data.train);
}

}  // namespace topograd::fuzz
