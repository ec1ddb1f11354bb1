// add: the sum of two values of one shape (kernels/add/).
#include "kernels/add/add.h"
#include "kernels/vector/vector.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// target = source, or target += source; they may be the same memory.
void write_gradient(const Tensor& target, const Tensor& source, Write write, Context& context) {
  if (!target.defined()) return;
  if (write == Write::accumulate)
    add({.y = target, .a = target, .b = source}, context);
  else if (target.raw() != source.raw())
    copy({.y = target, .x = source}, context);
}

/// y = x0 + x1.
class AddLayer : public Layer {
 public:
  std::string_view kind() const override { return "add"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  bool works_in_place() const override { return true; }
  FusionRole fusion_role() const override { return FusionRole::add; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override;
  bool is_positively_homogeneous() const override { return true; }
};

void AddLayer::forward(const ForwardCall& call, Context& context) const {
  add({.y = call.y, .a = call.x[0], .b = call.x[1]}, context);
}

void AddLayer::backward(const BackwardCall& call, Context& context) const {
  write_gradient(call.dx[0], call.dy, call.write[0], context);
  write_gradient(call.dx[1], call.dy, call.write[1], context);
}

/// A sum ties channel c of one input to channel c of the other.
std::optional<ChannelMap> AddLayer::channel_map(std::span<const Shape>, const Shape& y) const {
  ChannelMap map = ChannelMap::kept(channels_of(y));
  for (std::vector<ChannelMap::Source>& sources : map.sources)
    sources.push_back({.input = 1, .channel = sources[0].channel});
  return map;
}

}  // namespace

Value Graph::add(Value a, Value b) {
  if (shape_of(a) != shape_of(b)) return combine(a, b, Elementwise::add);
  return add_layer(name_in_scope({}, "add"), std::make_unique<AddLayer>(), {a, b}, shape_of(a));
}

}  // namespace topograd
