// Convolutions of small groups in vector code, depthwise ones in all three directions: see
// grouped.cpp.
#include "kernels/conv2d/grouped.h"
#include "kernels/conv2d/packed_weights.h"

namespace topograd {

namespace {

// Their addresses tell the packed forms of one w apart.
constexpr char kForwardLayout = 'c', kBackwardLayout = 'g';

int64_t bytes(int64_t floats) {
  return floats * static_cast<int64_t>(sizeof(float));
}

/// Returns the packed filters.
const float* packed_filters(const Tensor& w, uint64_t version, const SmallGroups& conv,
                            Context& context) {
  const int64_t size = bytes(small_groups_packed_size(conv));
  const auto pack = [&](void* packed) {
    small_groups_pack(static_cast<float*>(packed), w.data<float>(), conv);
  };
  return static_cast<const float*>(context.state<PackedWeights>().get(
      conv.backward && conv.group > 1 ? &kBackwardLayout : &kForwardLayout, w, version, size,
      context.workspace(size), pack));
}

void forward(const Conv2dForwardArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  const SmallGroups conv = small_groups_forward(args.x.shape(), args.w.shape(), args.geometry);
  float* y = args.y.data<float>();
  small_groups_convolve(y, args.x.data<float>(),
                        packed_filters(args.w, args.weights_version, conv, context),
                        {.bias = args.bias.defined() ? args.bias.data<float>() : nullptr,
                         .residual = args.write == Write::accumulate ? y : nullptr},
                        conv);
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  if (args.dx.size() == 0) return;
  const SmallGroups conv = small_groups_backward(args.dx.shape(), args.w.shape(), args.geometry);
  float* dx = args.dx.data<float>();
  small_groups_convolve(dx, args.dy.data<float>(),
                        packed_filters(args.w, args.weights_version, conv, context),
                        {.residual = args.write == Write::accumulate ? dx : nullptr}, conv);
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  const SmallGroups conv = small_groups_forward(args.x.shape(), args.dw.shape(), args.geometry);
  void* sums = context.workspace(bytes(small_groups_packed_size(conv)));
  depthwise_filter_gradient(args.dw.data<float>(), args.dy.data<float>(), args.x.data<float>(),
                            args.write == Write::accumulate, conv, static_cast<float*>(sums));
}

}  // namespace

void register_conv2d_groups(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>({"groups", Device::cpu,
                                   [](const Conv2dForwardArgs& a) {
                                     return small_groups_fit(a.x.shape(), a.w.shape(), a.x.dtype(),
                                                             a.geometry);
                                   },
                                   forward});
  registry.add<Conv2dBackwardDataArgs>({"groups", Device::cpu,
                                        [](const Conv2dBackwardDataArgs& a) {
                                          return small_groups_fit(a.dx.shape(), a.w.shape(),
                                                                  a.dx.dtype(), a.geometry);
                                        },
                                        backward_data});
  registry.add<Conv2dBackwardFilterArgs>(
      {"groups", Device::cpu,
       [](const Conv2dBackwardFilterArgs& a) {
         return small_groups_fit(a.x.shape(), a.dw.shape(), a.x.dtype(), a.geometry) &&
                a.geometry.is_depthwise(a.x.shape(), a.dw.shape());
       },
       backward_filter});
}

}  // namespace topograd
