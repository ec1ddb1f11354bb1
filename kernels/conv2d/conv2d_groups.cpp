// Convolutions of small groups in vector code, in all three directions: see grouped.cpp.
#include "kernels/conv2d/grouped.h"
#include "kernels/conv2d/packed_weights.h"

namespace topograd {

namespace {

// Their addresses tell the packed forms of one w apart.
constexpr char kForwardLayout = 'c', kBackwardLayout = 'g';

int64_t bytes(int64_t floats) {
  return floats * static_cast<int64_t>(sizeof(float));
}

/// One direction's call: `from` is convolved to `to`.
struct Call {
  Tensor to, from, w, bias;
  Write write;
  uint64_t weights_version;
};

void run(const Call& call, const SmallGroups& conv, Context& context) {
  const int64_t packed_size = small_groups_packed_size(conv);
  float* scratch =
      static_cast<float*>(context.workspace(bytes(packed_size + small_groups_scratch_size(conv))));
  const auto pack = [&](void* packed) {
    small_groups_pack(static_cast<float*>(packed), call.w.data<float>(), conv);
  };
  const void* packed = context.state<PackedWeights>().get(
      conv.backward && conv.group > 1 ? &kBackwardLayout : &kForwardLayout, call.w,
      call.weights_version, bytes(packed_size), scratch, pack);
  float* y = call.to.data<float>();
  small_groups_convolve(y, call.from.data<float>(), static_cast<const float*>(packed),
                        {.bias = call.bias.defined() ? call.bias.data<float>() : nullptr,
                         .residual = call.write == Write::accumulate ? y : nullptr},
                        conv, scratch + packed_size);
}

void forward(const Conv2dForwardArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  run({args.y, args.x, args.w, args.bias, args.write, args.weights_version},
      small_groups_forward(args.x.shape(), args.w.shape(), args.geometry), context);
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  if (args.dx.size() == 0) return;
  run({args.dx, args.dy, args.w, {}, args.write, args.weights_version},
      small_groups_backward(args.dx.shape(), args.w.shape(), args.geometry), context);
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  const SmallGroups conv = small_groups_forward(args.x.shape(), args.dw.shape(), args.geometry);
  void* scratch =
      context.workspace(bytes(small_groups_packed_size(conv) + small_groups_scratch_size(conv)));
  small_groups_filter_gradient(args.dw.data<float>(), args.dy.data<float>(), args.x.data<float>(),
                               args.write == Write::accumulate, conv, static_cast<float*>(scratch));
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
  registry.add<Conv2dBackwardFilterArgs>({"groups", Device::cpu,
                                          [](const Conv2dBackwardFilterArgs& a) {
                                            return small_groups_fit(a.x.shape(), a.dw.shape(),
                                                                    a.x.dtype(), a.geometry);
                                          },
                                          backward_filter});
}

}  // namespace topograd
