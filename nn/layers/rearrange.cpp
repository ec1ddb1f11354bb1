// rearrange: elements in another order (kernels/rearrange/), and the common cases by their names.
#include "kernels/rearrange/rearrange.h"

#include "kernels/core/numbers.h"
#include "nn/graph.h"

namespace topograd {

namespace {

class RearrangeLayer : public Layer {
 public:
  /// `kind` outlives the layer. Throws Error where an element is read twice, or one that is not
  /// there.
  RearrangeLayer(std::string_view kind, const StridedMap& map, int64_t input_size,
                 const Shape& output)
      : kind_(kind), map_(map), output_(output) {
    const auto [lowest, highest] = map.range();
    require(lowest >= 0 && highest < input_size, kind, ": elements ", lowest, " to ", highest,
            " are read, of ", input_size);
    require(is_injective(map), kind,
            ": an element of the input is read twice, so that its gradient is not one element's");
  }
  std::string_view kind() const override { return kind_; }
  std::string_view operation() const override { return "rearrange"; }
  Attributes attributes() const override;
  void forward(const ForwardCall& call, Context& context) const override {
    rearrange({.y = call.y, .x = call.x[0], .map = map_}, context);
  }
  void backward(const BackwardCall& call, Context& context) const override {
    if (!call.dx[0].defined()) return;
    rearrange_backward({.dx = call.dx[0], .dy = call.dy, .map = map_, .write = call.write[0]},
                       context);
  }
  std::optional<ChannelMap> channel_map(std::span<const Shape> x, const Shape& y) const override;
  bool is_positively_homogeneous() const override { return true; }

