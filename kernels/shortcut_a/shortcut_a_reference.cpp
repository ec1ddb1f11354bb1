// Copies: memory bounds them, and a network has two. A faster one does not pay: one that touches
// every pixel once took 48 us forward (this: 48) and 49 us backward (57) at [16,32,32,16].
#include <algorithm>

#include "kernels/shortcut_a/shortcut_a.h"

namespace topograd {

namespace {

void forward(const ShortcutAForwardArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t N = args.x.dim(0), H = args.x.dim(1), W = args.x.dim(2), Cin = args.x.dim(3);
    const int64_t Cout = args.y.dim(3);
    const int64_t pad = (Cout - Cin) / 2;
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    std::fill_n(y, args.y.size(), T(0));
    for (int64_t n = 0; n < N; ++n)
      for (int64_t h = 0; h < H; h += args.stride)
        for (int64_t w = 0; w < W; w += args.stride) {
          std::copy_n(x + ((n * H + h) * W + w) * Cin, Cin, y + pad);
          y += Cout;
        }
  });
}

void backward(const ShortcutABackwardArgs& args, Context&) {
  if (args.write == Write::overwrite) args.dx.fill_zero();
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t N = args.dx.dim(0), H = args.dx.dim(1), W = args.dx.dim(2), Cin = args.dx.dim(3);
    const int64_t Cout = args.dy.dim(3);
    const int64_t pad = (Cout - Cin) / 2;
    const T* dy = args.dy.data<T>();
    T* dx = args.dx.data<T>();
    for (int64_t n = 0; n < N; ++n)
      for (int64_t h = 0; h < H; h += args.stride)
        for (int64_t w = 0; w < W; w += args.stride) {
          T* pixel = dx + ((n * H + h) * W + w) * Cin;
          for (int64_t c = 0; c < Cin; ++c) pixel[c] += dy[pad + c];
          dy += Cout;
        }
  });
}

}  // namespace

void register_shortcut_a_reference(OpRegistry& registry) {
  registry.add<ShortcutAForwardArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<ShortcutABackwardArgs>({"reference", Device::cpu, supports_all, backward});
}

}  // namespace topograd
