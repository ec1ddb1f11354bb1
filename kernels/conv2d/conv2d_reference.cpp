// The sums as they are defined, accumulated in double: the oracle.
#include <vector>

#include "kernels/conv2d/extents.h"

namespace topograd {

namespace {

/// Calls f(flat index into y, into x, into w) for every product of the convolution.
template <class F>
void for_each_product(const ConvExtents& e, F f) {
  for (int64_t n = 0; n < e.N; ++n)
    for (int64_t oh = 0; oh < e.OH; ++oh)
      for (int64_t ow = 0; ow < e.OW; ++ow)
        for (int64_t o = 0; o < e.O; ++o)
          for (int64_t kh = 0; kh < e.KH; ++kh)
            for (int64_t kw = 0; kw < e.KW; ++kw) {
              const int64_t h = oh * e.stride.h + kh * e.dilation.h - e.padding.h;
              const int64_t v = ow * e.stride.w + kw * e.dilation.w - e.padding.w;
              if (h < 0 || h >= e.H || v < 0 || v >= e.W) continue;
              const int64_t first = o / e.filters * e.channels;  // channel of the filter's group
              for (int64_t i = 0; i < e.channels; ++i)
                f(((n * e.OH + oh) * e.OW + ow) * e.O + o,
                  ((n * e.H + h) * e.W + v) * e.I + first + i,
                  ((o * e.KH + kh) * e.KW + kw) * e.channels + i);
            }
}

/// Stores sums into `target`, replacing or adding.
template <class T>
void store(const Tensor& target, const std::vector<double>& sums, Write write) {
  T* out = target.data<T>();
  for (size_t i = 0; i < sums.size(); ++i)
    out[i] = static_cast<T>(write == Write::accumulate ? out[i] + sums[i] : sums[i]);
}

void forward(const Conv2dForwardArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* x = args.x.data<T>();
    const T* w = args.w.data<T>();
    std::vector<double> sums(static_cast<size_t>(args.y.size()), 0.0);
    if (args.bias.defined()) {
      const int64_t O = args.w.dim(0);
      for (int64_t i = 0; i < args.y.size(); ++i)
        sums[static_cast<size_t>(i)] = args.bias.data<T>()[i % O];
    }
    for_each_product({args.y.shape(), args.x.shape(), args.w.shape(), args.geometry},
                     [&](int64_t iy, int64_t ix, int64_t iw) {
                       sums[static_cast<size_t>(iy)] += static_cast<double>(x[ix]) * w[iw];
                     });
    store<T>(args.y, sums, args.write);
  });
}

void backward_data(const Conv2dBackwardDataArgs& args, Context&) {
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* dy = args.dy.data<T>();
    const T* w = args.w.data<T>();
    std::vector<double> sums(static_cast<size_t>(args.dx.size()), 0.0);
    for_each_product({args.dy.shape(), args.dx.shape(), args.w.shape(), args.geometry},
                     [&](int64_t iy, int64_t ix, int64_t iw) {
                       sums[static_cast<size_t>(ix)] += static_cast<double>(dy[iy]) * w[iw];
                     });
    store<T>(args.dx, sums, args.write);
  });
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context&) {
  with_real_type(args.dw.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* dy = args.dy.data<T>();
    const T* x = args.x.data<T>();
    std::vector<double> sums(static_cast<size_t>(args.dw.size()), 0.0);
    for_each_product({args.dy.shape(), args.x.shape(), args.dw.shape(), args.geometry},
                     [&](int64_t iy, int64_t ix, int64_t iw) {
                       sums[static_cast<size_t>(iw)] += static_cast<double>(dy[iy]) * x[ix];
                     });
    store<T>(args.dw, sums, args.write);
  });
}

}  // namespace

void register_conv2d_reference(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<Conv2dBackwardDataArgs>({"reference", Device::cpu, supports_all, backward_data});
  registry.add<Conv2dBackwardFilterArgs>({"reference", Device::cpu, supports_all, backward_filter});
}

}  // namespace topograd
