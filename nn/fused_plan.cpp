#include "nn/fused_plan.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "kernels/fused_conv/fused_conv.h"
#include "kernels/scale_shift/scale_shift.h"
#include "kernels/tile_conv/tile_conv.h"
#include "nn/layers.h"

namespace topograd {

namespace {

size_t at(int64_t i) {
  return static_cast<size_t>(i);
}

}  // namespace

FusedPlan::FusedPlan(const Graph& graph, const FusedPlanOptions& options)
    : graph_(graph), options_(options), program_(fused_program(graph)) {
  require(options.images > 0 && options.points > 0, "a plan for ", options.images, " images of ",
          options.points, " networks");
  require(graph.layout().parameter_count() * options.points <= int64_t{1} << 30, "a network of ",
          graph.layout().parameter_count(), " parameters is too large for ", options.points,
          " points at once");
  if (options.device == Device::cpu && options.precision != Precision::f32) {
    require(options.points == 1, "tiled images are of one network, not of ", options.points);
    program_ = with_tiles(std::move(program_), graph);
  }
  const int64_t filters = static_cast<int64_t>(program_.filters.size());
  const Tensor table({filters, FoldedFilter::kColumns}, DType::i32);
  std::copy(program_.filters.begin(), program_.filters.end(),
            reinterpret_cast<FoldedFilter*>(table.data<int32_t>()));
  filters_ = table.to(options.device);
  weights_ = Tensor({options.points * program_.weights}, options.dtype, options.device);
  biases_ = Tensor({options.points * filters}, options.dtype, options.device);
  find_segments();
  allocate();
}

const Shape& FusedPlan::shape_of(int value) const {
  return graph_.nodes()[at(node_of(value))].shape;
}

/// Images whose largest value fits three times (input, output, residual) into half of a
/// second-level cache of 2 MiB; a power of two, so that neighbouring steps agree.
int64_t FusedPlan::images_at_once(const FusedStep& step) const {
  constexpr int64_t kCache = 1 << 20;
  if (options_.device != Device::cpu || options_.points > 1) return options_.images;
  const int64_t element = program_.steps.empty() || !is_tiled(step.output)
                              ? bytes_of(options_.dtype)
                          : options_.precision == Precision::bf16 ? 2
                                                                  : 4;
  int64_t size = shape_of(step.output).size(), images = 1;
  for (int input : step.inputs) size = std::max(size, shape_of(input).size());
  const int64_t fit = kCache / (3 * size * element);
  images = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(fit, 1))));
  // Images that lie side by side are not to be torn apart.
  for (int value : step.inputs) images = std::max(images, images_side_by_side(value));
  return std::min(options_.images, std::max(images, images_side_by_side(step.output)));
}

int64_t FusedPlan::images_side_by_side(int value) const {
  if (!is_tiled(value)) return 1;
  const Shape& s = shape_of(value);
  const TiledImages images{.H = s[0], .W = s[1], .C = s[2]};
  return images.side() == 1 ? 1 : TiledImages::kTileRows;
}

void FusedPlan::find_segments() {
  const size_t values = 2 * graph_.nodes().size();
  std::vector<size_t> segment_of(values, 0);  // that makes a value
  crosses_.assign(values, false);
  for (size_t s = 0; s < program_.steps.size(); ++s) {
    const FusedStep& step = program_.steps[s];
    const int64_t images = images_at_once(step);
    if (segments_.empty() || segments_.back().images != images) segments_.push_back({s, s, images});
    segments_.back().end = s + 1;
    segment_of[at(step.output)] = segments_.size();
    for (int input : step.inputs)
      if (segment_of[at(input)] != segments_.size()) crosses_[at(input)] = true;
  }
  crosses_[at(graph_.output())] = true;
}

/// Equal for values of which one may take the other's memory: tiled images have a border.
FusedPlan::Layout FusedPlan::layout_of(int value, int64_t images) const {
  const Shape& s = shape_of(value);
  if (is_tiled(value)) return {1, images, s[0], s[1], s[2]};
  return {0, rows(value, images) * s.size(), 0, 0, 0};
}

