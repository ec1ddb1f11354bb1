// Convolution for inference on a GPU's tensor cores, activations in bf16 throughout.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/planar_conv/planar_images.h"

namespace topograd {

/// y = max(conv2d(x, w) + bias + residual, 0) for P networks at once, as fused_conv on plain
/// images: network p takes its own images, filters and biases. Products are of bf16: x's parts and
/// w's; of two parts the product of the smaller ones is left out. Sums are f32, and y is rounded to
/// its parts once.
///
/// An infinity or a NaN in the residual makes its pixel's sixteen channels NaN, and an infinity in
/// images of two parts is one.
struct PlanarConvArgs {
  static constexpr std::string_view kOp = "planar_conv";
  PlanarImages y;           ///< [P * N, OH, OW, O], border of zeros
  PlanarImages x;           ///< [P * N, H, W, I], or [N, H, W, I]: the same for every network
  Tensor w;                 ///< bf16, flat: of each network what pack_fragments writes
  Tensor bias;              ///< f32 [P * O]
  PlanarImages residual{};  ///< like y, or y itself, or undefined
  Shape filters;            ///< [O, KH, KW, I]
  int64_t points = 1;       ///< P
  ConvGeometry geometry{};
  bool relu = false;

  int64_t images() const { return points == 0 ? 0 : y.N / points; }  ///< N
  bool shares_x() const { return x.N != y.N; }
  void check() const;
};
inline void planar_conv(const PlanarConvArgs& args, Context& context) {
  run_op(args, context);
}

/// Whether planar_conv takes such a convolution: dense, 16 filters or a multiple; 3x3 padded by 1,
/// of stride 1 or 2, or 1x1 of stride 2; rows of 8, 16 or 32 outputs (strides of 2: 8 or 16), in
/// multiples of 8.
bool planar_conv_fits(const Shape& filters, const ConvGeometry& geometry, int64_t H, int64_t W);

/// Converts plain images to planar ones, and back.
struct ToPlanesArgs {
  static constexpr std::string_view kOp = "to_planes";
  PlanarImages y;  ///< like x; its border is left as it is
  Tensor x;        ///< f32 [N, H, W, C]
  void check() const;
};
inline void to_planes(const ToPlanesArgs& args, Context& context) {
  run_op(args, context);
}
struct FromPlanesArgs {
  static constexpr std::string_view kOp = "from_planes";
  Tensor y;        ///< f32 [N, H, W, C]
  PlanarImages x;  ///< like y
  void check() const;
};
inline void from_planes(const FromPlanesArgs& args, Context& context) {
  run_op(args, context);
}

/// One layer's filters in pack_fragments. A row of its i32 table.
struct PackedLayer {
  int32_t weights;    ///< elements of all filters of earlier layers, packed or not
  int32_t fragments;  ///< bf16 numbers of all packed layers before, of one part
  int32_t O, I, KH, KW;

  static constexpr int64_t kColumns = 6;
  /// Numbers of one part, for one network.
  constexpr int64_t size() const { return int64_t{O} * KH * KW * ((I + 15) / 16 * 16); }
};

/// Rounds the filters of P networks to bf16, in the order in which a warp's lanes hold them (see
/// fragment_order.h): of each layer [P, fragments of one network]. Channels are filled up with
/// zeros to a multiple of 16.
struct PackFragmentsArgs {
  static constexpr std::string_view kOp = "pack_fragments";
  Tensor fragments;  ///< bf16 [P * parts * sum of the layers' sizes]
  Tensor weights;    ///< f32, flat: of each layer [P, O, KH, KW, I], as perturb_points writes them
  Tensor layers;     ///< i32 [L, PackedLayer::kColumns]
  int64_t points = 1;  ///< P
  int parts = 1;
  void check() const;
};
inline void pack_fragments(const PackFragmentsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
