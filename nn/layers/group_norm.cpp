// group_norm and instance_norm: groups of an image's channels standardised by their own mean and
// variance (kernels/group_norm/). Images do not meet, so there are no running statistics.
#include "kernels/group_norm/group_norm.h"

#include "kernels/group_norm/group_norm_tangent.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = gamma xhat + beta. Parameters: gamma [C], beta [C], or none.
class GroupNormLayer : public Layer {
 public:
  GroupNormLayer(std::string_view kind, int64_t groups, double epsilon, bool affine)
      : kind_(kind), groups_(groups), epsilon_(epsilon), affine_(affine) {}
  std::string_view kind() const override { return kind_; }
  Attributes attributes() const override;
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return true; }
  bool works_in_place() const override { return true; }
  /// Within a group, channels share their statistics; a group of one keeps its own wherever it is.
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    ChannelMap map = ChannelMap::kept(channels_of(y));
    if (groups_ < channels_of(y)) map.runs = groups_;
    return map;
  }
  bool scales_with_parameters() const override { return affine_; }

 private:
  std::string_view kind_;
  int64_t groups_;
  double epsilon_;
  bool affine_;
};

Attributes GroupNormLayer::attributes() const {
  const bool of_channels = kind_ == "instance_norm";
  Attributes attributes;
  if (!of_channels) attributes.emplace_back("groups", groups_);
  if (epsilon_ != GroupNormOptions().epsilon) attributes.emplace_back("epsilon", epsilon_);
  if (affine_ != (of_channels ? InstanceNormOptions().affine : GroupNormOptions().affine))
    attributes.emplace_back("affine", affine_);
  return attributes;
}

void GroupNormLayer::forward(const ForwardCall& call, Context& context) const {
  group_norm({.y = call.y,
              .x = call.x[0],
              .gamma = scale_or_shift(call.parameters, 0),
              .beta = scale_or_shift(call.parameters, 1),
              .groups = groups_,
              .epsilon = epsilon_},
             context);
}

void GroupNormLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dparameters.empty())
    group_norm_backward_sums({.dgamma = call.dparameters[0],
                              .dbeta = call.dparameters[1],
                              .dy = call.dy,
                              .x = call.x[0],
                              .groups = groups_,
                              .epsilon = epsilon_,
                              .write = call.write_parameters},
                             context);
  if (call.dx[0].defined())
    group_norm_backward({.dx = call.dx[0],
                         .dy = call.dy,
                         .x = call.x[0],
                         .gamma = scale_or_shift(call.parameters, 0),
                         .groups = groups_,
                         .epsilon = epsilon_,
                         .write = call.write[0]},
                        context);
}

void GroupNormLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                     Context& context) const {
  forward(call, context);
  group_norm_tangent({.y_tangent = tangents.y,
                      .x_tangent = tangents.x[0],
                      .x = call.x[0],
                      .gamma = scale_or_shift(call.parameters, 0),
                      .gamma_tangent = scale_or_shift(tangents.parameters, 0),
                      .beta_tangent = scale_or_shift(tangents.parameters, 1),
                      .groups = groups_,
                      .epsilon = epsilon_},
                     context);
}

void GroupNormLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                      Context& context) const {
  if (!tangents.dparameters.empty())
    group_norm_tangent_sums({.dgamma_tangent = tangents.dparameters[0],
                             .dbeta_tangent = tangents.dparameters[1],
                             .dy_tangent = tangents.dy,
                             .dy = call.dy,
                             .x_tangent = tangents.x[0],
                             .x = call.x[0],
                             .groups = groups_,
                             .epsilon = epsilon_,
                             .write = call.write_parameters},
                            context);
  if (call.dx[0].defined())
    group_norm_tangent_backward({.dx_tangent = tangents.dx[0],
                                 .dy_tangent = tangents.dy,
                                 .dy = call.dy,
                                 .x_tangent = tangents.x[0],
                                 .x = call.x[0],
                                 .gamma = scale_or_shift(call.parameters, 0),
                                 .gamma_tangent = scale_or_shift(tangents.parameters, 0),
                                 .groups = groups_,
                                 .epsilon = epsilon_,
                                 .write = call.write[0]},
                                context);
  backward(call, context);
}

}  // namespace

std::vector<ParameterSpec> Graph::scale_and_shift(bool affine, const Shape& shape) {
  if (!affine) return {};
  return {{"weight", ParameterKind::norm_scale, shape}, {"bias", ParameterKind::norm_shift, shape}};
}

Value Graph::group_norm(Value x, int64_t groups, const GroupNormOptions& options) {
  const std::string name = name_in_scope(options.name, "gn");
  const Shape shape = shape_of(x), channels{channels_of(shape)};
  require(groups >= 1 && channels[0] % groups == 0, name, ": ", channels[0],
          " channels do not make ", groups, " groups");
  require(options.epsilon > 0, name, ": epsilon must be above 0, got ", options.epsilon);
  return add_layer(
      name, std::make_unique<GroupNormLayer>("group_norm", groups, options.epsilon, options.affine),
      {x}, shape, scale_and_shift(options.affine, channels));
}

Value Graph::instance_norm(Value x, const InstanceNormOptions& options) {
  const std::string name = name_in_scope(options.name, "in");
  const Shape shape = image_shape_of(x, name), channels{channels_of(shape)};
  require(
      !options.track_running_stats, name,
      ": an instance norm that tracks running statistics normalises by them in inference, and by "
      "an image's own in training: there is no such layer here. Where the network is only "
      "evaluated, it is a batchnorm with the same running statistics");
  require(shape[0] * shape[1] > 1, name, ": an image of one pixel has no deviation, got ", shape);
  require(options.epsilon > 0, name, ": epsilon must be above 0, got ", options.epsilon);
  return add_layer(name,
                   std::make_unique<GroupNormLayer>("instance_norm", channels[0], options.epsilon,
                                                    options.affine),
                   {x}, shape, scale_and_shift(options.affine, channels));
}

}  // namespace topograd
