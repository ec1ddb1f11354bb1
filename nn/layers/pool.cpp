// max_pool and average_pool, adaptive_max_pool and adaptive_average_pool, global_max_pool: windows
// of an image (kernels/pool/).
#include "kernels/pool/pool.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y [OH, OW, C], or [C] where one window is the whole image.
class PoolLayer : public Layer {
 public:
  PoolLayer(std::string_view name, PoolKind kind, PoolGeometry geometry, Attributes attributes)
      : name_(name), kind_(kind), geometry_(geometry), attributes_(std::move(attributes)) {}
  std::string_view kind() const override { return name_; }
  Attributes attributes() const override { return attributes_; }
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
  std::string_view name_;
  PoolKind kind_;
  PoolGeometry geometry_;
  Attributes attributes_;
};

Attributes attributes_of(const PoolGeometry& g) {
  Attributes attributes{{"kernel", attribute_of(g.kernel)},
                        {"stride", attribute_of(g.stride)},
                        {"padding", attribute_of(g.padding)}};
  if (g.dilation != PerAxis(1)) attributes.emplace_back("dilation", attribute_of(g.dilation));
  if (g.ceil_mode) attributes.emplace_back("ceil_mode", true);
  if (!g.count_include_pad) attributes.emplace_back("count_include_pad", false);
  if (g.divisor != 0) attributes.emplace_back("divisor", int64_t{g.divisor});
  return attributes;
}

/// Views pooled values [n, C] as the images of one pixel that they are.
Tensor pooled_images(const Tensor& pooled) {
  if (!pooled.defined() || pooled.shape().rank() == 4) return pooled;
  return pooled.reshaped({pooled.dim(0), 1, 1, pooled.dim(1)});
}

void PoolLayer::forward(const ForwardCall& call, Context& context) const {
  pool_forward({.y = pooled_images(call.y), .x = call.x[0], .kind = kind_, .geometry = geometry_},
               context);
}

void PoolLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  pool_backward({.dx = call.dx[0],
                 .dy = pooled_images(call.dy),
                 .x = call.x[0],
                 .y = pooled_images(call.y),
                 .kind = kind_,
                 .geometry = geometry_,
                 .write = call.write[0]},
                context);
}

void PoolLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                Context& context) const {
  if (kind_ == PoolKind::average) return Layer::forward_tangent(call, tangents, context);
  forward(call, context);
  max_pool_tangent({.y_tangent = pooled_images(tangents.y),
                    .x_tangent = tangents.x[0],
                    .x = call.x[0],
                    .y = pooled_images(call.y),
                    .geometry = geometry_},
                   context);
}

}  // namespace

Value Graph::pool(Value x, PoolKind kind, PoolGeometry geometry) {
  const std::string_view what = kind == PoolKind::max ? "max_pool" : "average_pool";
  const Shape in = image_shape_of(x, what);
  geometry.check(what, kind, in[0], in[1]);
  const Shape out{geometry.output_height(in[0]), geometry.output_width(in[1]), in[2]};
  return add_layer(name_in_scope({}, "pool"),
                   std::make_unique<PoolLayer>(what, kind, geometry, attributes_of(geometry)), {x},
                   out);
}

Value Graph::adaptive_pool(Value x, PoolKind kind, int64_t height, int64_t width) {
  const std::string_view what =
      kind == PoolKind::max ? "adaptive_max_pool" : "adaptive_average_pool";
  const Shape in = image_shape_of(x, what);
  require(height >= 1 && width >= 1, what, " makes an image of at least one pixel, not ", height,
          "x", width);
  return add_layer(name_in_scope({}, "pool"),
                   std::make_unique<PoolLayer>(what, kind, PoolGeometry{.adaptive = true},
                                               Attributes{{"height", height}, {"width", width}}),
                   {x}, {height, width, in[2]});
}

Value Graph::max_pool(Value x, PoolGeometry geometry) {
  return pool(x, PoolKind::max, geometry);
}

Value Graph::average_pool(Value x, PoolGeometry geometry) {
  return pool(x, PoolKind::average, geometry);
}

Value Graph::adaptive_max_pool(Value x, int64_t height, int64_t width) {
  return adaptive_pool(x, PoolKind::max, height, width);
}

Value Graph::adaptive_average_pool(Value x, int64_t height, int64_t width) {
  return adaptive_pool(x, PoolKind::average, height, width);
}

Value Graph::global_max_pool(Value x) {
  return add_layer(name_in_scope({}, "pool"),
                   std::make_unique<PoolLayer>("global_max_pool", PoolKind::max,
                                               PoolGeometry{.adaptive = true}, Attributes{}),
                   {x}, {image_shape_of(x, "global_max_pool")[2]});
}

}  // namespace topograd
