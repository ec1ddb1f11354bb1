// One pass over x, vectors running along the channels. Bound by memory outside the cache.
#include "kernels/scale_shift/scale_shift.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/scale_shift/scale_shift_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Computes one network's `rows` of C channels; the next row of x is x_step further on.
void scale_shift_rows(float* y, const float* x, const float* scale, const float* shift, bool relu,
                      int64_t rows, int64_t C, int64_t x_step) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  for (int64_t row = 0; row < rows; ++row, y += C, x += x_step) {
    int64_t c = 0;
    for (; c + lanes <= C; c += lanes) {
      const auto v =
          hn::MulAdd(hn::LoadU(d, scale + c), hn::LoadU(d, x + c), hn::LoadU(d, shift + c));
      hn::StoreU(relu ? hn::IfThenElse(hn::Lt(v, zero), zero, v) : v, d, y + c);  // NaN stays
    }
    for (; c < C; ++c) {
      const float v = scale[c] * x[c] + shift[c];
      y[c] = relu && v < 0 ? 0.0F : v;
    }
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(scale_shift_rows);

void run(const ScaleShiftArgs& args, Context&) {
  const int64_t C = args.channels(), x_step = args.x_channels();
  if (args.y.size() == 0) return;
  const int64_t rows = args.y.size() / C / args.points;
  for (int64_t p = 0; p < args.points; ++p) HWY_DYNAMIC_DISPATCH(scale_shift_rows)
  (args.y.data<float>() + p * rows * C,
   args.x.data<float>() + (args.shares_x() ? 0 : p * rows * x_step) + args.first,
   args.scale.data<float>() + p * C, args.shift.data<float>() + p * C, args.relu, rows, C, x_step);
}

}  // namespace

void register_scale_shift_highway(OpRegistry& registry) {
  registry.add<ScaleShiftArgs>({"highway", Device::cpu,
                                [](const ScaleShiftArgs& a) { return a.y.dtype() == DType::f32; },
                                run});
}

}  // namespace topograd
#endif  // HWY_ONCE
