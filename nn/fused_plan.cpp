#include "nn/fused_plan.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "kernels/core/numbers.h"
#include "kernels/planar_conv/planar_conv.h"

namespace topograd {

FusedPlan::FusedPlan(const Graph& graph, const FusedPlanOptions& options)
    : graph_(graph), options_(options), program_(fused_program(graph)) {
  require(options.images > 0 && options.points > 0, "a plan for ", options.images, " images of ",
          options.points, " networks");
  require(graph.layout().parameter_count() * options.points <= int64_t{1} << 30, "a network of ",
          graph.layout().parameter_count(), " parameters is too large for ", options.points,
          " points at once");
  if (options.precision != Precision::f32) choose_format();
  program_ = with_nested_concats(std::move(program_), graph);
  const int64_t filters = static_cast<int64_t>(program_.filters.size());
  const Tensor table({filters, FoldedFilter::kColumns}, DType::i32);
  std::copy(program_.filters.begin(), program_.filters.end(),
            reinterpret_cast<FoldedFilter*>(table.data<int32_t>()));
  filters_ = table.to(options.device);
  weights_ = Tensor({options.points * program_.weights}, options.dtype, options.device);
  biases_ = Tensor({options.points * filters}, options.dtype, options.device);
  find_strips();
  find_segments();
  allocate();
}

/// Puts convolutions on the images that the device's tiles or tensor cores read.
void FusedPlan::choose_format() {
  if (options_.device == Device::cpu) {
    require(options_.points == 1, "tiled images are of one network, not of ", options_.points);
    program_ = with_tiles(std::move(program_), graph_);
    return;
  }
  program_ = with_planes(std::move(program_), graph_);
  std::vector<PackedLayer> layers;
  for (const FusedStep& step : program_.steps)
    if (const auto* conv = std::get_if<FusedConvStep>(&step.what); conv && conv->packed)
      layers.push_back(packed_layer(*conv));
  if (layers.empty()) return;
  planar_parts_ = options_.precision == Precision::bf16 ? 1 : 2;
  const Tensor table({static_cast<int64_t>(layers.size()), PackedLayer::kColumns}, DType::i32);
  std::copy(layers.begin(), layers.end(), reinterpret_cast<PackedLayer*>(table.data<int32_t>()));
  packed_layers_ = table.to(options_.device);
  int64_t size = 0;
  for (const PackedLayer& layer : layers) size += layer.size();
  fragments_ = Tensor({options_.points * planar_parts_ * size}, DType::bf16, options_.device);
}

const Shape& FusedPlan::shape_of(int value) const {
  return graph_.nodes()[at(node_of(value))].shape;
}

/// Pads pixels where their readers allow it: pixels of an image with parts lie a little further
/// apart than its channels need. At a power of two, parts of neighbouring pixels would share few
/// sets of the cache.
Shape FusedPlan::image_of(int value) const {
  Shape shape = shape_of(value);
  if (!program_.allows_padding[at(value)]) return shape;
  return {shape[0], shape[1], shape[2] + 16};
}

/// Finds every BatchNorm with a 1x1 convolution behind it: what is between them need not leave the
/// cache.
void FusedPlan::find_strips() {
  strips_.assign(program_.steps.size(), false);
  strip_mined_.assign(program_.storage_of.size(), false);
  if (options_.device != Device::cpu || options_.points > 1) return;
  std::vector<int> readers(program_.storage_of.size(), 0);
  ++readers[at(graph_.output())];
  for (const FusedStep& step : program_.steps)
    for (int input : step.inputs) ++readers[at(input)];
  for (size_t s = 0; s + 1 < program_.steps.size(); ++s) {
    const FusedStep &norm = program_.steps[s], &next = program_.steps[s + 1];
    const auto* conv = std::get_if<FusedConvStep>(&next.what);
    strips_[s] = std::holds_alternative<FusedScaleShiftStep>(norm.what) && conv && !conv->packed &&
                 !conv->flatten && conv->residual < 0 && conv->filters[1] == 1 &&
                 conv->filters[2] == 1 && conv->geometry.stride == 1 &&
                 conv->geometry.padding == 0 && next.inputs[0] == norm.output &&
                 norm.inputs[0] != 0 && readers[at(norm.output)] == 1;
    if (strips_[s]) strip_mined_[at(norm.output)] = true;
  }
}

int64_t FusedPlan::bytes_of_number(int value) const {
  if (!is_packed(value)) return bytes_of(options_.dtype);
  return options_.precision == Precision::bf16 ? 2 : 4;
}

/// Counts the images that the cache holds, a power of two, so that neighbouring steps agree: half
/// of a core's second-level cache of 2 MiB, or 24 MiB of a GPU's 40 or 50, for the largest value
/// three times (input, output, residual), or for a value with parts, beside which others are small.
/// Several networks side by side lie in memory for all images.
int64_t FusedPlan::images_at_once(size_t s) const {
  const bool gpu = options_.device != Device::cpu;
  const int64_t cache = int64_t{gpu ? 24 : 1} << 20;
  const int64_t least = gpu ? 128 : 1;  // fewer would leave most of a GPU without work
  const FusedStep& step = program_.steps[s];
  if (options_.points > 1) return options_.images;
  int64_t size = 1, images = least;
  const auto count = [&](int value) {
    if (strip_mined_[at(value)]) return;
    const bool part = storage_of(value) != value || program_.allows_padding[at(value)];
    size = std::max(size, (part ? 1 : 3) * shape_of(storage_of(value)).size());
    // Images that lie side by side are not to be torn apart.
    images = std::max(images, images_side_by_side(value));
  };
  count(step.output);
  for (int input : step.inputs) count(input);
  const int64_t fit = std::max<int64_t>(cache / (size * bytes_of_number(step.output)), 1);
  const auto power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(fit)));
  return std::min(options_.images, std::max(images, power));
}

