// Window by window, channel by channel: the oracle.
#include <cmath>
#include <limits>

#include "kernels/pool/pool_windows.h"

namespace topograd {

namespace {

/// Calls f(first element of the pixel) for every pixel of a window, in row-major order, until f
/// returns true.
template <class F>
void for_each_pixel(const Window& window, const Shape& image, F&& f) {
  for (int64_t h = window.h_begin; h < window.h_end; h += window.h_step)
    for (int64_t w = window.w_begin; w < window.w_end; w += window.w_step)
      if (f(((window.n * image[1] + h) * image[2] + w) * image[3])) return;
}

void forward(const PoolForwardArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    const Shape& image = args.x.shape();
    for_each_window(image, args.y.shape(), args.geometry, [&](int64_t out, const Window& window) {
      for (int64_t c = 0; c < image[3]; ++c) {
        T maximum = -std::numeric_limits<T>::infinity();
        double sum = 0;
        for_each_pixel(window, image, [&](int64_t pixel) {
          const T value = x[pixel + c];
          // Once NaN, no comparison replaces it.
          if (value > maximum || std::isnan(value)) maximum = value;
          sum += value;
          return false;
        });
        y[out + c] = args.kind == PoolKind::max
                         ? maximum
                         : static_cast<T>(sum / static_cast<double>(window.area));
      }
    });
  });
}

/// Calls f(first pixel that holds the maximum, element of y) for every window and channel.
template <class T, class F>
void for_each_maximum(const T* x, const T* y, const Shape& image, const Shape& pooled,
                      const PoolGeometry& geometry, F&& f) {
  for_each_window(image, pooled, geometry, [&](int64_t out, const Window& window) {
    for (int64_t c = 0; c < image[3]; ++c) {
      const T maximum = y[out + c];
      for_each_pixel(window, image, [&](int64_t pixel) {
        const T value = x[pixel + c];
        if (value != maximum && !(std::isnan(value) && std::isnan(maximum))) return false;
        f(pixel + c, out + c);
        return true;
      });
    }
  });
}

void tangent(const MaxPoolTangentArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* from = args.x_tangent.data<T>();
    T* to = args.y_tangent.data<T>();
    for_each_maximum(args.x.data<T>(), args.y.data<T>(), args.x.shape(), args.y.shape(),
                     args.geometry, [&](int64_t in, int64_t out) { to[out] = from[in]; });
  });
}

void backward_max(const PoolBackwardArgs& args) {
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* dy = args.dy.data<T>();
    T* dx = args.dx.data<T>();
    for_each_maximum(args.x.data<T>(), args.y.data<T>(), args.dx.shape(), args.dy.shape(),
                     args.geometry, [&](int64_t in, int64_t out) { dx[in] += dy[out]; });
  });
}

void backward_average(const PoolBackwardArgs& args) {
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* dy = args.dy.data<T>();
    T* dx = args.dx.data<T>();
    const Shape& image = args.dx.shape();
    for_each_window(image, args.dy.shape(), args.geometry, [&](int64_t out, const Window& window) {
      const T area = static_cast<T>(window.area);
      for_each_pixel(window, image, [&](int64_t pixel) {
        for (int64_t c = 0; c < image[3]; ++c) dx[pixel + c] += dy[out + c] / area;
        return false;
      });
    });
  });
}

/// Backward pass of both kinds. Windows may overlap, so both kinds add to what is there.
void backward(const PoolBackwardArgs& args, Context&) {
  if (args.write == Write::overwrite) args.dx.fill_zero();
  if (args.kind == PoolKind::max)
    backward_max(args);
  else
    backward_average(args);
}

void global_forward(const GlobalAveragePoolForwardArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.x.dim(3);
    const int64_t pixels = args.x.dim(1) * args.x.dim(2);
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    for (int64_t n = 0; n < args.x.dim(0); ++n)
      for (int64_t c = 0; c < C; ++c) {
        double sum = 0;
        for (int64_t pixel = 0; pixel < pixels; ++pixel) sum += x[(n * pixels + pixel) * C + c];
        y[n * C + c] = static_cast<T>(sum / static_cast<double>(pixels));
      }
  });
}

void global_backward(const GlobalAveragePoolBackwardArgs& args, Context&) {
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.dx.dim(3);
    const int64_t pixels = args.dx.dim(1) * args.dx.dim(2);
    const T share = T(1) / static_cast<T>(pixels);
    const T* dy = args.dy.data<T>();
    T* dx = args.dx.data<T>();
    const bool accumulate = args.write == Write::accumulate;
    for (int64_t n = 0; n < args.dx.dim(0); ++n, dy += C)
      for (int64_t pixel = 0; pixel < pixels; ++pixel, dx += C)
        for (int64_t c = 0; c < C; ++c) dx[c] = dy[c] * share + (accumulate ? dx[c] : T(0));
  });
}

}  // namespace

void register_pool_reference(OpRegistry& registry) {
  registry.add<PoolForwardArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<PoolBackwardArgs>({"reference", Device::cpu, supports_all, backward});
  registry.add<MaxPoolTangentArgs>({"reference", Device::cpu, supports_all, tangent});
  registry.add<GlobalAveragePoolForwardArgs>(
      {"reference", Device::cpu, supports_all, global_forward});
  registry.add<GlobalAveragePoolBackwardArgs>(
      {"reference", Device::cpu, supports_all, global_backward});
}

}  // namespace topograd
