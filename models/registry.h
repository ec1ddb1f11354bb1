// The model zoo by name.
#pragma once

#include <string>
#include <vector>

#include "nn/graph.h"

namespace topograd {

/// A network's structure, as every checkpoint stores it.
struct ModelSpec {
  /// A name that model_names() lists, or another depth or widening of the same families:
  ///   resnet18, 34, 50, 101, 152    four stages (50 and 152 are 6n + 2 too)
  ///   resnet<6n + 2>                three stages, for CIFAR
  ///   wrn<6n + 2>_<k>               the same, k times as wide
  ///   wrn<6n + 4>_<k>               the original wide ResNets
  ///   vgg9, 11, 13, 16, 19          densenet121, 161, 169, 201
  ///   densenetbc<6n + 4>_<k>        k: growth
  ///   mlp, mlp<layers>, lenet
  /// ResNets and wide ResNets also with the suffix "_noshort".
  std::string name = "resnet20";
  char shortcut = 'B';  ///< ResNets: 'A', subsample and zero-pad; 'B', 1x1 convolution + BatchNorm
  /// Channels of the stem (ResNets, before widening), of the first convolutions (VGG); what a layer
  /// adds (DenseNet); units of a hidden layer (MLP). 0: the published network's.
  int64_t width = 0;
  int64_t classes = 10;
  int64_t image_size = 32;  ///< square images
  int64_t channels = 3;
  Activation activation = Activation::relu;
  /// Text of a graph's file (nn/graph_file.h) in place of all of the above, of which name, classes,
  /// channels and image_size (the height) say the same; empty: a network of the zoo.
  std::string graph = {};
};

/// Builds the network of a spec. Throws Error that lists the names where the name is unknown, or
/// that says which number of the spec makes no network.
Graph build_model(const ModelSpec& spec);

/// Returns the spec with another depth or width; 0 leaves them. "wrn" with 74 and 3 is wrn74_3,
/// "resnet" with 74 resnet74: names that hold a number for it get it there, for the others it is
/// spec.width. A width of 0 becomes the published network's.
ModelSpec with_size(ModelSpec spec, int depth, int64_t width);

/// Names of the papers' networks, for --list-models and messages.
std::vector<std::string> model_names();

/// Returns the spec of a graph's file: what `json` says. Throws Error as graph_from_json() does.
ModelSpec model_spec_of_graph(const std::string& json);

/// Convert a spec to one line of JSON and back. Throws Error that names what is not understood.
std::string to_json(const ModelSpec& spec);
ModelSpec model_spec_from_json(const std::string& json);

}  // namespace topograd