int64_t FusedPlan::images_side_by_side(int value) const {
  if (!is_packed(value) || is_planar()) return 1;
  const Shape& s = shape_of(value);
  const TiledImages images{.H = s[0], .W = s[1], .C = s[2]};
  return images.side() == 1 ? 1 : TiledImages::kTileRows;
}

/// Lets steps of small values between steps of large ones take as few images as these, where that
/// moves less: squeeze and excitation, whose means and gates are numbers per channel, would else
/// have all images of the layer before it leave the cache and come back. It costs reading the small
/// steps' filters more often.
void FusedPlan::join_small_steps(std::vector<int64_t>& images) const {
  const size_t steps = program_.steps.size();
  std::vector<size_t> last_reader(program_.storage_of.size(), 0);
  for (size_t s = 0; s < steps; ++s)
    for (int input : program_.steps[s].inputs) last_reader[at(input)] = s;
  for (size_t begin = 1; begin < steps; ++begin) {
    const int64_t few = images[begin - 1];
    size_t end = begin;
    int64_t filters = 0;  // numbers of them, in the small steps
    for (; end < steps && images[end] > few; ++end)
      if (const auto* conv = std::get_if<FusedConvStep>(&program_.steps[end].what))
        filters += conv->filters.size();
    if (end == begin || end == steps) continue;
    int64_t kept = 0;  // numbers of an image that would be kept for steps after the small ones
    for (size_t s = 0; s < end; ++s) {
      const int value = program_.steps[s].output;
      if (last_reader[at(value)] >= end) kept += shape_of(value).size();
    }
    if (filters < few * kept)
      std::fill(images.begin() + static_cast<std::ptrdiff_t>(begin),
                images.begin() + static_cast<std::ptrdiff_t>(end), few);
  }
}