 private:
  std::string_view kind_;
  StridedMap map_;
  Shape output_;
};

/// Leaves out outer axes of one element, which are there to make six.
Attributes RearrangeLayer::attributes() const {
  std::vector<int64_t> extents, strides, begins, ends;
  bool cut = false;
  for (const StridedMap::Axis& axis : map_.axes) {
    const bool whole = axis.begin == 0 && axis.end == axis.extent;
    if (extents.empty() && axis.extent == 1 && whole) continue;
    extents.push_back(axis.extent);
    strides.push_back(axis.stride);
    begins.push_back(axis.begin);
    ends.push_back(axis.end);
    cut = cut || !whole;
  }
  Attributes all{{"shape", std::vector<int64_t>(output_.begin(), output_.end())},
                 {"extents", extents},
                 {"strides", strides},
                 {"offset", map_.offset}};
  if (cut) {
    all.emplace_back("begins", begins);
    all.emplace_back("ends", ends);
  }
  return all;
}

/// Answers where every channel of the output is, pixel by pixel in one and the same order, one of
/// the input's, or zero. Where channels are torn apart, or each has an order of its own, two of them
/// could not change places.
std::optional<ChannelMap> RearrangeLayer::channel_map(std::span<const Shape> x,
                                                      const Shape& y) const {
  const int64_t inputs = channels_of(x[0]), outputs = channels_of(y);
  const std::vector<int64_t> table = map_.table();
  const int64_t pixels = outputs == 0 ? 0 : static_cast<int64_t>(table.size()) / outputs;
  ChannelMap map;
  std::vector<int64_t> order, first_order;
  for (int64_t c = 0; c < outputs; ++c) {
    std::vector<ChannelMap::Source>& sources = map.sources.emplace_back();
    order.clear();
    for (int64_t p = 0; p < pixels; ++p) {
      const int64_t element = table[at(p * outputs + c)];
      order.push_back(element < 0 ? -1 : element / inputs);
      if (element < 0) continue;
      if (sources.empty()) sources.push_back({.input = 0, .channel = element % inputs});
      if (sources[0].channel != element % inputs) return std::nullopt;
    }
    if (sources.empty()) continue;
    if (first_order.empty()) first_order = order;
    if (order != first_order) return std::nullopt;
  }
  return map;
}

/// Returns a product, which may be any.
template <class Extents>
double product_of(const Extents& extents) {
  double product = 1;
  for (const int64_t extent : extents) product *= static_cast<double>(extent);
  return product;
}

StridedMap strided_map(const Rearrangement& r, const std::string& name) {
  const size_t axes = r.extents.size();
  require(axes <= StridedMap::kAxes, name, ": ", axes, " axes; at most ", StridedMap::kAxes,
          " can be rearranged");
  require(r.strides.size() == axes && (r.begins.empty() || r.begins.size() == axes) &&
              (r.ends.empty() || r.ends.size() == axes),
          name, ": strides, begins and ends are as many as extents, ", axes);
  constexpr double kMost = 1e12;
  require(product_of(r.extents) <= kMost, name, ": ", product_of(r.extents),
          " elements, which no memory holds");
  StridedMap map{.axes = {}, .offset = r.offset};
  for (size_t k = 0; k < axes; ++k) {
    StridedMap::Axis& axis = map.axes[StridedMap::kAxes - axes + k];
    axis = {.extent = r.extents[k],
            .stride = r.strides[k],
            .begin = r.begins.empty() ? 0 : r.begins[k],
            .end = r.ends.empty() ? r.extents[k] : r.ends[k]};
    require(axis.extent > 0 && axis.begin >= 0 && axis.begin <= axis.end && axis.end <= axis.extent,
            name, ": axis ", k, " has ", axis.extent, " elements, and is read from ", axis.begin,
            " to ", axis.end);
  }
  return map;
}

/// Appends a rearrangement that errors call `kind`.
Value append_rearranged(Graph& graph, std::string_view kind, Value x, const Rearrangement& r,
                        const Shape& output) {
  const std::string name = graph.name_in_scope({}, std::string(kind));
  const StridedMap map = strided_map(r, name);
  require(product_of(output) == static_cast<double>(map.size()) &&
              (output.rank() == 1 || output.rank() == 3),
          name, ": ", map.size(), " elements do not make ", output);
  return graph.add_layer(
      name, std::make_unique<RearrangeLayer>(kind, map, graph.shape_of(x).size(), output), {x},
      output);
}

}  // namespace

Value Graph::rearrange(Value x, const Rearrangement& map, const Shape& output) {
  return append_rearranged(*this, "rearrange", x, map, output);
}

Value Graph::channel_shuffle(Value x, int64_t groups) {
  const Shape s = image_shape_of(x, "channel_shuffle");
  require(groups > 0 && s[2] % groups == 0, prefix_, "channel_shuffle: ", s[2],
          " channels do not fall into ", groups, " groups");
  const int64_t each = s[2] / groups;
  return append_rearranged(*this, "channel_shuffle", x,
                           {.extents = {s[0] * s[1], each, groups}, .strides = {s[2], 1, each}}, s);
}

Value Graph::flatten(Value x) {
  const Shape s = image_shape_of(x, "flatten");
  return append_rearranged(*this, "flatten", x,
                           {.extents = {s[2], s[0] * s[1]}, .strides = {1, s[2]}}, {s.size()});
}

Value Graph::permute(Value x, const std::array<int, 3>& order) {
  const Shape s = image_shape_of(x, "permute");
  const int64_t strides[] = {s[1] * s[2], s[2], 1};
  Rearrangement r;
  bool used[3] = {};
  for (int axis : order) {
    require(axis >= 0 && axis < 3 && !used[axis], prefix_,
            "permute: the order of axes is 0, 1 and 2, each once");
    used[axis] = true;
    r.extents.push_back(s[axis]);
    r.strides.push_back(strides[axis]);
  }
  return append_rearranged(*this, "permute", x, r, {r.extents[0], r.extents[1], r.extents[2]});
}

Value Graph::pixel_shuffle(Value x, int64_t r) {
  const Shape s = image_shape_of(x, "pixel_shuffle");
  require(r > 0 && s[2] % (r * r) == 0, prefix_, "pixel_shuffle: ", s[2],
          " channels do not make pixels of ", r, " x ", r);
  const int64_t H = s[0], W = s[1], C = s[2];
  return append_rearranged(
      *this, "pixel_shuffle", x,
      {.extents = {H, r, W, r, C / (r * r)}, .strides = {W * C, r, C, 1, r * r}},
      {H * r, W * r, C / (r * r)});
}

Value Graph::slice_channels(Value x, int64_t begin, int64_t end) {
  const Shape s = shape_of(x);
  const int64_t C = channels_of(s), count = end - begin;
  require(begin >= 0 && begin < end && end <= C, prefix_, "slice_channels: channels ", begin,
          " to ", end, " of ", C);
  return append_rearranged(*this, "slice_channels", x,
                           {.extents = {s.size() / C, count}, .strides = {C, 1}, .offset = begin},
                           s.rank() == 1 ? Shape{count} : Shape{s[0], s[1], count});
}

Value Graph::zero_pad(Value x, const ZeroPadding& p) {
  const Shape s = image_shape_of(x, "zero_pad");
  const int64_t H = s[0] + p.top + p.bottom, W = s[1] + p.left + p.right, C = s[2];
  const int64_t first_row = std::max<int64_t>(p.top, 0);
  const int64_t first_column = std::max<int64_t>(p.left, 0);
  const int64_t end_row = std::min(H, s[0] + p.top), end_column = std::min(W, s[1] + p.left);
  require(first_row < end_row && first_column < end_column, prefix_,
          "zero_pad: nothing is left of ", s);
  return append_rearranged(*this, "zero_pad", x,
                           {.extents = {H, W, C},
                            .strides = {s[1] * C, C, 1},
                            .offset = ((first_row - p.top) * s[1] + first_column - p.left) * C,
                            .begins = {first_row, first_column, 0},
                            .ends = {end_row, end_column, C}},
                           {H, W, C});
}

}  // namespace topograd