FusedPlan::Memory FusedPlan::new_memory(int value, int64_t images) const {
  const Shape& s = shape_of(value);
  if (is_tiled(value))
    return {.plain = {},
            .tiled = TiledImages::zeros(images, s[0], s[1], s[2],
                                        options_.precision == Precision::bf16 ? 1 : 2)};
  return {.plain = Tensor({rows(value, images) * s.size()}, options_.dtype, options_.device),
          .tiled = {}};
}

/// Walks the steps once: a value takes memory that no later step reads. What crosses from one
/// segment to another has memory of its own: others of its images come after the later steps.
void FusedPlan::allocate() {
  memory_.resize(2 * graph_.nodes().size());
  std::vector<size_t> last(memory_.size(), 0);
  for (size_t s = 0; s < program_.steps.size(); ++s)
    for (int input : program_.steps[s].inputs) last[at(input)] = s;
  std::map<Layout, std::vector<Memory>> free;
  for (const Segment& segment : segments_)
    for (size_t s = segment.begin; s < segment.end; ++s) {
      const FusedStep& step = program_.steps[s];
      const Layout layout = layout_of(step.output, segment.images);
      const auto ends_here = [&](int value) {
        return value != 0 && !crosses_[at(value)] && last[at(value)] == s;
      };
      const int victim = overwritable_input(step);
      Memory& memory = memory_[at(step.output)];
      bool overwritten = false;
      if (crosses_[at(step.output)]) {
        memory = new_memory(step.output, options_.images);
      } else if (victim >= 0 && ends_here(victim) && layout_of(victim, segment.images) == layout) {
        memory = memory_[at(victim)];
        overwritten = true;
      } else if (!free[layout].empty()) {
        memory = free[layout].back();
        free[layout].pop_back();
      } else {
        memory = new_memory(step.output, segment.images);
      }
      for (size_t k = 0; k < step.inputs.size(); ++k) {
        const int input = step.inputs[k];
        const bool again = k > 0 && step.inputs[0] == input;
        if (ends_here(input) && !again && !(overwritten && input == victim))
          free[layout_of(input, segment.images)].push_back(memory_[at(input)]);
      }
    }
}

/// The input that a step may overwrite: a convolution its residual, others their first; or -1.
int FusedPlan::overwritable_input(const FusedStep& step) const {
  if (std::holds_alternative<FusedConvStep>(step.what))
    return step.inputs.size() > 1 && step.inputs[0] != step.inputs[1] ? step.inputs.back() : -1;
  if (is_tiled(step.output) || is_tiled(step.inputs[0])) return -1;
  return graph_.nodes()[at(step.output)].layer->works_in_place() ? step.inputs[0] : -1;
}

int64_t FusedPlan::rows(int value, int64_t n) const {
  return program_.shared[at(value)] ? n : options_.points * n;
}

Tensor FusedPlan::plain(int value, const Batch& batch) const {
  if (value == 0) return batch.x.rows(batch.first, batch.first + batch.count);
  Shape shape{rows(value, batch.count)};
  for (int64_t extent : shape_of(value)) shape.push_back(extent);
  const int64_t first = crosses_[at(value)] ? batch.first : 0;
  return memory_[at(value)].plain.slice(rows(value, first) * shape_of(value).size(), shape);
}

TiledImages FusedPlan::tiled(int value, const Batch& batch) const {
  return memory_[at(value)].tiled.slice(crosses_[at(value)] ? batch.first : 0, batch.count);
}

void FusedPlan::form_weights(const NetworkOnPlane& network, const Tensor& coefficients,
                             Context& context) {
  perturb_points({.weights = weights_,
                  .biases = biases_,
                  .theta = network.theta,
                  .delta = network.delta,
                  .eta = network.eta,
                  .states = network.states,
                  .states_delta = network.states_delta,
                  .states_eta = network.states_eta,
                  .coefficients = coefficients,
                  .filters = filters_,
                  .epsilon = BatchnormLayer::kEpsilon},
                 context);
  weights_version_ = new_weights_version();
}

