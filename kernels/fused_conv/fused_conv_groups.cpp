// Convolutions of small groups in vector code (kernels/conv2d/grouped.cpp), with bias, residual and
// maximum done while a block of pixels is in registers.
#include "kernels/conv2d/grouped.h"
#include "kernels/conv2d/packed_weights.h"
#include "kernels/fused_conv/fused_conv.h"

namespace topograd {

namespace {

constexpr char kLayout = 'p';  // tells this packed form of a w from others

void run(const FusedConvArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  const int64_t N = args.images(), C = args.filters();
  const SmallGroups conv = small_groups_forward(args.x.shape().with_first(N),
                                                args.w.shape().with_first(C), args.geometry);
  const int64_t filter = conv.KH * conv.KW * conv.group, w_size = small_groups_packed_size(conv);
  const auto bytes = [](int64_t floats) { return floats * static_cast<int64_t>(sizeof(float)); };
  float* scratch = static_cast<float*>(
      context.workspace(bytes(args.points * w_size + small_groups_scratch_size(conv))));
  const auto pack = [&](void* packed) {
    for (int64_t p = 0; p < args.points; ++p)
      small_groups_pack(static_cast<float*>(packed) + p * w_size,
                        args.w.data<float>() + p * C * filter, conv);
  };
  const float* w = static_cast<const float*>(context.state<PackedWeights>().get(
      &kLayout, args.w, args.weights_version, bytes(args.points * w_size), scratch, pack));
  const int64_t x_step = args.shares_x() ? 0 : args.x.size() / args.points;
  const int64_t y_step = args.y.size() / args.points;
  const auto of = [](const Tensor& t, int64_t offset) -> const float* {
    return t.defined() ? t.data<float>() + offset : nullptr;
  };
  for (int64_t p = 0; p < args.points; ++p)
    small_groups_convolve(args.y.data<float>() + p * y_step, of(args.x, p * x_step), w + p * w_size,
                          {.bias = of(args.bias, p * C),
                           .residual = of(args.residual, p * y_step),
                           .relu = args.relu},
                          conv, scratch + args.points * w_size);
}

}  // namespace

void register_fused_conv_groups(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"groups", Device::cpu,
                               [](const FusedConvArgs& a) {
                                 return small_groups_fit(a.x.shape(),
                                                         a.w.shape().with_first(a.filters()),
                                                         a.x.dtype(), a.geometry);
                               },
                               run});
}

}  // namespace topograd
