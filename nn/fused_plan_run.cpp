// What a FusedPlan does with images: its steps, one after the other.
#include <algorithm>
#include <utility>

#include "kernels/concat/concat.h"
#include "kernels/core/numbers.h"
#include "kernels/planar_conv/planar_conv.h"
#include "kernels/tile_conv/tile_conv.h"
#include "nn/fused_plan.h"

namespace topograd {

namespace {

/// Views images [N, H, W, C] as pixels [N H W, 1, 1, C].
Tensor as_pixels(const Tensor& t) {
  return t.reshaped({t.dim(0) * t.dim(1) * t.dim(2), 1, 1, t.dim(3)});
}

}  // namespace

FusedConvArgs FusedPlan::arguments(const FusedConvStep& conv, const Tensor& y, const Tensor& x,
                                   const Tensor& residual) const {
  const int64_t P = options_.points, O = conv.filters[0];
  return {.y = y,
          .x = x,
          .w = weights_.slice(P * conv.weights, conv.filters.with_first(P * O)),
          .bias = biases_.slice(P * conv.bias, {P * O}),
          .residual = residual,
          .points = P,
          .geometry = conv.geometry,
          .relu = conv.relu,
          .precision = options_.precision,
          .error_budget = options_.error_budget,
          .weights_version = weights_version_};
}

void FusedPlan::run_step(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                         Context& context) {
  if (conv.packed && is_planar()) return run_planar_conv(conv, step, batch, context);
  if (conv.packed) return run_tile_conv(conv, step, batch, context);
  const auto image = [&](int value) {
    const Tensor t = plain(value, batch);
    return conv.flatten ? t.reshaped({t.dim(0), 1, 1, t.dim(0) == 0 ? 0 : t.size() / t.dim(0)}) : t;
  };
  fused_conv(arguments(conv, image(step.output), image(step.inputs[0]),
                       conv.residual < 0 ? Tensor() : image(conv.residual)),
             context);
}

ScaleShiftArgs FusedPlan::arguments(const FusedScaleShiftStep& norm, const Tensor& y,
                                    const Tensor& x) const {
  const Shape per_channel{options_.points * y.dim(y.shape().rank() - 1)};
  return {.y = y,
          .x = x,
          .scale = weights_.slice(options_.points * norm.scale, per_channel),
          .shift = biases_.slice(options_.points * norm.shift, per_channel),
          .first = norm.first,
          .points = options_.points,
          .relu = norm.relu};
}

void FusedPlan::run_step(const FusedScaleShiftStep& norm, const FusedStep& step, const Batch& batch,
                         Context& context) {
  scale_shift(arguments(norm, plain(step.output, batch), plain(storage_of(step.inputs[0]), batch)),
              context);
}

/// Runs a BatchNorm and the convolution behind it, strip by strip. The convolution's output may lie
/// where the BatchNorm's input did: it has as many numbers a pixel then, so a strip is written
/// where it was read.
void FusedPlan::run_strips(size_t s, const Batch& batch, Context& context) {
  const FusedStep &first = program_.steps[s], &second = program_.steps[s + 1];
  const Tensor x = as_pixels(plain(storage_of(first.inputs[0]), batch));
  const Tensor y = as_pixels(plain(second.output, batch));
  const int64_t C = shape_of(first.output)[2];
  for (int64_t begin = 0; begin < x.dim(0); begin += kStrip) {
    const int64_t end = std::min(x.dim(0), begin + kStrip);
    const Tensor strip = memory_[at(first.output)].plain.slice(0, {end - begin, 1, 1, C});
    scale_shift(arguments(std::get<FusedScaleShiftStep>(first.what), strip, x.rows(begin, end)),
                context);
    fused_conv(arguments(std::get<FusedConvStep>(second.what), y.rows(begin, end), strip, {}),
               context);
  }
}

void FusedPlan::run_step(const FusedConcatStep& concatenation, const FusedStep& step,
                         const Batch& batch, Context& context) {
  const Tensor y = plain(storage_of(step.output), batch);
  for (const auto& [value, first] : concatenation.parts)
    concat({.y = y, .part = plain(value, batch), .first = first}, context);
}

void FusedPlan::run_step(const FusedLayerStep& step_layer, const FusedStep& step,
                         const Batch& batch, Context& context) {
  const Layer& layer = *graph_.nodes()[at(step.output)].layer;
  const int64_t n = batch.count, P = options_.points;
  const auto is_invariant = [&](int value) { return program_.point_invariant[at(value)]; };
  // One call serves all points where neither parameters nor an input that all points share beside
  // one that they do not make the points differ.
  bool by_point = !step_layer.parameters.empty();
  for (int input : step.inputs)
    by_point = by_point || is_invariant(input) != is_invariant(step.output);
  const auto of_point = [&](int value, int64_t p) {
    const Tensor all = plain(value, batch);
    return by_point && !is_invariant(value) ? all.rows(p * n, (p + 1) * n) : all;
  };
  std::vector<Tensor> inputs, parameters;
  for (int64_t p = 0; p < (by_point ? P : 1); ++p) {
    inputs.clear();
    for (int input : step.inputs) inputs.push_back(of_point(input, p));
    parameters.clear();
    for (const auto& [begin, shape] : step_layer.parameters)
      parameters.push_back(weights_.slice(P * begin + p * shape.size(), shape));
    layer.forward({.y = of_point(step.output, p),
                   .x = inputs,
                   .parameters = parameters,
                   .running_stats = {},
                   .weights_version = weights_version_,
                   .error_budget = options_.error_budget,
                   .precision = options_.precision},
                  context);
  }
}

void FusedPlan::run_tile_conv(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                              Context& context) {
  tile_conv({.y = tiled(step.output, batch),
             .x = tiled(step.inputs[0], batch),
             .w = weights_.slice(conv.weights, conv.filters),
             .bias = biases_.slice(conv.bias, {conv.filters[0]}),
             .residual = conv.residual < 0 ? TiledImages{} : tiled(conv.residual, batch),
             .geometry = conv.geometry,
             .relu = conv.relu,
             .weights_version = weights_version_},
            context);
}

void FusedPlan::run_planar_conv(const FusedConvStep& conv, const FusedStep& step,
                                const Batch& batch, Context& context) {
  const int64_t P = options_.points, O = conv.filters[0];
  const int64_t parts = P * planar_parts_;
  planar_conv({.y = planar(step.output, batch),
               .x = planar(step.inputs[0], batch),
               .w = fragments_.slice(parts * conv.fragments, {parts * packed_layer(conv).size()}),
               .bias = biases_.slice(P * conv.bias, {P * O}),
               .residual = conv.residual < 0 ? PlanarImages{} : planar(conv.residual, batch),
               .filters = conv.filters,
               .points = P,
               .geometry = conv.geometry,
               .relu = conv.relu},
              context);
}

void FusedPlan::run_step(const FusedPackStep&, const FusedStep& step, const Batch& batch,
                         Context& context) {
  const Tensor x = plain(step.inputs[0], batch);
  if (is_planar())
    to_planes({.y = planar(step.output, batch), .x = x}, context);
  else
    tile_images({.y = tiled(step.output, batch), .x = x}, context);
}

void FusedPlan::run_step(const FusedUnpackStep&, const FusedStep& step, const Batch& batch,
                         Context& context) {
  const Tensor y = plain(step.output, batch);
  if (is_planar())
    from_planes({.y = y, .x = planar(step.inputs[0], batch)}, context);
  else
    untile_images({.y = y, .x = tiled(step.inputs[0], batch)}, context);
}

Tensor FusedPlan::run(const Tensor& x, Context& context) {
  const int64_t n = x.dim(0);
  require(n <= options_.images, n, " images in a plan for ", options_.images);
  for (const Segment& segment : segments_)
    for (int64_t first = 0; first < n; first += segment.images) {
      const Batch batch{x, first, std::min(segment.images, n - first)};
      for (size_t s = segment.begin; s < segment.end; ++s)
        if (strips_[s])
          run_strips(s++, batch, context);
        else
          std::visit([&](const auto& what) { run_step(what, program_.steps[s], batch, context); },
                     program_.steps[s].what);
    }
  return plain(graph_.output(), {x, 0, n}).reshaped({options_.points, n, graph_.classes()});
}

}  // namespace topograd
