// Copies, pixel by pixel, by the library's memmove forward: memory bounds them, and vector code
// gains nothing there (measured at 16 x 16 pixels of 16 images, 32 + 128 channels: 275 us, this
// 284; 12 + 24 channels: 63 us, this 45).
#include <algorithm>

#include "kernels/concat/concat.h"

namespace topograd {

namespace {

void forward(const ConcatArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t Ca = args.a.dim(3);
    const int64_t Cb = args.b.dim(3);
    const T* a = args.a.data<T>();
    const T* b = args.b.data<T>();
    T* y = args.y.data<T>();
    const T* const end = y + args.y.size();
    for (; y != end; y += Ca + Cb, a += Ca, b += Cb) {
      std::copy_n(a, Ca, y);
      std::copy_n(b, Cb, y + Ca);
    }
  });
}

/// part = dy[..., first : first + channels of part].
template <class T>
void take(const Tensor& part, const Tensor& whole, int64_t first, Write write) {
  const int64_t channels = part.dim(3);
  const int64_t pixels = part.dim(0) * part.dim(1) * part.dim(2);
  T* target = part.data<T>();
  for (int64_t pixel = 0; pixel < pixels; ++pixel, target += channels) {
    const T* source = whole.data<T>() + pixel * whole.dim(3) + first;
    for (int64_t c = 0; c < channels; ++c)
      target[c] = write == Write::accumulate ? target[c] + source[c] : source[c];
  }
}

void backward(const ConcatBackwardArgs& args, Context&) {
  with_real_type(args.dy.dtype(), [&](auto real) {
    using T = decltype(real);
    if (args.da.defined()) take<T>(args.da, args.dy, 0, args.write_a);
    if (args.db.defined()) take<T>(args.db, args.dy, args.dy.dim(3) - args.db.dim(3), args.write_b);
  });
}

}  // namespace

void register_concat_reference(OpRegistry& registry) {
  registry.add<ConcatArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<ConcatBackwardArgs>({"reference", Device::cpu, supports_all, backward});
}

}  // namespace topograd
