// The formula, pixel by pixel: the oracle.
#include "kernels/augment/augment.h"

namespace topograd {

namespace {

/// Returns the pixel that lands at (n, h, w, c), in units of mean and std; 0 outside the image.
double source_pixel(const AugmentArgs& args, int64_t n, int64_t h, int64_t w, int64_t c) {
  const int64_t H = args.images.dim(1), W = args.images.dim(2), C = args.images.dim(3);
  if (args.flips.defined() && args.flips.data<int32_t>()[n] != 0) w = W - 1 - w;
  if (args.offsets.defined()) {
    h += args.offsets.data<int32_t>()[2 * n] - args.padding;
    w += args.offsets.data<int32_t>()[2 * n + 1] - args.padding;
  }
  if (h < 0 || h >= H || w < 0 || w >= W) return 0;
  const int64_t image = args.indices.data<int32_t>()[n];
  const int64_t place = ((image * H + h) * W + w) * C + c;
  if (args.images.dtype() == DType::f64) return args.images.data<double>()[place];
  if (args.images.dtype() == DType::f32) return args.images.data<float>()[place];
  return args.images.data<uint8_t>()[place] / 255.0;
}

void run(const AugmentArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    T* y = args.y.data<T>();
    for (int64_t n = 0; n < args.y.dim(0); ++n)
      for (int64_t h = 0; h < args.y.dim(1); ++h)
        for (int64_t w = 0; w < args.y.dim(2); ++w)
          for (int64_t c = 0; c < args.y.dim(3); ++c) {
            const double pixel = source_pixel(args, n, h, w, c);
            *y++ = static_cast<T>((pixel - args.mean[c]) / args.std[c]);
          }
  });
}

}  // namespace

void register_augment_reference(OpRegistry& registry) {
  registry.add<AugmentArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
