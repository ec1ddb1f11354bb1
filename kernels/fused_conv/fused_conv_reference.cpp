// Convolution, bias, residual and maximum, one after the other, by the definition: the oracle.
#include <algorithm>

#include "kernels/fused_conv/fused_conv.h"

namespace topograd {

namespace {

/// Returns the sum of one output element, bias and residual left out; x begins at the first channel
/// of the filter's group.
template <class T>
double window_sum(const FusedConvArgs& args, const T* x, const T* w, int64_t oh, int64_t ow) {
  const int64_t H = args.x.dim(1), W = args.x.dim(2), I = args.x.dim(3);
  const ConvGeometry& g = args.geometry;
  double sum = 0;
  for (int64_t kh = 0; kh < args.w.dim(1); ++kh)
    for (int64_t kw = 0; kw < args.w.dim(2); ++kw, w += args.w.dim(3)) {
      const int64_t h = oh * g.stride.h + kh * g.dilation.h - g.padding.h;
      const int64_t v = ow * g.stride.w + kw * g.dilation.w - g.padding.w;
      if (h < 0 || h >= H || v < 0 || v >= W) continue;
      const T* pixel = x + (h * W + v) * I;
      for (int64_t i = 0; i < args.w.dim(3); ++i) sum += static_cast<double>(pixel[i]) * w[i];
    }
  return sum;
}

void run(const FusedConvArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t N = args.images(), O = args.filters();
    const int64_t image = args.x.dim(1) * args.x.dim(2) * args.x.dim(3);
    const int64_t filter = args.w.dim(1) * args.w.dim(2) * args.w.dim(3);
    T* y = args.y.data<T>();
    const T* residual = args.residual.defined() ? args.residual.data<T>() : nullptr;
    int64_t index = 0;
    for (int64_t n = 0; n < args.y.dim(0); ++n)
      for (int64_t oh = 0; oh < args.y.dim(1); ++oh)
        for (int64_t ow = 0; ow < args.y.dim(2); ++ow)
          for (int64_t o = 0; o < O; ++o, ++index) {
            const int64_t filter_index = n / N * O + o;
            const T* x = args.x.data<T>() + (args.shares_x() ? n % N : n) * image;
            const int64_t group = o / (O / args.geometry.groups);
            double sum = window_sum(args, x + group * args.w.dim(3),
                                    args.w.data<T>() + filter_index * filter, oh, ow);
            if (args.bias.defined()) sum += static_cast<double>(args.bias.data<T>()[filter_index]);
            if (residual) sum += static_cast<double>(residual[index]);
            // A NaN stays one, as in ReLU.
            y[index] = static_cast<T>(args.relu && sum < 0 ? 0.0 : sum);
          }
  });
}

}  // namespace

void register_fused_conv_reference(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
