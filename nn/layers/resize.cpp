// resize_nearest and resize_bilinear: images of another extent (kernels/resize/).
#include "kernels/resize/resize.h"

#include <cmath>

#include "nn/graph.h"

namespace topograd {

namespace {

/// y [OH, OW, C] of x [H, W, C].
class ResizeLayer : public Layer {
 public:
  ResizeLayer(ResizeGeometry geometry, const ResizeOptions& options)
      : geometry_(geometry), options_(options) {}
  std::string_view kind() const override {
    return geometry_.kind == ResizeKind::nearest ? "resize_nearest" : "resize_bilinear";
  }
  Attributes attributes() const override;
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool is_positively_homogeneous() const override { return true; }

 private:
  ResizeGeometry geometry_;
  ResizeOptions options_;
};

Attributes ResizeLayer::attributes() const {
  Attributes attributes;
  if (options_.height > 0) attributes.emplace_back("height", options_.height);
  if (options_.width > 0) attributes.emplace_back("width", options_.width);
  if (options_.scale_h > 0) attributes.emplace_back("scale_h", options_.scale_h);
  if (options_.scale_w > 0) attributes.emplace_back("scale_w", options_.scale_w);
  if (options_.align_corners) attributes.emplace_back("align_corners", true);
  return attributes;
}

void ResizeLayer::forward(const ForwardCall& call, Context& context) const {
  resize_forward({.y = call.y, .x = call.x[0], .geometry = geometry_}, context);
}

void ResizeLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  resize_backward({.dx = call.dx[0], .dy = call.dy, .geometry = geometry_, .write = call.write[0]},
                  context);
}

/// The extent that an axis is resized to.
int64_t resized_extent(std::string_view what, int64_t extent, int64_t wanted, double scale) {
  require((wanted >= 1 && scale == 0) || (wanted == 0 && scale > 0 && std::isfinite(scale)), what,
          ": an axis is resized either to an extent of at least 1 or by a scale above 0, not to ",
          wanted, " by ", scale);
  if (wanted > 0) return wanted;
  const double resized = std::floor(scale * static_cast<double>(extent));
  require(resized >= 1 && resized <= 1 << 30, what, ": ", extent, " pixels times ", scale,
          " make no image");
  return static_cast<int64_t>(resized);
}

}  // namespace

Value Graph::resize(Value x, std::string_view what, bool bilinear, const ResizeOptions& options) {
  const Shape in = image_shape_of(x, what);
  require(bilinear || !options.align_corners, what, ": align_corners belongs to resize_bilinear");
  const Shape out{resized_extent(what, in[0], options.height, options.scale_h),
                  resized_extent(what, in[1], options.width, options.scale_w), in[2]};
  const ResizeGeometry geometry{.kind = bilinear ? ResizeKind::bilinear : ResizeKind::nearest,
                                .align_corners = options.align_corners,
                                .scale_h = options.scale_h,
                                .scale_w = options.scale_w};
  return add_layer(name_in_scope({}, "resize"), std::make_unique<ResizeLayer>(geometry, options),
                   {x}, out);
}

Value Graph::resize_nearest(Value x, const ResizeOptions& options) {
  return resize(x, "resize_nearest", false, options);
}

Value Graph::resize_bilinear(Value x, const ResizeOptions& options) {
  return resize(x, "resize_bilinear", true, options);
}

}  // namespace topograd
