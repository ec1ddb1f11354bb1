// Global average pooling in vector code: lanes are channels, so each channel is summed alone, in
// pixel order, and the result is the same to the bit on every instruction set. It reads each
// element once: memory bounds it, where the reference strides through memory channel by channel.
#include "kernels/pool/pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/pool_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// y[c] = mean over pixels of x[pixel * C + c], for one image.
void global_average(float* y, const float* x, int64_t pixels, int64_t C) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const float count = static_cast<float>(pixels);
  int64_t c = 0;
  for (; c + lanes <= C; c += lanes) {
    auto sum = hn::Zero(d);
    for (int64_t pixel = 0; pixel < pixels; ++pixel)
      sum = hn::Add(sum, hn::LoadU(d, x + pixel * C + c));
    hn::StoreU(hn::Div(sum, hn::Set(d, count)), d, y + c);
  }
  for (; c < C; ++c) {
    float sum = 0;
    for (int64_t pixel = 0; pixel < pixels; ++pixel) sum += x[pixel * C + c];
    y[c] = sum / count;
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(global_average);

void register_pool_highway(OpRegistry& registry) {
  registry.add<GlobalAveragePoolForwardArgs>(
      {"highway", Device::cpu,
       [](const GlobalAveragePoolForwardArgs& a) { return a.x.dtype() == DType::f32; },
       [](const GlobalAveragePoolForwardArgs& a, Context&) {
         const int64_t C = a.x.dim(3);
         const int64_t pixels = a.x.dim(1) * a.x.dim(2);
         for (int64_t n = 0; n < a.x.dim(0); ++n) HWY_DYNAMIC_DISPATCH(global_average)
         (a.y.data<float>() + n * C, a.x.data<float>() + n * pixels * C, pixels, C);
       }});
}

}  // namespace topograd
#endif  // HWY_ONCE
