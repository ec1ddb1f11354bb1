// shortcut_a: a residual network's shortcut without parameters (kernels/shortcut_a/).
#include "kernels/shortcut_a/shortcut_a.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// Option A of He et al. (2016): every stride-th pixel, zeros in the new channels; no parameters.
class ShortcutALayer : public Layer {
 public:
  ShortcutALayer(int64_t filters, int stride) : filters_(filters), stride_(stride) {}
  std::string_view kind() const override { return "shortcut_a"; }
  Attributes attributes() const override {
    return {{"filters", filters_}, {"stride", int64_t{stride_}}};
  }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;

  std::optional<ChannelMap> channel_map(std::span<const Shape> x, const Shape& y) const override;
  bool is_positively_homogeneous() const override { return true; }

 private:
  int64_t filters_;
  int stride_;
};

void ShortcutALayer::forward(const ForwardCall& call, Context& context) const {
  shortcut_a_forward({.y = call.y, .x = call.x[0], .stride = stride_}, context);
}

void ShortcutALayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  shortcut_a_backward({.dx = call.dx[0], .dy = call.dy, .stride = stride_, .write = call.write[0]},
                      context);
}

/// The middle channels are the input's, those before and after them are zero.
std::optional<ChannelMap> ShortcutALayer::channel_map(std::span<const Shape> x,
                                                      const Shape& y) const {
  const int64_t count = channels_of(x[0]), before = (channels_of(y) - count) / 2;
  ChannelMap map;
  map.sources.resize(static_cast<size_t>(channels_of(y)));
  for (int64_t c = 0; c < count; ++c)
    map.sources[static_cast<size_t>(before + c)] = {{.input = 0, .channel = c}};
  return map;
}

}  // namespace

Value Graph::shortcut_a(Value x, int64_t filters, int stride) {
  const Shape in = image_shape_of(x, "shortcut_a");
  require(filters >= in[2], "shortcut_a: cannot pad ", in[2], " channels to ", filters);
  require(stride >= 1, "shortcut_a: a stride of ", stride, ": choose 1 or more");
  const Shape out{(in[0] + stride - 1) / stride, (in[1] + stride - 1) / stride, filters};
  return add_layer(name_in_scope({}, "shortcut_a"),
                   std::make_unique<ShortcutALayer>(filters, stride), {x}, out);
}

}  // namespace topograd
