// Pixel by pixel of the output, forward reading and backward adding to the four around its
// position: the oracle.
#include <vector>

#include "kernels/resize/resize_axis.h"

namespace topograd {

namespace {

/// Calls f(element of the output, element of the image, weight) for everything that is read.
template <class F>
void for_each_read(const Tensor& image, const Tensor& resized, const ResizeGeometry& g,
                   const F& f) {
  const ResizeAxes axes(image, resized, g);
  const int64_t C = image.dim(3);
  int64_t out = 0;
  for (int64_t n = 0; n < resized.dim(0); ++n)
    for (int64_t oh = 0; oh < resized.dim(1); ++oh)
      for (int64_t ow = 0; ow < resized.dim(2); ++ow, out += C) {
        const Taps h = axes.h.taps(oh), w = axes.w.taps(ow);
        for (int down : {0, 1})
          for (int right : {0, 1}) {
            const double weight = (down ? h.share : 1 - h.share) * (right ? w.share : 1 - w.share);
            const int64_t row = n * image.dim(1) + (down ? h.second : h.first);
            const int64_t pixel = row * image.dim(2) + (right ? w.second : w.first);
            if (weight == 0) continue;
            for (int64_t c = 0; c < C; ++c) f(out + c, pixel * C + c, weight);
          }
      }
}

void forward(const ResizeForwardArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    std::vector<double> sums(static_cast<size_t>(args.y.size()), 0.0);
    for_each_read(args.x, args.y, args.geometry, [&](int64_t out, int64_t in, double weight) {
      sums[static_cast<size_t>(out)] += weight * args.x.data<T>()[in];
    });
    for (int64_t i = 0; i < args.y.size(); ++i)
      args.y.data<T>()[i] = static_cast<T>(sums[static_cast<size_t>(i)]);
  });
}

void backward(const ResizeBackwardArgs& args, Context&) {
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    std::vector<double> sums(static_cast<size_t>(args.dx.size()), 0.0);
    for_each_read(args.dx, args.dy, args.geometry, [&](int64_t out, int64_t in, double weight) {
      sums[static_cast<size_t>(in)] += weight * args.dy.data<T>()[out];
    });
    for (int64_t i = 0; i < args.dx.size(); ++i) {
      T& target = args.dx.data<T>()[i];
      const double sum = sums[static_cast<size_t>(i)];
      target = static_cast<T>(args.write == Write::accumulate ? target + sum : sum);
    }
  });
}

}  // namespace

void register_resize_reference(OpRegistry& registry) {
  registry.add<ResizeForwardArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<ResizeBackwardArgs>({"reference", Device::cpu, supports_all, backward});
}

}  // namespace topograd
