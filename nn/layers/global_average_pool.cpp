// global_average_pool: the mean of each channel of an image (kernels/pool/).
#include "kernels/pool/pool.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y [C] = the mean of x [H, W, C] over its pixels.
class GlobalAveragePoolLayer : public Layer {
 public:
  std::string_view kind() const override { return "global_average_pool"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool is_positively_homogeneous() const override { return true; }
};

void GlobalAveragePoolLayer::forward(const ForwardCall& call, Context& context) const {
  global_average_pool_forward({.y = call.y, .x = call.x[0]}, context);
}

void GlobalAveragePoolLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  global_average_pool_backward({.dx = call.dx[0], .dy = call.dy, .write = call.write[0]}, context);
}

}  // namespace

Value Graph::global_average_pool(Value x) {
  return add_layer(name_in_scope({}, "pool"), std::make_unique<GlobalAveragePoolLayer>(), {x},
                   {image_shape_of(x, "global_average_pool")[2]});
}

}  // namespace topograd
