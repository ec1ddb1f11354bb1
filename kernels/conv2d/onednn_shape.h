// A convolution as oneDNN describes it, for the implementations of conv2d and fused_conv by it.
#pragma once

#include <array>

#include "convolution_descriptors.h"
#include "kernels/conv2d/conv2d.h"

namespace topograd::onednn {

/// Returns the description of x [N, H, W, C], which oneDNN's dimensions name N C H W.
inline dnnl::memory::desc images_desc(const Shape& x) {
  return {{x[0], x[3], x[1], x[2]}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nhwc};
}

/// Returns the description of filters w [O, KH, KW, I/G], as they are or in a layout of oneDNN's
/// choice. The dimensions of groups come first: G O/G I/G KH KW.
inline dnnl::memory::desc filters_desc(const Shape& w, int64_t groups, bool as_they_are) {
  using Tag = dnnl::memory::format_tag;
  const auto f32 = dnnl::memory::data_type::f32;
  if (groups == 1) return {{w[0], w[3], w[1], w[2]}, f32, as_they_are ? Tag::ohwi : Tag::any};
  return {{groups, w[0] / groups, w[3], w[1], w[2]}, f32, as_they_are ? Tag::gohwi : Tag::any};
}

/// Returns the description of a convolution, its filters in a layout of oneDNN's choice.
inline ConvolutionShape shape_of(const Shape& y, const Shape& x, const Shape& w, bool with_bias,
                                 const ConvGeometry& geometry) {
  ConvolutionShape shape;
  shape.x = images_desc(x);
  shape.y = images_desc(y);
  shape.w = filters_desc(w, geometry.groups, false);
  if (with_bias) shape.bias = {{w[0]}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x};
  shape.strides = {geometry.stride.h, geometry.stride.w};
  shape.skipped = {geometry.dilation.h - 1, geometry.dilation.w - 1};
  shape.padding = {geometry.padding.h, geometry.padding.w};
  return shape;
}

/// All numbers that tell one convolution from others.
using ShapeKey = std::array<int64_t, 14>;
inline ShapeKey key_of(const Shape& x, const Shape& w, const ConvGeometry& geometry) {
  return {x[0],
          x[1],
          x[2],
          x[3],
          w[0],
          w[1],
          w[2],
          geometry.stride.h,
          geometry.stride.w,
          geometry.padding.h,
          geometry.padding.w,
          geometry.dilation.h,
          geometry.dilation.w,
          geometry.groups};
}

}  // namespace topograd::onednn
