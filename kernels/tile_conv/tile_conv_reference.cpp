// The definition, number by number, on any machine: an emulation of what a tile unit computes.
#include <vector>

#include "kernels/core/bf16.h"
#include "kernels/tile_conv/tile_conv.h"

namespace topograd {

namespace {

/// A number as its parts; with one part, lo is 0.
struct Parts {
  float hi, lo;
};

Parts split(float value, int parts) {
  const float hi = to_float(to_bf16(value));
  // The rest of an infinity would be NaN: it has no second part.
  return {hi, parts == 1 || std::isinf(hi) ? 0.0F : to_float(to_bf16(value - hi))};
}

Parts load(const TiledImages& images, int64_t at) {
  return {to_float(*images.at(at)),
          images.parts == 1 ? 0.0F : to_float(*images.at(at + images.part()))};
}

void store(const TiledImages& images, int64_t at, float value) {
  const Parts parts = split(value, images.parts);
  *images.at(at) = to_bf16(parts.hi);
  if (images.parts == 2) *images.at(at + images.part()) = to_bf16(parts.lo);
}

/// Calls f(place in the tiled images, place in the plain ones) for every number.
template <class F>
void for_each_number(const TiledImages& images, F f) {
  int64_t plain = 0;
  for (int64_t n = 0; n < images.N; ++n)
    for (int64_t h = 0; h < images.H; ++h)
      for (int64_t w = 0; w < images.W; ++w)
        for (int64_t c = 0; c < images.C; ++c)
          f(images.image(n) + h * images.row() + w * images.pixel() + c, plain++);
}

void tile(const TileImagesArgs& args, Context&) {
  const float* x = args.x.data<float>();
  for_each_number(args.y, [&](int64_t at, int64_t plain) { store(args.y, at, x[plain]); });
}

void untile(const UntileImagesArgs& args, Context&) {
  float* y = args.y.data<float>();
  for_each_number(args.x, [&](int64_t at, int64_t plain) {
    const Parts parts = load(args.x, at);
    y[plain] = parts.hi + parts.lo;
  });
}

/// Returns the parts of the weights [O, KH, KW, I], in order: once for all the windows that they
/// meet.
std::vector<Parts> parts_of_weights(const TileConvArgs& args) {
  const float* w = args.w.data<float>();
  std::vector<Parts> result;
  result.reserve(static_cast<size_t>(args.w.size()));
  for (int64_t i = 0; i < args.w.size(); ++i) result.push_back(split(w[i], args.x.parts));
  return result;
}

/// Reads a window [KH, KW, I], whose first number lies at `at`: once for all the outputs it takes
/// part in.
void read_window(const TileConvArgs& args, int64_t at, std::vector<Parts>& window) {
  const TiledImages& x = args.x;
  window.clear();
  for (int64_t kh = 0; kh < args.w.dim(1); ++kh)
    for (int64_t kw = 0; kw < args.w.dim(2); ++kw)
      for (int64_t c = 0; c < x.C; ++c)
        window.push_back(load(x, at + kh * x.row() + kw * x.pixel() + c));
}

double sum_of_products(const std::vector<Parts>& window, const Parts* weights) {
  double sum = 0;
  for (const Parts& a : window) {
    const Parts& b = *weights++;
    sum += static_cast<double>(a.hi) * b.hi + static_cast<double>(a.hi) * b.lo +
           static_cast<double>(a.lo) * b.hi;
  }
  return sum;
}

void convolve(const TileConvArgs& args, Context&) {
  const TiledImages &x = args.x, &y = args.y;
  const int64_t stride = args.geometry.stride.h;
  const PerAxis padding = args.geometry.padding;
  const std::vector<Parts> weights = parts_of_weights(args);
  std::vector<Parts> window;
  for (int64_t n = 0; n < y.N; ++n)
    for (int64_t oh = 0; oh < y.H; ++oh)
      for (int64_t ow = 0; ow < y.W; ++ow) {
        read_window(args,
                    x.image(n) + (oh * stride - padding.h) * x.row() +
                        (ow * stride - padding.w) * x.pixel(),
                    window);
        for (int64_t o = 0; o < y.C; ++o) {
          double sum =
              sum_of_products(window, weights.data() + o * static_cast<int64_t>(window.size()));
          const int64_t at = y.image(n) + oh * y.row() + ow * y.pixel() + o;
          if (args.bias.defined()) sum += args.bias.data<float>()[o];
          if (args.residual.defined()) {
            const Parts residual = load(args.residual, at);
            sum += static_cast<double>(residual.hi) + residual.lo;
          }
          store(y, at, static_cast<float>(args.relu && sum < 0 ? 0.0 : sum));
        }
      }
}

}  // namespace

void register_tile_conv_reference(OpRegistry& registry) {
  registry.add<TileImagesArgs>({"reference", Device::cpu, supports_all, tile});
  registry.add<UntileImagesArgs>({"reference", Device::cpu, supports_all, untile});
  registry.add<TileConvArgs>({"reference", Device::cpu, supports_all, convolve});
}

}  // namespace topograd
