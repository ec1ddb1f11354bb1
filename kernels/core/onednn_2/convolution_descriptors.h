// oneDNN 2.x: a primitive descriptor is made from an operation descriptor. CMake puts this folder
// or onednn_3/ on the include path, by the version it finds.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace topograd::onednn {

/// The memory descriptors and geometry that the three directions of a convolution share.
struct ConvolutionShape {
  dnnl::memory::desc x, w, bias, y;              ///< bias.get_size() == 0: none
  dnnl::memory::dims strides, skipped, padding;  ///< skipped: between neighbouring taps
};

inline dnnl::convolution_forward::primitive_desc forward_descriptor(
    const ConvolutionShape& s, const dnnl::primitive_attr& attributes, const dnnl::engine& engine) {
  return {dnnl::convolution_forward::desc(dnnl::prop_kind::forward_training,
                                          dnnl::algorithm::convolution_direct, s.x, s.w, s.bias,
                                          s.y, s.strides, s.skipped, s.padding, s.padding),
          attributes, engine};
}

inline dnnl::convolution_backward_data::primitive_desc backward_data_descriptor(
    const ConvolutionShape& s, const dnnl::primitive_attr& attributes, const dnnl::engine& engine,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return {dnnl::convolution_backward_data::desc(dnnl::algorithm::convolution_direct, s.x, s.w, s.y,
                                                s.strides, s.skipped, s.padding, s.padding),
          attributes, engine, hint};
}

inline dnnl::convolution_backward_weights::primitive_desc backward_filter_descriptor(
    const ConvolutionShape& s, const dnnl::primitive_attr& attributes, const dnnl::engine& engine,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return {dnnl::convolution_backward_weights::desc(dnnl::algorithm::convolution_direct, s.x, s.w,
                                                   s.y, s.strides, s.skipped, s.padding, s.padding),
          attributes, engine, hint};
}

}  // namespace topograd::onednn
