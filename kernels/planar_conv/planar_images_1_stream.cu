// Plain images to planes of bf16, and back.
//
// Thread i owns pixels of planes i, i + grid, ...: eight channels of one pixel, 32 bytes of f32 and
// 16 of bf16 (32 in two parts). Neighbouring threads own neighbouring pixels of a plane: what is
// planar moves in whole lines, what is plain in 32 bytes at a distance of 4 C, which together are
// whole lines too where the threads of the other planes find them in the cache. Channels that a
// plain image lacks are zeros.
//
// Traffic: 4 C + 2 parts C bytes a pixel (C filled up to 16). Memory bounds it. A network does this
// with its images and before its last layers alone.
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/planar_conv/planar_conv.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256, kEight = 8;

struct alignas(16) Eight {
  __nv_bfloat162 pair[4];
};

/// Layout of planar images; distances in pixels of a plane.
struct Planes {
  Divisor width, height, planes;  // an index is (n, plane, h, w)
  int64_t row, plane, part, image;
  int64_t C, W, H, count;
  int parts;

  explicit Planes(const PlanarImages& x)
      : width(x.W),
        height(x.H),
        planes(x.planes()),
        row(x.row()),
        plane(x.plane()),
        part(x.planes() * x.plane()),
        image(x.image()),
        C(x.C),
        W(x.W),
        H(x.H),
        count(x.N * x.planes() * x.H * x.W),
        parts(x.parts) {}

  /// A pixel's places, and how many of its eight channels a plain image has.
  struct Place {
    int64_t planar, plain;
    int channels;
  };
  __device__ Place place(int64_t i) const {
    const auto [rows, w] = width.divide(i);
    const auto [all_planes, h] = height.divide(rows);
    const auto [n, p] = planes.divide(all_planes);
    const int64_t rest = C - p * kEight;
    return {n * image + p * plane + (h + 1) * row + w + 1, ((n * H + h) * W + w) * C + p * kEight,
            static_cast<int>(rest < kEight ? (rest > 0 ? rest : 0) : kEight)};
  }
};

__global__ void __launch_bounds__(kThreads)
    to_planes_kernel(Eight* __restrict__ y, const float* __restrict__ x, Planes layout) {
  for (int64_t i = first_element(); i < layout.count; i += element_step()) {
    const Planes::Place at = layout.place(i);
    float values[kEight];
#pragma unroll
    for (int c = 0; c < kEight; ++c) values[c] = c < at.channels ? x[at.plain + c] : 0;
    for (int part = 0; part < layout.parts; ++part) {
      Eight rounded;
#pragma unroll
      for (int c = 0; c < kEight; c += 2) {
        rounded.pair[c / 2] = __floats2bfloat162_rn(values[c], values[c + 1]);
        values[c] -= __low2float(rounded.pair[c / 2]);
        values[c + 1] -= __high2float(rounded.pair[c / 2]);
      }
      y[at.planar + part * layout.part] = rounded;
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    from_planes_kernel(float* __restrict__ y, const Eight* __restrict__ x, Planes layout) {
  for (int64_t i = first_element(); i < layout.count; i += element_step()) {
    const Planes::Place at = layout.place(i);
    float values[kEight] = {};
    for (int part = 0; part < layout.parts; ++part) {
      const Eight rounded = x[at.planar + part * layout.part];
#pragma unroll
      for (int c = 0; c < kEight; c += 2) {
        values[c] += __low2float(rounded.pair[c / 2]);
        values[c + 1] += __high2float(rounded.pair[c / 2]);
      }
    }
#pragma unroll
    for (int c = 0; c < kEight; ++c)
      if (c < at.channels) y[at.plain + c] = values[c];
  }
}

void to(const ToPlanesArgs& args, Context& context) {
  const Planes layout(args.y);
  launch(to_planes_kernel, grid_for(layout.count, kThreads), dim3(kThreads), 0, context,
         reinterpret_cast<Eight*>(pointer<Bf16>(args.y.data)), pointer<float>(args.x), layout);
}

void from(const FromPlanesArgs& args, Context& context) {
  const Planes layout(args.x);
  launch(from_planes_kernel, grid_for(layout.count, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), reinterpret_cast<const Eight*>(pointer<Bf16>(args.x.data)),
         layout);
}

}  // namespace

void register_planar_images_1_stream(OpRegistry& registry) {
  registry.add<ToPlanesArgs>({"stream", kDevice, supports_all<ToPlanesArgs>, to});
  registry.add<FromPlanesArgs>({"stream", kDevice, supports_all<FromPlanesArgs>, from});
}

}  // namespace topograd::TOPOGRAD_BACKEND
