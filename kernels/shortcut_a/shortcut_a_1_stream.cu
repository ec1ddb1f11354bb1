// The shortcut without parameters, and its transpose: copies of every stride-th pixel, zeros in the
// new channels.
//
// Forward, thread i owns elements i, i + step, ... of y; backward, of dx. Every output element has
// at most one source, so both directions gather, and no two threads write the same place. Channels
// are innermost: a warp writes one line, and reads runs of Cin neighbours.
// Traffic: forward 4 bytes per element of y and 4 per element of x that is kept; backward 4 (where
// it adds: 8) per element of dx and 4 per element of dy's middle channels. Adding, a thread whose
// pixel was not kept touches nothing. Work: three divisions by multiplication, some 45 instructions
// (see kernels/core/divisor.h), backward five. A network calls it twice.
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/shortcut_a/shortcut_a.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Extents: the wide tensor (x, dx) is [N, H, W, Cin], the narrow one (y, dy) [N, h, w, Cout].
struct Geometry {
  int64_t H, W, Cin;
  int64_t h, w, Cout;
  int64_t pad;  // channels of zeros before the copied ones
  int stride;
  Geometry(const Tensor& wide, const Tensor& narrow, int stride_)
      : H(wide.dim(1)),
        W(wide.dim(2)),
        Cin(wide.dim(3)),
        h(narrow.dim(1)),
        w(narrow.dim(2)),
        Cout(narrow.dim(3)),
        pad((Cout - Cin) / 2),
        stride(stride_) {}
};

__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t n, Geometry g,
                   Divisor Cout, Divisor w, Divisor h) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [pixel, co] = Cout.divide(i);
    const auto [row, ow] = w.divide(pixel);
    const auto [image, oh] = h.divide(row);
    const int64_t c = co - g.pad;
    const int64_t source = (image * g.H + oh * g.stride) * g.W + ow * g.stride;
    y[i] = 0 <= c && c < g.Cin ? x[source * g.Cin + c] : 0.0f;
  }
}

__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* __restrict__ dx, const float* __restrict__ dy, int64_t n, Geometry g,
                    Divisor Cin, Divisor W, Divisor H, Divisor stride, bool accumulate) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [pixel, c] = Cin.divide(i);
    const auto [row, iw] = W.divide(pixel);
    const auto [image, ih] = H.divide(row);
    const auto [oh, past_h] = stride.divide(ih);
    const auto [ow, past_w] = stride.divide(iw);
    const bool kept = past_h == 0 && past_w == 0;
    if (!kept && accumulate) continue;
    const float value = kept ? dy[((image * g.h + oh) * g.w + ow) * g.Cout + g.pad + c] : 0.0f;
    dx[i] = accumulate ? dx[i] + value : value;
  }
}

void forward(const ShortcutAForwardArgs& args, Context& context) {
  const int64_t n = args.y.size();
  const Geometry g(args.x, args.y, args.stride);
  launch(forward_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.x), n, g, Divisor(g.Cout), Divisor(g.w), Divisor(g.h));
}

void backward(const ShortcutABackwardArgs& args, Context& context) {
  const int64_t n = args.dx.size();
  const Geometry g(args.dx, args.dy, args.stride);
  launch(backward_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dx), pointer<float>(args.dy), n, g, Divisor(g.Cin), Divisor(g.W),
         Divisor(g.H), Divisor(args.stride), args.write == Write::accumulate);
}

}  // namespace

void register_shortcut_a_1_stream(OpRegistry& registry) {
  registry.add<ShortcutAForwardArgs>(
      {"stream", kDevice, [](const ShortcutAForwardArgs& args) { return all_f32(args.y); },
       forward});
  registry.add<ShortcutABackwardArgs>(
      {"stream", kDevice, [](const ShortcutABackwardArgs& args) { return all_f32(args.dx); },
       backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
