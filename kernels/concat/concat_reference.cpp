// Copies, pixel by pixel, by the library's memmove forward: memory bounds them, and vector code
// gains nothing there (measured at 16 x 16 pixels of 16 images, 32 + 128 channels: 275 us, this
// 284; 12 + 24 channels: 63 us, this 45).
#include <algorithm>

#include "kernels/concat/concat.h"

namespace topograd {

namespace {

/// Calls f(part's pixel, the same pixel's channels of `whole`), for every pixel.
template <class T, class F>
void for_each_pixel(const Tensor& part, const Tensor& whole, int64_t first, const F& f) {
  const int64_t pixels = part.dim(0) * part.dim(1) * part.dim(2);
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    f(part.data<T>() + pixel * part.dim(3), whole.data<T>() + pixel * whole.dim(3) + first);
}

void forward(const ConcatArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t channels = args.part.dim(3);
    for_each_pixel<T>(args.part, args.y, args.first,
                      [&](const T* part, T* y) { std::copy_n(part, channels, y); });
  });
}

void backward(const ConcatBackwardArgs& args, Context&) {
  with_real_type(args.dy.dtype(), [&](auto real) {
    using T = decltype(real);
    const bool accumulate = args.write == Write::accumulate;
    for_each_pixel<T>(args.dpart, args.dy, args.first, [&](T* part, const T* dy) {
      for (int64_t c = 0; c < args.dpart.dim(3); ++c)
        part[c] = accumulate ? part[c] + dy[c] : dy[c];
    });
  });
}

}  // namespace

void register_concat_reference(OpRegistry& registry) {
  registry.add<ConcatArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<ConcatBackwardArgs>({"reference", Device::cpu, supports_all, backward});
}

}  // namespace topograd