/// Chooses the images of every step. All steps while a value with parts is alive take the fewest of
/// any of them, and so do two steps that go in strips.
std::vector<int64_t> FusedPlan::images_of_steps() const {
  std::vector<int64_t> images;
  for (size_t s = 0; s < program_.steps.size(); ++s) images.push_back(images_at_once(s));
  join_small_steps(images);
  std::map<int, std::pair<size_t, size_t>> lives;  // of such values: first and last step
  for (size_t s = 0; s < program_.steps.size(); ++s) {
    const FusedStep& step = program_.steps[s];
    const size_t end = strips_[s] ? s + 1 : s;
    if (strips_[s]) lives.try_emplace(step.output, s, end);
    if (storage_of(step.output) != step.output) lives.try_emplace(storage_of(step.output), s, end);
    for (int input : step.inputs)
      if (const auto life = lives.find(storage_of(input)); life != lives.end())
        life->second.second = end;
  }
  for (const auto& [value, life] : lives) {
    const auto begin = images.begin() + static_cast<std::ptrdiff_t>(life.first);
    const auto end = images.begin() + static_cast<std::ptrdiff_t>(life.second) + 1;
    std::fill(begin, end, *std::min_element(begin, end));
  }
  return images;
}

void FusedPlan::find_segments() {
  const size_t values = 2 * graph_.nodes().size();
  const std::vector<int64_t> images_of_step = images_of_steps();
  std::vector<size_t> segment_of(values, 0);  // that makes a value
  spans_segments_.assign(values, false);
  for (size_t s = 0; s < program_.steps.size(); ++s) {
    const FusedStep& step = program_.steps[s];
    const int64_t images = images_of_step[s];
    if (segments_.empty() || segments_.back().images != images) segments_.push_back({s, s, images});
    segments_.back().end = s + 1;
    segment_of[at(step.output)] = segments_.size();
    for (int input : step.inputs)
      if (segment_of[at(input)] != segments_.size()) spans_segments_[at(input)] = true;
  }
  spans_segments_[at(graph_.output())] = true;
  for (size_t value = 0; value < values; ++value)
    if (spans_segments_[value]) spans_segments_[at(storage_of(static_cast<int>(value)))] = true;
  for (size_t value = 0; value < values; ++value)
    spans_segments_[value] = spans_segments_[at(storage_of(static_cast<int>(value)))];
}

int64_t FusedPlan::numbers(int value, int64_t images) const {
  if (strip_mined_[at(value)]) return kStrip * shape_of(value)[2];
  return rows(value, images) * image_of(value).size();
}

/// A key, equal for values of which one may take the other's memory: packed images have a border.
FusedPlan::Layout FusedPlan::layout_of(int value, int64_t images) const {
  const Shape& s = shape_of(value);
  if (is_packed(value)) return {1, rows(value, images), s[0], s[1], s[2]};
  return {0, numbers(value, images), 0, 0, 0};
}

FusedPlan::Memory FusedPlan::new_memory(int value, int64_t images) const {
  const Shape& s = shape_of(value);
  if (is_packed(value) && is_planar())
    return {.plain = {},
            .tiled = {},
            .planar = PlanarImages::zeros({rows(value, images), s[0], s[1], s[2]}, planar_parts_,
                                          options_.device)};
  if (is_packed(value))
    return {.plain = {},
            .tiled = TiledImages::zeros(images, s[0], s[1], s[2],
                                        options_.precision == Precision::bf16 ? 1 : 2),
            .planar = {}};
  return {.plain = Tensor({numbers(value, images)}, options_.dtype, options_.device),
          .tiled = {},
          .planar = {}};
}

