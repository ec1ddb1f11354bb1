// dropout: elements, channels or images that are zero in a training step, at random
// (kernels/dropout/).
#include "kernels/dropout/dropout.h"

#include "kernels/broadcast/broadcast.h"
#include "nn/graph.h"

namespace topograd {

namespace {

std::string_view name_of(DropoutUnit unit) {
  return unit == DropoutUnit::element   ? "element"
         : unit == DropoutUnit::channel ? "channel"
                                        : "image";
}

/// y = m x, with the step's random numbers; y = x without. m is drawn again by the backward pass.
class DropoutLayer : public Layer {
 public:
  DropoutLayer(const DropoutOptions& options, int64_t units)
      : unit_(options.unit),
        probability_(options.probability),
        keep_(1 - options.probability),
        units_(units) {}
  std::string_view kind() const override { return "dropout"; }
  Attributes attributes() const override {
    return {{"probability", probability_}, {"unit", std::string(name_of(unit_))}};
  }
  void forward(const ForwardCall& call, Context& context) const override {
    run(call.y, call.x[0], Write::overwrite, call.noise, context);
  }
  void backward(const BackwardCall& call, Context& context) const override {
    if (call.dx[0].defined()) run(call.dx[0], call.dy, call.write[0], call.noise, context);
  }
  bool works_in_place() const override { return true; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool is_positively_homogeneous() const override { return true; }

 private:
  void run(const Tensor& y, const Tensor& x, Write write, const std::optional<LayerNoise>& noise,
           Context& context) const {
    if (noise && keep_ < 1)
      return dropout({.y = y,
                      .x = x,
                      .unit = unit_,
                      .random = noise->random,
                      .first = static_cast<uint64_t>(noise->first_image * units_),
                      .keep = keep_,
                      .write = write},
                     context);
    if (y.raw() != x.raw() || write == Write::accumulate)
      broadcast_sum({.y = y, .a = x, .b = {}, .write = write}, context);
  }

  DropoutUnit unit_;
  double probability_, keep_;
  int64_t units_;  // of an image
};

}  // namespace

Value Graph::dropout(Value x, const DropoutOptions& options) {
  require(options.probability >= 0 && options.probability <= 1, prefix_,
          "dropout: a probability is in [0, 1], got ", options.probability);
  return add_layer(
      name_in_scope({}, "dropout"),
      std::make_unique<DropoutLayer>(options, dropout_units(options.unit, shape_of(x))), {x},
      shape_of(x));
}

}  // namespace topograd
