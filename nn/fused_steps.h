// FusedProgram: a graph compiled for inference, into few steps that each do several layers' work.
#pragma once

#include <variant>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/perturb/perturb_points.h"
#include "kernels/planar_conv/planar_conv.h"
#include "nn/graph.h"

namespace topograd {

/// A convolution or linear layer with the layers fused into it. Linear layers are convolutions of
/// 1x1 images.
struct FusedConvStep {
  int residual = -1;  // a value, or none
  ConvGeometry geometry;
  Shape filters;                  // [O, KH, KW, I]
  int64_t weights = 0, bias = 0;  // where they begin, times P
  bool relu = false;
  bool flatten = false;
  bool packed = false;    // tile_conv on tiled images, or planar_conv on planar ones
  int64_t fragments = 0;  // numbers of one part of the filters that planar_conv reads before its
};
/// A BatchNorm that no convolution precedes, perhaps with its ReLU.
struct FusedScaleShiftStep {
  int64_t scale = 0, shift = 0;  // where they begin, times P
  int64_t first = 0;             // first channel of its input in the storage that it is read from
  bool relu = false;
};
/// A concatenation: parts that do not lie in its memory already are copied there.
struct FusedConcatStep {
  struct Part {
    int value;
    int64_t first;  // first channel of the part in the storage
  };
  std::vector<Part> parts;
};
/// Any other layer, through Layer::forward(): for all points at once where it has no parameters,
/// else point by point.
struct FusedLayerStep {
  struct Parameter {
    int64_t begin;  // where it begins, times P
    Shape shape;
  };
  std::vector<Parameter> parameters;
};
/// Conversion of a node's plain value to its packed one, tiled or planar, and back.
struct FusedPackStep {};
struct FusedUnpackStep {};

struct FusedStep {
  std::vector<int> inputs;  // values; the residual last
  int output;               // value
  std::variant<FusedConvStep, FusedScaleShiftStep, FusedConcatStep, FusedLayerStep, FusedPackStep,
               FusedUnpackStep>
      what;
};

/// Values are numbered by their nodes; node i's packed images are value i + the number of nodes.
struct FusedProgram {
  std::vector<FusedStep> steps;
  std::vector<FoldedFilter> filters;  ///< table of the filters that perturb_points forms
  int64_t weights = 0;                ///< elements of one network's filters
  std::vector<bool> point_invariant;  ///< per node: the same for every network
  /// Per value, the value in whose memory it lies: the widest concatenation that it is a part of,
  /// or itself.
  std::vector<int> storage_of;
  /// Per value: whether pixels may lie further apart than its channels need, because all its
  /// readers take some channels of a wider image.
  std::vector<bool> allows_padding;
};

/// Compiles a graph. A convolution or linear layer takes in the BatchNorm behind it, the residual
/// addition and the ReLU behind that, each where no other layer reads what is in between; a
/// BatchNorm that no convolution precedes (DenseNet) takes in its ReLU. All other layers, whatever
/// they are, run as they are (FusionRole::none). Throws Error where such a layer has running
/// statistics.
FusedProgram fused_program(const Graph& graph);

/// Puts the convolutions that tile_conv can compute on tiled images, with conversions where other
/// steps read or write these.
FusedProgram with_tiles(FusedProgram program, const Graph& graph);

/// Puts all convolutions on planar images, with conversions where other steps read or write these.
/// Returns the program as it is where a convolution does not fit (planar_conv_fits), or there is
/// none: a network that would convert its images to and fro runs better without.
FusedProgram with_planes(FusedProgram program, const Graph& graph);

/// Returns a convolution of such a program as pack_fragments reads it.
PackedLayer packed_layer(const FusedConvStep& conv);

/// Lets concatenations lie in one another: where a concatenation's result is read by
/// one further concatenation and otherwise by BatchNorms, which can read some channels of a wider
/// image, it is made where the wider one is to be. A block of a DenseNet then lies in one piece of
/// memory, and each layer's new channels are all that is copied.
FusedProgram with_nested_concats(FusedProgram program, const Graph& graph);

}  // namespace topograd
