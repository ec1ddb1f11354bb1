// mean: over some axes of an image, which stay with an extent of 1 (kernels/broadcast/).
#include "kernels/broadcast/broadcast.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = the mean of x [H, W, C] over the axes along which y's extent is 1.
class MeanLayer : public Layer {
 public:
  MeanLayer(const MeanAxes& axes, int64_t count)
      : axes_(axes), factor_(1 / static_cast<double>(count)) {}
  std::string_view kind() const override { return "mean"; }
  Attributes attributes() const override {
    return {{"over_height", axes_.height},
            {"over_width", axes_.width},
            {"over_channels", axes_.channels}};
  }
  void forward(const ForwardCall& call, Context& context) const override {
    broadcast_reduce({.r = call.y, .u = call.x[0], .v = {}, .factor = factor_}, context);
  }
  void backward(const BackwardCall& call, Context& context) const override {
    if (!call.dx[0].defined()) return;
    broadcast_sum(
        {.y = call.dx[0], .a = {}, .b = call.dy, .b_factor = factor_, .write = call.write[0]},
        context);
  }
  /// A mean over channels does not mind their order.
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return axes_.channels ? ChannelMap::fixed() : ChannelMap::kept(channels_of(y));
  }
  bool is_positively_homogeneous() const override { return true; }

 private:
  MeanAxes axes_;
  double factor_;
};

}  // namespace

Value Graph::mean(Value x, const MeanAxes& axes) {
  const Shape shape = image_shape_of(x, "mean");
  const Shape means{axes.height ? 1 : shape[0], axes.width ? 1 : shape[1],
                    axes.channels ? 1 : shape[2]};
  return add_layer(name_in_scope({}, "mean"),
                   std::make_unique<MeanLayer>(axes, shape.size() / means.size()), {x}, means);
}

}  // namespace topograd
