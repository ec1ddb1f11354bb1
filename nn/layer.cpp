// Default answers of a layer, and its tangents where it is linear: B. Pearlmutter, "Fast Exact
// Multiplication by the Hessian", Neural Computation 1994.
#include "nn/layer.h"

namespace topograd {

ChannelMap ChannelMap::kept(int64_t channels) {
  ChannelMap map;
  for (int64_t c = 0; c < channels; ++c) map.sources.push_back({{.input = 0, .channel = c}});
  return map;
}

std::optional<ChannelMap> Layer::channel_map(std::span<const Shape>, const Shape&) const {
  return std::nullopt;
}

void Layer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                            Context& context) const {
  forward(call, context);
  ForwardCall of_tangents = call;
  of_tangents.y = tangents.y;
  of_tangents.x = tangents.x;
  forward(of_tangents, context);
}

void Layer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                             Context& context) const {
  backward(on_tangents(call, tangents), context);
  backward(call, context);
}

ForwardCall on_direction(ForwardCall call, const ForwardTangents& tangents) {
  call.y = tangents.y;
  call.parameters = tangents.parameters;
  call.weights_version = tangents.version;
  return call;
}

BackwardCall on_tangents(BackwardCall call, const BackwardTangents& tangents) {
  call.dx = tangents.dx;
  call.dy = tangents.dy;
  call.dparameters = tangents.dparameters;
  return call;
}

Tensor as_matrix(const Tensor& t) {
  const int64_t n = t.dim(0);
  return t.reshaped({n, n == 0 ? 0 : t.size() / n});
}

}  // namespace topograd
