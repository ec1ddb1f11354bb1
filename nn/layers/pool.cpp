// max_pool and average_pool: windows of an image (kernels/pool/).
#include "kernels/pool/pool.h"
#include "nn/graph.h"

namespace topograd {

namespace {

class PoolLayer : public Layer {
 public:
  PoolLayer(PoolKind kind, PoolGeometry geometry) : kind_(kind), geometry_(geometry) {}
  std::string_view kind() const override {
    return kind_ == PoolKind::max ? "max_pool" : "average_pool";
  }
  Attributes attributes() const override {
    return {{"kernel", int64_t{geometry_.kernel}},
            {"stride", int64_t{geometry_.stride}},
            {"padding", int64_t{geometry_.padding}}};
  }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  bool backward_reads_input() const override { return kind_ == PoolKind::max; }
  bool backward_reads_output() const override { return kind_ == PoolKind::max; }

  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool is_positively_homogeneous() const override { return true; }

 private:
  PoolKind kind_;
  PoolGeometry geometry_;
};

void PoolLayer::forward(const ForwardCall& call, Context& context) const {
  pool_forward({.y = call.y, .x = call.x[0], .kind = kind_, .geometry = geometry_}, context);
}

void PoolLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  pool_backward({.dx = call.dx[0],
                 .dy = call.dy,
                 .x = call.x[0],
                 .y = call.y,
                 .kind = kind_,
                 .geometry = geometry_,
                 .write = call.write[0]},
                context);
}

void PoolLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                Context& context) const {
  if (kind_ == PoolKind::average) return Layer::forward_tangent(call, tangents, context);
  forward(call, context);
  max_pool_tangent({.y_tangent = tangents.y,
                    .x_tangent = tangents.x[0],
                    .x = call.x[0],
                    .y = call.y,
                    .geometry = geometry_},
                   context);
}

}  // namespace

Value Graph::pool(Value x, PoolKind kind, PoolGeometry geometry) {
  const Shape in = image_shape_of(x, "pool");
  const Shape out{geometry.output_extent(in[0]), geometry.output_extent(in[1]), in[2]};
  return add_layer(name_in_scope({}, "pool"), std::make_unique<PoolLayer>(kind, geometry), {x},
                   out);
}

Value Graph::max_pool(Value x, PoolGeometry geometry) {
  return pool(x, PoolKind::max, geometry);
}

Value Graph::average_pool(Value x, PoolGeometry geometry) {
  return pool(x, PoolKind::average, geometry);
}

}  // namespace topograd
