// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) (kernels/conv2d/winograd.cpp), with bias,
// residual and maximum done while a tile's outputs are in registers.
#include "kernels/conv2d/packed_weights.h"
#include "kernels/conv2d/winograd.h"
#include "kernels/fused_conv/fused_conv.h"

namespace topograd {

namespace {

constexpr char kLayout = 'w';  // tells this packed form of a w from others

void run(const FusedConvArgs& args, Context& context) {
  const WinogradShape shape{.N = args.images(),
                            .H = args.x.dim(1),
                            .W = args.x.dim(2),
                            .C = args.x.dim(3),
                            .K = args.filters()};
  const int64_t u_size = shape.filters_size();
  const auto bytes = [](int64_t floats) { return floats * static_cast<int64_t>(sizeof(float)); };
  float* scratch =
      static_cast<float*>(context.workspace(bytes(args.points * u_size + shape.scratch_size())));
  const auto pack = [&](void* packed) {
    for (int64_t p = 0; p < args.points; ++p)
      winograd_pack_forward(static_cast<float*>(packed) + p * u_size,
                            args.w.data<float>() + p * shape.K * 9 * shape.C, shape.K, shape.C);
  };
  const float* u = static_cast<const float*>(context.state<PackedWeights>().get(
      &kLayout, args.w, args.weights_version, bytes(args.points * u_size), scratch, pack));
  const int64_t image = shape.H * shape.W;
  const int64_t x_step = args.shares_x() ? 0 : shape.N * image * shape.C;
  const int64_t y_step = shape.N * image * shape.K;
  const auto of = [](const Tensor& t, int64_t offset) -> const float* {
    return t.defined() ? t.data<float>() + offset : nullptr;
  };
  for (int64_t p = 0; p < args.points; ++p)
    winograd_convolve(args.y.data<float>() + p * y_step, of(args.x, p * x_step), u + p * u_size,
                      {.bias = of(args.bias, p * shape.K),
                       .residual = of(args.residual, p * y_step),
                       .relu = args.relu},
                      shape, scratch + args.points * u_size);
}

}  // namespace

void register_fused_conv_winograd(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"winograd", Device::cpu,
                               [](const FusedConvArgs& a) {
                                 return a.error_budget == ErrorBudget::relaxed &&
                                        a.filters() % 16 == 0 &&
                                        winograd_fits(a.x, a.w, a.geometry);
                               },
                               run});
}

}  // namespace topograd
