#include "kernels/core/check.h"
#include "models/loaded_model.h"
#include "nn/checkpoint.h"
#include "nn/json_text.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

void checkpoint(std::string_view bytes) {
  const std::string path = file_of("model.safetensors", bytes);
  const LoadedModel model = load_model(path);
  json_or_null(model.info.config);
  if (model.has_training_state) Checkpoint::read(path).training_state(model.graph.layout());
  // What could be read can be written, and is then the same.
  const SafetensorsFile file = read_safetensors(path);
  const std::string copy = folder() + "/copy.safetensors";
  write_safetensors(copy, file);
  require(read_safetensors(copy).metadata == file.metadata, "the copy has other metadata");
}

}  // namespace topograd::fuzz
