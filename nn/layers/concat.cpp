// concat: the channels of images, or the elements of vectors, one after the other
// (kernels/concat/).
#include "kernels/concat/concat.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// Views vectors as images of one pixel.
Tensor as_images(const Tensor& t) {
  return t.shape().rank() == 4 ? t : t.reshaped({t.dim(0), 1, 1, t.dim(1)});
}

/// y = the channels of x0, then those of x1, ...
class ConcatLayer : public Layer {
 public:
  /// `firsts`: the first channel of every part.
  ConcatLayer(bool of_images, std::vector<int64_t> firsts)
      : of_images_(of_images), firsts_(std::move(firsts)) {}
  std::string_view kind() const override { return "concat"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  FusionRole fusion_role() const override {
    return of_images_ ? FusionRole::concat : FusionRole::none;
  }
  std::optional<ChannelMap> channel_map(std::span<const Shape> x, const Shape&) const override;
  bool is_positively_homogeneous() const override { return true; }

 private:
  bool of_images_;
  std::vector<int64_t> firsts_;
};

void ConcatLayer::forward(const ForwardCall& call, Context& context) const {
  const Tensor y = as_images(call.y);
  for (size_t i = 0; i < call.x.size(); ++i)
    concat({.y = y, .part = as_images(call.x[i]), .first = firsts_[i]}, context);
}

void ConcatLayer::backward(const BackwardCall& call, Context& context) const {
  const Tensor dy = as_images(call.dy);
  for (size_t i = 0; i < call.dx.size(); ++i)
    if (call.dx[i].defined())
      concat_backward(
          {.dpart = as_images(call.dx[i]), .dy = dy, .first = firsts_[i], .write = call.write[i]},
          context);
}

std::optional<ChannelMap> ConcatLayer::channel_map(std::span<const Shape> x, const Shape&) const {
  ChannelMap map;
  for (size_t input = 0; input < x.size(); ++input)
    for (int64_t c = 0; c < channels_of(x[input]); ++c)
      map.sources.push_back({{.input = input, .channel = c}});
  return map;
}

}  // namespace

Value Graph::concat(const std::vector<Value>& parts) {
  require(!parts.empty(), prefix_, "concat: there are no parts");
  Shape whole = shape_of(parts[0]);
  const int axis = whole.rank() - 1;
  std::vector<int64_t> firsts;
  int64_t channels = 0;
  for (Value part : parts) {
    const Shape& shape = shape_of(part);
    bool fits = shape.rank() == whole.rank() && (axis == 0 || axis == 2);
    for (int i = 0; fits && i < axis; ++i) fits = shape[i] == whole[i];
    require(fits, prefix_, "concat: ", whole, " and ", shape, " differ in extent");
    firsts.push_back(channels);
    channels += channels_of(shape);
  }
  whole = axis == 0 ? Shape{channels} : Shape{whole[0], whole[1], channels};
  return add_layer(name_in_scope({}, "concat"),
                   std::make_unique<ConcatLayer>(axis == 2, std::move(firsts)), parts, whole);
}

}  // namespace topograd
