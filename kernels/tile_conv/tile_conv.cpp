#include "kernels/tile_conv/tile_conv.h"

#include <algorithm>

#include "kernels/core/op.h"

namespace topograd {

namespace {

void check_images(std::string_view op, const TiledImages& images, const Shape& plain) {
  require((images.parts == 1 || images.parts == 2) && images.data.dtype() == DType::bf16 &&
              images.data.size() >= images.size(),
          op, ": tiled images of ", images.parts, " parts in ", images.data.size(), " ",
          name_of(images.data.dtype()), ": needed are ", images.size(), " bf16, in 1 part or 2");
  require(plain == Shape{images.N, images.H, images.W, images.C}, op, ": ", plain,
          " is not the shape of the tiled images, ", Shape{images.N, images.H, images.W, images.C});
}

}  // namespace

void TileImagesArgs::check() const {
  require(x.dtype() == DType::f32, kOp, ": x is of ", name_of(x.dtype()), ", expected f32");
  check_images(kOp, y, x.shape());
}

void UntileImagesArgs::check() const {
  require(y.dtype() == DType::f32, kOp, ": y is of ", name_of(y.dtype()), ", expected f32");
  check_images(kOp, x, y.shape());
}

void TileConvArgs::check() const {
  require(tile_conv_fits(w.shape(), geometry), kOp, ": w ", w.shape(), ", ", geometry,
          " are not for tiles");
  check_images(kOp, x, {y.N, x.H, x.W, w.dim(3)});
  check_images(kOp, y, geometry.output({x.N, x.H, x.W, x.C}, w.shape()));
  require(x.parts == y.parts, kOp, ": x has ", x.parts, " parts, y ", y.parts);
  require(!bias.defined() || bias.shape() == Shape{w.dim(0)}, kOp, ": bias ", bias.shape(),
          " must be one per filter of w ", w.shape());
  require(!residual.defined() || residual.same_layout(y), kOp, ": the residual is not like y");
}

bool tile_conv_fits(const Shape& w, const ConvGeometry& geometry) {
  return w.rank() == 4 && w[0] % TiledImages::kTileRows == 0 && w[0] > 0 && w[3] > 0 &&
         geometry.is_dense() && geometry.stride.h == geometry.stride.w && geometry.stride.h > 0 &&
         std::min(geometry.padding.h, geometry.padding.w) >= 0 &&
         std::max(geometry.padding.h, geometry.padding.w) <= 1;
}

bool has_tile_unit() {
  for (const auto& implementation : OpRegistry::instance().implementations<TileConvArgs>())
    if (implementation.name != "reference" && implementation.supports({})) return true;
  return false;
}

}  // namespace topograd
