#include "landscape/directions/direction_file.h"
#include "models/registry.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

void directions(std::string_view bytes) {
  static const Graph small =
      build_model({.name = "mlp2", .width = 2, .classes = 2, .image_size = 2, .channels = 1});
  const std::string path = file_of("directions.h5", bytes);
  for (const DirectionType type : {DirectionType::weights, DirectionType::states})
    read_directions(path, small.layout(), type);
}

}  // namespace topograd::fuzz
