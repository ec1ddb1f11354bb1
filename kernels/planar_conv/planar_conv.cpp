#include "kernels/planar_conv/planar_conv.h"

#include "kernels/planar_conv/fragment_order.h"

namespace topograd {

namespace {

void check_images(std::string_view op, const PlanarImages& images, const Shape& plain) {
  require((images.parts == 1 || images.parts == 2) && images.data.dtype() == DType::bf16 &&
              images.data.size() == images.size(),
          op, ": planar images of ", images.parts, " parts in ", images.data.size(), " ",
          name_of(images.data.dtype()), ": needed are ", images.size(), " bf16, in 1 part or 2");
  require(plain == images.shape(), op, ": ", plain, " is not the shape of the planar images, ",
          images.shape());
}

}  // namespace

void ToPlanesArgs::check() const {
  require(x.dtype() == DType::f32, kOp, ": x is of ", name_of(x.dtype()), ", expected f32");
  check_images(kOp, y, x.shape());
}

void FromPlanesArgs::check() const {
  require(y.dtype() == DType::f32, kOp, ": y is of ", name_of(y.dtype()), ", expected f32");
  check_images(kOp, x, y.shape());
}

void PlanarConvArgs::check() const {
  require(points > 0 && y.N % points == 0 && (x.N == y.N || x.N == images()), kOp, ": ", x.N,
          " images to ", y.N, " do not divide among ", points, " points");
  require(planar_conv_fits(filters, geometry, x.H, x.W), kOp, ": filters ", filters, ", ", geometry,
          " of images ", x.shape(), " are not for planes");
  check_images(kOp, x, {x.N, x.H, x.W, filters[3]});
  check_images(kOp, y, geometry.output(x.shape(), filters).with_first(y.N));
  require(x.parts == y.parts, kOp, ": x has ", x.parts, " parts, y ", y.parts);
  const FragmentOrder order{static_cast<int>(x.planes() / 2), x.parts, static_cast<int>(filters[1]),
                            static_cast<int>(filters[2])};
  require(w.dtype() == DType::bf16 && w.size() == points * 2 * order.pairs(filters[0]), kOp, ": w ",
          w.shape(), " must hold the fragments of ", points, " times ", filters);
  require(bias.dtype() == DType::f32 && bias.shape() == Shape{points * filters[0]}, kOp, ": bias ",
          bias.shape(), " must be one per filter of ", points, " times ", filters);
  require(!residual.defined() || residual.same_layout(y), kOp, ": the residual is not like y");
}

bool planar_conv_fits(const Shape& filters, const ConvGeometry& geometry, int64_t H, int64_t W) {
  if (filters.rank() != 4 || filters.size() == 0 || !geometry.is_dense()) return false;
  const PerAxis stride = geometry.stride, padding = geometry.padding;
  const bool square = stride.h == stride.w && padding.h == padding.w && filters[1] == filters[2];
  const bool three = filters[1] == 3 && padding.h == 1 && (stride.h == 1 || stride.h == 2);
  const bool one = filters[1] == 1 && padding.h == 0 && stride.h == 2;
  if (!square || !(three || one) || H % (8 * stride.h) != 0 || H == 0) return false;
  for (int64_t width : {8, 16, 32})
    if (W == width * stride.h && !(width == 32 && stride.h == 2))
      return filters[0] % (512 / width) == 0;
  return false;
}

void PackFragmentsArgs::check() const {
  require(weights.dtype() == DType::f32 && fragments.dtype() == DType::bf16 &&
              layers.dtype() == DType::i32 && layers.shape().rank() == 2 &&
              layers.dim(1) == PackedLayer::kColumns,
          kOp, ": weights of ", name_of(weights.dtype()), ", fragments of ",
          name_of(fragments.dtype()), " and a table ", layers.shape(), " of ",
          name_of(layers.dtype()), "; expected f32, bf16 and i32 [L,", PackedLayer::kColumns, "]");
  require(points > 0 && (parts == 1 || parts == 2), kOp, ": ", points, " points in ", parts,
          " parts");
}

}  // namespace topograd