/// Walks the steps once: a value takes memory that no later step reads. A value that spans
/// segments has memory of its own: others of its images come after the later steps.
void FusedPlan::allocate() {
  memory_.resize(2 * graph_.nodes().size());
  std::vector<size_t> last(memory_.size(), 0);
  for (size_t s = 0; s < program_.steps.size(); ++s)
    for (int input : program_.steps[s].inputs) last[at(storage_of(input))] = s;
  std::map<Layout, std::vector<Memory>> free;
  for (const Segment& segment : segments_)
    for (size_t s = segment.begin; s < segment.end; ++s) {
      const FusedStep& step = program_.steps[s];
      const int output = storage_of(step.output);
      const Layout layout = layout_of(output, segment.images);
      const auto ends_here = [&](int value) {
        return value != 0 && !spans_segments_[at(value)] && last[at(storage_of(value))] == s;
      };
      const int victim = overwritable_input(step);
      Memory& memory = memory_[at(output)];
      bool overwritten = false;
      if (memory.plain.defined()) {
        // Allocated with the first of its parts.
      } else if (spans_segments_[at(output)]) {
        memory = new_memory(output, options_.images);
      } else if (victim >= 0 && ends_here(victim) && layout_of(victim, segment.images) == layout) {
        memory = memory_[at(victim)];
        overwritten = true;
      } else if (!free[layout].empty()) {
        memory = free[layout].back();
        free[layout].pop_back();
      } else {
        memory = new_memory(output, segment.images);
      }
      for (size_t k = 0; k < step.inputs.size(); ++k) {
        const int input = step.inputs[k];
        const bool again = k > 0 && step.inputs[0] == input;
        if (ends_here(input) && !again && !(overwritten && input == victim))
          free[layout_of(storage_of(input), segment.images)].push_back(
              memory_[at(storage_of(input))]);
      }
    }
}

/// The input that a step may overwrite: a convolution its residual, others their first; or -1.
int FusedPlan::overwritable_input(const FusedStep& step) const {
  if (std::holds_alternative<FusedConvStep>(step.what))
    return step.inputs.size() > 1 && step.inputs[0] != step.inputs[1] ? step.inputs.back() : -1;
  if (is_packed(step.output) || is_packed(step.inputs[0])) return -1;
  if (storage_of(step.inputs[0]) != step.inputs[0]) return -1;
  return graph_.nodes()[at(step.output)].layer->works_in_place() ? step.inputs[0] : -1;
}

int64_t FusedPlan::rows(int value, int64_t n) const {
  return program_.point_invariant[at(node_of(value))] ? n : options_.points * n;
}

Tensor FusedPlan::plain(int value, const Batch& batch) const {
  if (value == 0) return batch.x.rows(batch.first, batch.first + batch.count);
  Shape shape{rows(value, batch.count)};
  for (int64_t extent : image_of(value)) shape.push_back(extent);
  const int64_t first = spans_segments_[at(value)] ? batch.first : 0;
  return memory_[at(value)].plain.slice(rows(value, first) * image_of(value).size(), shape);
}

TiledImages FusedPlan::tiled(int value, const Batch& batch) const {
  return memory_[at(value)].tiled.slice(spans_segments_[at(value)] ? batch.first : 0, batch.count);
}

PlanarImages FusedPlan::planar(int value, const Batch& batch) const {
  const int64_t first = spans_segments_[at(value)] ? batch.first : 0;
  return memory_[at(value)].planar.slice(rows(value, first), rows(value, batch.count));
}

void FusedPlan::form_weights(const NetworkOnPlane& network, const Tensor& coefficients,
                             Context& context) {
  perturb_points({.weights = weights_,
                  .biases = biases_,
                  .theta = network.theta,
                  .delta = network.delta,
                  .eta = network.eta,
                  .running_stats = network.running_stats,
                  .states_delta = network.states_delta,
                  .states_eta = network.states_eta,
                  .coefficients = coefficients,
                  .filters = filters_},
                 context);
  if (is_planar())
    pack_fragments({.fragments = fragments_,
                    .weights = weights_,
                    .layers = packed_layers_,
                    .points = options_.points,
                    .parts = planar_parts_},
                   context);
  weights_version_ = new_weights_version();
}

}  // namespace topograd
