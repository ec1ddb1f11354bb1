// Resizing in vector code. Lanes are channels; which pixels are read, and their weights, is worked
// out once per call and axis, and the list that a row makes of it serves all images. Backward, each
// pixel of the input gathers from the outputs that read it, which are neighbours: nothing is
// cleared beforehand. Memory bounds both directions where there are enough channels for vectors.
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

/// What each pixel of a row reads: entries [ends[p - 1], ends[p]) are elements of the image, and
/// their weights.
void weighted_row(float* out, const float* in, const int64_t* from, const float* weights,
                  const int64_t* ends, int64_t pixels, int64_t C, bool accumulate) {
  int64_t begin = 0;
  for (int64_t p = 0; p < pixels; ++p, out += C) {
    const int64_t end = ends[p];
    int64_t c = 0;
    const auto vectors = [&](auto d) HWY_ATTR {
      const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
      for (; c + lanes <= C; c += lanes) {
        auto sum = hn::Zero(d);
        if (accumulate) sum = hn::LoadU(d, out + c);
        for (int64_t k = begin; k < end; ++k)
          sum = hn::MulAdd(hn::Set(d, weights[k]), hn::LoadU(d, in + from[k] + c), sum);
        hn::StoreU(sum, d, out + c);
      }
    };
    vectors(hn::ScalableTag<float>());
    vectors(hn::CappedTag<float, 8>());
    vectors(hn::CappedTag<float, 4>());
    vectors(hn::CappedTag<float, 1>());
    begin = end;
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(weighted_row);

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
  std::vector<int64_t> from, ends;
  std::vector<float> weights;
  const auto pixels = static_cast<int64_t>(columns.size());
  const auto row_count = static_cast<int64_t>(rows.size());
  for (int64_t r = 0; r < row_count; ++r) {
    from.clear();
    weights.clear();
    ends.clear();
    for (const auto& column : columns) {
      for (const Read& h : rows[static_cast<size_t>(r)])
        for (const Read& w : column) {
          from.push_back((h.from * width + w.from) * C);
          weights.push_back(h.weight * w.weight);
        }
      ends.push_back(static_cast<int64_t>(from.size()));
    }
    for (int64_t n = 0; n < images; ++n) HWY_DYNAMIC_DISPATCH(weighted_row)
    (out + (n * row_count + r) * pixels * C, in + n * height * width * C, from.data(),
     weights.data(), ends.data(), pixels, C, accumulate);
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