void FusedPlan::run_step(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                         Context& context) {
  if (conv.tiles) return run_tile_conv(conv, step, batch, context);
  const int64_t P = options_.points, O = conv.filters[0];
  const auto image = [&](const Tensor& t) {
    return conv.flatten ? t.reshaped({t.dim(0), 1, 1, t.dim(0) == 0 ? 0 : t.size() / t.dim(0)}) : t;
  };
  fused_conv({.y = image(plain(step.output, batch)),
              .x = image(plain(step.inputs[0], batch)),
              .w = weights_.slice(P * conv.weights, conv.filters.with_first(P * O)),
              .bias = biases_.slice(P * conv.bias, {P * O}),
              .residual = conv.residual < 0 ? Tensor() : image(plain(conv.residual, batch)),
              .points = P,
              .geometry = conv.geometry,
              .relu = conv.relu,
              .precision = options_.precision,
              .rounding = options_.rounding,
              .weights_version = weights_version_},
             context);
}

void FusedPlan::run_step(const FusedScaleShiftStep& norm, const FusedStep& step, const Batch& batch,
                         Context& context) {
  const Tensor y = plain(step.output, batch);
  const Shape per_channel{options_.points * y.dim(y.shape().rank() - 1)};
  scale_shift({.y = y,
               .x = plain(step.inputs[0], batch),
               .scale = weights_.slice(options_.points * norm.scale, per_channel),
               .shift = biases_.slice(options_.points * norm.shift, per_channel),
               .points = options_.points,
               .relu = norm.relu},
              context);
}

void FusedPlan::run_step(const FusedLayerStep&, const FusedStep& step, const Batch& batch,
                         Context& context) {
  const Layer& layer = *graph_.nodes()[at(step.output)].layer;
  const int64_t n = batch.count;
  const Tensor y = plain(step.output, batch);
  bool mixed = false;  // an input that all networks share beside one that they do not
  for (int input : step.inputs)
    mixed = mixed || program_.shared[at(input)] != program_.shared[at(step.output)];
  std::vector<Tensor> inputs;
  for (int64_t p = 0; p < (mixed ? options_.points : 1); ++p) {
    inputs.clear();
    for (int input : step.inputs) {
      const Tensor whole = plain(input, batch);
      inputs.push_back(mixed && !program_.shared[at(input)] ? whole.rows(p * n, (p + 1) * n)
                                                            : whole);
    }
    layer.forward(
        {.y = mixed ? y.rows(p * n, (p + 1) * n) : y, .x = inputs, .parameters = {}, .states = {}},
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

void FusedPlan::run_step(const FusedTileStep&, const FusedStep& step, const Batch& batch,
                         Context& context) {
  tile_images({.y = tiled(step.output, batch), .x = plain(step.inputs[0], batch)}, context);
}

void FusedPlan::run_step(const FusedUntileStep&, const FusedStep& step, const Batch& batch,
                         Context& context) {
  untile_images({.y = plain(step.output, batch), .x = tiled(step.inputs[0], batch)}, context);
}

Tensor FusedPlan::run(const Tensor& x, Context& context) {
  const int64_t n = x.dim(0);
  require(n <= options_.images, n, " images in a plan for ", options_.images);
  for (const Segment& segment : segments_)
    for (int64_t first = 0; first < n; first += segment.images) {
      const Batch batch{x, first, std::min(segment.images, n - first)};
      for (size_t s = segment.begin; s < segment.end; ++s)
        std::visit([&](const auto& what) { run_step(what, program_.steps[s], batch, context); },
                   program_.steps[s].what);
    }
  return plain(graph_.output(), {x, 0, n}).reshaped({options_.points, n, graph_.classes()});
}

}  // namespace topograd
