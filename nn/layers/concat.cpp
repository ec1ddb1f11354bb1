// concat: the channels of two images, one after the other (kernels/concat/).
#include "kernels/concat/concat.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = the channels of x0, then those of x1.
class ConcatLayer : public Layer {
 public:
  std::string_view kind() const override { return "concat"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  FusionRole fusion_role() const override { return FusionRole::concat; }
  std::optional<ChannelMap> channel_map(std::span<const Shape> x, const Shape&) const override;
  bool is_positively_homogeneous() const override { return true; }
};

void ConcatLayer::forward(const ForwardCall& call, Context& context) const {
  concat({.y = call.y, .part = call.x[0], .first = 0}, context);
  concat({.y = call.y, .part = call.x[1], .first = call.x[0].dim(3)}, context);
}

void ConcatLayer::backward(const BackwardCall& call, Context& context) const {
  const int64_t channels = call.dy.dim(3);
  for (size_t i = 0; i < 2; ++i)
    if (const Tensor& dx = call.dx[i]; dx.defined())
      concat_backward({.dpart = dx,
                       .dy = call.dy,
                       .first = i == 0 ? 0 : channels - dx.dim(3),
                       .write = call.write[i]},
                      context);
}

std::optional<ChannelMap> ConcatLayer::channel_map(std::span<const Shape> x, const Shape&) const {
  ChannelMap map = ChannelMap::kept(channels_of(x[0]));
  for (int64_t c = 0; c < channels_of(x[1]); ++c)
    map.sources.push_back({{.input = 1, .channel = c}});
  return map;
}

}  // namespace

Value Graph::concat(Value a, Value b) {
  const Shape A = image_shape_of(a, "concat"), B = image_shape_of(b, "concat");
  require(A[0] == B[0] && A[1] == B[1], prefix_, "concat: ", A, " and ", B, " differ in extent");
  return add_layer(name_in_scope({}, "concat"), std::make_unique<ConcatLayer>(), {a, b},
                   {A[0], A[1], A[2] + B[2]});
}

}  // namespace topograd
