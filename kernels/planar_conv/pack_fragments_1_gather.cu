// The filters of P networks, rounded to bf16, in the order of the tensor cores' fragments.
//
// Row y of the grid owns layer y; its thread i owns fragments i, i + grid, ...: 8 numbers that a
// lane will load at once (fragment_order.h), of one network. It gathers four pairs of neighbouring
// channels and writes 16 bytes; a warp, one tap of 16 channels and 16 filters, writes 512 bytes in
// a row. In two parts a fragment is of the first or of the second.
//
// Traffic: 4 bytes a number read (8 in two parts, the second time from the cache) and 2 a part
// written, beside the 4 that perturb_points wrote: for ResNet-56, 5.1 MB a network, 1.2 us of a
// pass that takes tens of milliseconds. Memory bounds it.
#include "kernels/core/launch.h"
#include "kernels/planar_conv/fragment_order.h"
#include "kernels/planar_conv/planar_conv.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

struct alignas(16) Fragment {
  __nv_bfloat162 pair[4];
};

__global__ void __launch_bounds__(kThreads)
    pack_fragments_kernel(Fragment* __restrict__ fragments, const float* __restrict__ weights,
                          const PackedLayer* __restrict__ layers, int64_t P, int parts) {
  const PackedLayer layer = layers[blockIdx.y];
  const FragmentOrder order{(layer.I + 15) / 16, parts, layer.KH, layer.KW};
  const int64_t a_network = order.pairs(layer.O) / 4;
  const int64_t filters = int64_t{layer.O} * layer.KH * layer.KW * layer.I;
  fragments += P * parts * layer.fragments / 8;
  weights += P * layer.weights;
  for (int64_t i = first_element(); i < P * a_network; i += element_step()) {
    const int64_t p = i / a_network;
    const FragmentOrder::Place at = order.place(static_cast<int>(i - p * a_network) * 4);
    Fragment fragment;
#pragma unroll
    for (int pair = 0; pair < 4; ++pair) {
      const int o = at.o + pair / 2 * 8, channel = at.i + pair % 2 * 8;
      const int64_t tap = (int64_t{o} * layer.KH + at.kh) * layer.KW + at.kw;
      const float* w = weights + p * filters + tap * layer.I + channel;
      float a = channel < layer.I ? w[0] : 0, b = channel + 1 < layer.I ? w[1] : 0;
      fragment.pair[pair] = __floats2bfloat162_rn(a, b);
      if (at.part == 1) {
        a -= __low2float(fragment.pair[pair]);
        b -= __high2float(fragment.pair[pair]);
        fragment.pair[pair] = __floats2bfloat162_rn(a, b);
      }
    }
    fragments[i] = fragment;
  }
}

void run(const PackFragmentsArgs& args, Context& context) {
  const int64_t layers = args.layers.dim(0);
  if (layers == 0) return;
  dim3 grid = grid_for(args.fragments.size() / 8, kThreads);
  grid.x = std::min(grid.x, 64U);  // a layer of many
  grid.y = static_cast<unsigned>(layers);
  launch(pack_fragments_kernel, grid, dim3(kThreads), 0, context,
         reinterpret_cast<Fragment*>(pointer<Bf16>(args.fragments)), pointer<float>(args.weights),
         reinterpret_cast<const PackedLayer*>(pointer<int32_t>(args.layers)), args.points,
         args.parts);
}

}  // namespace

void register_pack_fragments_1_gather(OpRegistry& registry) {
  registry.add<PackFragmentsArgs>({"gather", kDevice, supports_all<PackFragmentsArgs>, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
