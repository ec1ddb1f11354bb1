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

/// One network's `rows` of C channels.
void scale_shift_rows(float* y, const float* x, const float* scale, const float* shift, bool relu,
                      int64_t rows, int64_t C) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  for (int64_t row = 0; row < rows; ++row, y += C, x += C) {
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
  const int64_t C = args.channels(), size = args.y.size() / args.points;
  if (size == 0) return;
  for (int64_t p = 0; p < args.points; ++p) HWY_DYNAMIC_DISPATCH(scale_shift_rows)
  (args.y.data<float>() + p * size, args.x.data<float>() + (args.shares_x() ? 0 : p * size),
   args.scale.data<float>() + p * C, args.shift.data<float>() + p * C, args.relu, size / C, C);
}

}  // namespace

void register_scale_shift_highway(OpRegistry& registry) {
  registry.add<ScaleShiftArgs>({"highway", Device::cpu,
                                [](const ScaleShiftArgs& a) { return a.y.dtype() == DType::f32; },
                                run});
}

}  // namespace topograd
#endif  // HWY_ONCE
