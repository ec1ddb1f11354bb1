// The model zoo by name.
#pragma once

#include <string>
#include <vector>

#include "nn/graph.h"

namespace topograd {

/// Everything that determines a network's structure. Stored in every checkpoint.
struct ModelSpec {
  std::string name = "resnet20";  ///< "resnet<depth>" or "resnet<depth>_noshort", depth = 6n + 2
  char shortcut = 'B';            ///< 'A': subsample and zero-pad; 'B': 1x1 convolution + BatchNorm
  int64_t width = 16;             ///< channels of the first stage
  int64_t classes = 10;
  int64_t image_size = 32;  ///< square images
  int64_t channels = 3;
  Activation activation = Activation::relu;
};

/// The network of a spec; an Error that names the choices where the name is unknown.
Graph build_model(const ModelSpec& spec);

/// The names of the paper's networks, for --list-models and messages.
std::vector<std::string> model_names();

/// One line of JSON, and back. from_json names what it does not understand.
std::string to_json(const ModelSpec& spec);
ModelSpec model_spec_from_json(const std::string& json);

}  // namespace topograd
