// The definitions, number by number.
#include <algorithm>

#include "kernels/core/bf16.h"
#include "kernels/planar_conv/fragment_order.h"
#include "kernels/planar_conv/planar_conv.h"

namespace topograd {

namespace {

/// Writes a number as its parts, which lie `step` elements apart.
void store(Bf16* to, int64_t step, int parts, float value) {
  to[0] = to_bf16(value);
  if (parts == 2) to[step] = to_bf16(value - to_float(to[0]));
}

/// Returns a number of images: one of its parts.
double part_of(const PlanarImages& x, int64_t n, int64_t part, int64_t h, int64_t w, int64_t c) {
  return to_float(x.data.data<Bf16>()[x.at(n, part, h, w, c)]);
}

/// Calls f(n, h, w, c) for every number of images, in the order of plain ones.
template <class F>
void for_each_number(const PlanarImages& images, F f) {
  for (int64_t n = 0; n < images.N; ++n)
    for (int64_t h = 0; h < images.H; ++h)
      for (int64_t w = 0; w < images.W; ++w)
        for (int64_t c = 0; c < images.C; ++c) f(n, h, w, c);
}

void store(const PlanarImages& y, int64_t n, int64_t h, int64_t w, int64_t c, float value) {
  const int64_t at = y.at(n, 0, h, w, c), step = y.planes() * y.plane() * PlanarImages::kChannels;
  store(y.data.data<Bf16>() + at, step, y.parts, value);
}

void to(const ToPlanesArgs& args, Context&) {
  const float* x = args.x.data<float>();
  for_each_number(
      args.y, [&](int64_t n, int64_t h, int64_t w, int64_t c) { store(args.y, n, h, w, c, *x++); });
}

void from(const FromPlanesArgs& args, Context&) {
  float* y = args.y.data<float>();
  for_each_number(args.x, [&](int64_t n, int64_t h, int64_t w, int64_t c) {
    double sum = 0;
    for (int64_t part = 0; part < args.x.parts; ++part) sum += part_of(args.x, n, part, h, w, c);
    *y++ = static_cast<float>(sum);
  });
}

void pack(const PackFragmentsArgs& args, Context&) {
  const auto* layers = reinterpret_cast<const PackedLayer*>(args.layers.data<int32_t>());
  for (int64_t l = 0; l < args.layers.dim(0); ++l) {
    const PackedLayer& layer = layers[l];
    const FragmentOrder order{(layer.I + 15) / 16, args.parts, layer.KH, layer.KW};
    const int64_t filters = int64_t{layer.O} * layer.KH * layer.KW * layer.I;
    Bf16* to = args.fragments.data<Bf16>() + args.points * args.parts * layer.fragments;
    for (int64_t p = 0; p < args.points; ++p) {
      const float* w = args.weights.data<float>() + args.points * layer.weights + p * filters;
      for (int i = 0; i < 2 * static_cast<int>(order.pairs(layer.O)); ++i) {
        const FragmentOrder::Place at = order.place(i / 2);
        const int channel = at.i + i % 2;
        const int64_t tap = (int64_t{at.o} * layer.KH + at.kh) * layer.KW + at.kw;
        Bf16 parts[2];
        store(parts, 1, 2, channel < layer.I ? w[tap * layer.I + channel] : 0);
        *to++ = parts[at.part];
      }
    }
  }
}

/// Returns the filters of all networks, [part][P, O, KH, KW, I], from their fragments.
std::vector<double> unpacked(const PlanarConvArgs& args) {
  const int64_t O = args.filters[0], KH = args.filters[1], KW = args.filters[2],
                I = args.filters[3];
  const FragmentOrder order{static_cast<int>(args.x.planes() / 2), args.x.parts,
                            static_cast<int>(KH), static_cast<int>(KW)};
  const int64_t all = args.points * args.filters.size();
  std::vector<double> w(static_cast<size_t>(2 * all));
  const Bf16* fragment = args.w.data<Bf16>();
  for (int64_t p = 0; p < args.points; ++p)
    for (int i = 0; i < 2 * static_cast<int>(order.pairs(O)); ++i, ++fragment) {
      const FragmentOrder::Place at = order.place(i / 2);
      const int64_t channel = at.i + i % 2;
      if (channel < I)
        w[static_cast<size_t>(at.part * all + (((p * O + at.o) * KH + at.kh) * KW + at.kw) * I +
                              channel)] = to_float(*fragment);
    }
  return w;
}

void run(const PlanarConvArgs& args, Context&) {
  const int64_t O = args.filters[0], KH = args.filters[1], KW = args.filters[2],
                I = args.filters[3];
  const std::vector<double> w = unpacked(args);
  const int64_t all = args.points * args.filters.size(), N = args.images();
  const int s = args.geometry.stride.h, padding = args.geometry.padding.h;
  for_each_number(args.y, [&](int64_t n, int64_t oh, int64_t ow, int64_t o) {
    const int64_t filter = n / N * O + o;
    double sum = args.bias.data<float>()[filter];
    int64_t at = filter * KH * KW * I;
    for (int64_t kh = 0; kh < KH; ++kh)
      for (int64_t kw = 0; kw < KW; ++kw)
        for (int64_t i = 0; i < I; ++i, ++at) {
          const auto x = [&](int64_t part) {  // from the border zeros
            return part_of(args.x, args.shares_x() ? n % N : n, part, oh * s + kh - padding,
                           ow * s + kw - padding, i);
          };
          const double w0 = w[static_cast<size_t>(at)];
          sum += x(0) * w0;
          if (args.x.parts == 2) sum += x(1) * w0 + x(0) * w[static_cast<size_t>(all + at)];
        }
    if (args.residual.defined())
      for (int64_t part = 0; part < args.x.parts; ++part)
        sum += part_of(args.residual, n, part, oh, ow, o);
    store(args.y, n, oh, ow, o, static_cast<float>(args.relu && sum < 0 ? 0 : sum));
  });
}

}  // namespace

void register_planar_conv_reference(OpRegistry& registry) {
  registry.add<ToPlanesArgs>({"reference", Device::cpu, supports_all, to});
  registry.add<FromPlanesArgs>({"reference", Device::cpu, supports_all, from});
  registry.add<PackFragmentsArgs>({"reference", Device::cpu, supports_all, pack});
  registry.add<PlanarConvArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
