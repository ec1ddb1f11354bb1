// Resizing in vector code. Lanes are channels; which pixels are read, and their weights, is worked
// out once per call and axis. Backward, each pixel of the input gathers from the outputs that read
// it, which are neighbours: nothing is cleared beforehand. Memory bounds both directions where
// there are enough channels for vectors.
#include <vector>

#include "kernels/resize/resize_axis.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize/resize_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sets (or adds to) out[0 .. C) the sum over `count` pixels of weights[k] from[k][0 .. C).
void weighted_sum(float* out, const float* const* from, const float* weights, int64_t count,
                  int64_t C, bool accumulate) {
  const auto add = [&](auto d, int64_t c) HWY_ATTR {
    auto sum = hn::Zero(d);
    if (accumulate) sum = hn::LoadU(d, out + c);
    for (int64_t k = 0; k < count; ++k)
      sum = hn::MulAdd(hn::Set(d, weights[k]), hn::LoadU(d, from[k] + c), sum);
    hn::StoreU(sum, d, out + c);
  };
  int64_t c = 0;
  const auto vectors = [&](auto d) HWY_ATTR {
    const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
    for (; c + lanes <= C; c += lanes) add(d, c);
  };
  vectors(hn::ScalableTag<float>());
  vectors(hn::CappedTag<float, 8>());
  vectors(hn::CappedTag<float, 4>());
  vectors(hn::CappedTag<float, 1>());
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(weighted_sum);

/// Where one pixel of an axis reads from, and with which weight.
struct Read {
  int64_t from;
  float weight;
};
/// Per pixel of one axis, all that it reads.
using Reads = std::vector<std::vector<Read>>;

Reads forward_reads(const ResizeAxis& axis) {
  Reads reads;
  for (int64_t o = 0; o < axis.outputs; ++o) {
    const Taps taps = axis.taps(o);
    reads.push_back({{taps.first, static_cast<float>(1 - taps.share)}});
    if (taps.share != 0) reads.back().push_back({taps.second, static_cast<float>(taps.share)});
  }
  return reads;
}

Reads backward_reads(const ResizeAxis& axis) {
  Reads reads;
  for (int64_t i = 0; i < axis.pixels; ++i) {
    const auto [first, end] = axis.readers(i);
    reads.emplace_back();
    for (int64_t o = first; o < end; ++o)
      reads.back().push_back({o, static_cast<float>(axis.taps(o).weight(i))});
  }
  return reads;
}

/// Writes images [N, rows, columns, C] from images of which a row has `width` pixels and which has
/// `height` of them.
void gather(float* out, const float* in, const Reads& rows, const Reads& columns, int64_t images,
            int64_t height, int64_t width, int64_t C, bool accumulate) {
  std::vector<const float*> from;
  std::vector<float> weights;
  for (int64_t n = 0; n < images; ++n)
    for (const auto& row : rows)
      for (const auto& column : columns) {
        from.clear();
        weights.clear();
        for (const Read& h : row)
          for (const Read& w : column) {
            from.push_back(in + ((n * height + h.from) * width + w.from) * C);
            weights.push_back(h.weight * w.weight);
          }
        HWY_DYNAMIC_DISPATCH(weighted_sum)
        (out, from.data(), weights.data(), static_cast<int64_t>(from.size()), C, accumulate);
        out += C;
      }
}

void forward(const ResizeForwardArgs& args, Context&) {
  const ResizeAxes axes(args.x, args.y, args.geometry);
  gather(args.y.data<float>(), args.x.data<float>(), forward_reads(axes.h), forward_reads(axes.w),
         args.x.dim(0), axes.h.pixels, axes.w.pixels, args.x.dim(3), false);
}

void backward(const ResizeBackwardArgs& args, Context&) {
  const ResizeAxes axes(args.dx, args.dy, args.geometry);
  gather(args.dx.data<float>(), args.dy.data<float>(), backward_reads(axes.h),
         backward_reads(axes.w), args.dx.dim(0), axes.h.outputs, axes.w.outputs, args.dx.dim(3),
         args.write == Write::accumulate);
}

}  // namespace

void register_resize_highway(OpRegistry& registry) {
  registry.add<ResizeForwardArgs>(
      {"highway", Device::cpu,
       [](const ResizeForwardArgs& args) { return args.x.dtype() == DType::f32; }, forward});
  registry.add<ResizeBackwardArgs>(
      {"highway", Device::cpu,
       [](const ResizeBackwardArgs& args) { return args.dx.dtype() == DType::f32; }, backward});
}

}  // namespace topograd
#endif  // HWY_ONCE
