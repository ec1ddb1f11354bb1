#include "kernels/rearrange/rearrange.h"

#include <algorithm>
#include <cstdlib>

namespace topograd {

namespace {

void check_map(std::string_view op, const StridedMap& map, const Tensor& rearranged,
               const Tensor& plain) {
  for (const StridedMap::Axis& axis : map.axes)
    require(
        axis.extent >= 0 && axis.begin >= 0 && axis.begin <= axis.end && axis.end <= axis.extent,
        op, ": an axis of ", axis.extent, " elements, read from ", axis.begin, " to ", axis.end);
  require(rearranged.shape().rank() > 0 && plain.shape().rank() > 0 &&
              rearranged.dim(0) == plain.dim(0) && rearranged.dtype() == plain.dtype(),
          op, ": ", rearranged.shape(), " and ", plain.shape(), " are not as many images");
  const int64_t images = plain.dim(0), size = images == 0 ? 0 : plain.size() / images;
  require(rearranged.size() == images * map.size(), op, ": ", map.size(),
          " elements an image do not make ", rearranged.shape());
  const auto [lowest, highest] = map.range();
  require(images == 0 || (lowest >= 0 && highest < size), op, ": elements ", lowest, " to ",
          highest, " of images of ", size);
}

/// Returns whether each stride leads beyond all that the smaller ones reach together, as those of
/// permutations, slices and shuffles do: then no element is read twice.
bool strides_nest(const StridedMap& map) {
  std::array<StridedMap::Axis, StridedMap::kAxes> axes = map.axes;
  const auto step = [](const StridedMap::Axis& axis) { return std::abs(axis.stride); };
  std::sort(axes.begin(), axes.end(),
            [&](const auto& a, const auto& b) { return step(a) < step(b); });
  int64_t reach = 0;
  for (const StridedMap::Axis& axis : axes) {
    const int64_t read = axis.end - axis.begin;
    if (read == 0) return true;
    if (read == 1) continue;
    if (step(axis) <= reach) return false;
    reach += (read - 1) * step(axis);
  }
  return true;
}

}  // namespace

int64_t StridedMap::size() const {
  int64_t size = 1;
  for (const Axis& axis : axes) size *= axis.extent;
  return size;
}

int64_t StridedMap::read_size() const {
  int64_t size = 1;
  for (const Axis& axis : axes) size *= axis.end - axis.begin;
  return size;
}

StridedMap::Range StridedMap::range() const {
  if (read_size() == 0) return {0, -1};
  Range range{offset, offset};
  for (const Axis& axis : axes) {
    const int64_t reach = (axis.end - axis.begin - 1) * axis.stride;
    (reach < 0 ? range.lowest : range.highest) += reach;
  }
  return range;
}

std::vector<int64_t> StridedMap::table() const {
  std::vector<int64_t> table(static_cast<size_t>(size()));
  for (size_t i = 0; i < table.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), element = offset;
    bool inside = true;
    for (int k = kAxes - 1; k >= 0; --k) {
      const Axis& axis = axes[static_cast<size_t>(k)];
      const int64_t at = rest % axis.extent;
      rest /= axis.extent;
      inside = inside && at >= axis.begin && at < axis.end;
      element += (at - axis.begin) * axis.stride;
    }
    table[i] = inside ? element : -1;
  }
  return table;
}

StridedMap StridedMap::merged() const {
  StridedMap result{.axes = {}, .offset = offset};
  const auto is_whole = [](const Axis& axis) { return axis.begin == 0 && axis.end == axis.extent; };
  size_t next = kAxes;  // the outermost axis of the result so far
  for (size_t k = kAxes; k-- > 0;) {
    const Axis& axis = axes[k];
    if (axis.extent == 1 && is_whole(axis)) continue;
    if (next < kAxes && is_whole(axis) && is_whole(result.axes[next]) &&
        axis.stride == result.axes[next].stride * result.axes[next].extent) {
      result.axes[next].extent *= axis.extent;
      result.axes[next].end = result.axes[next].extent;
    } else {
      result.axes[--next] = axis;
    }
  }
  return result;
}

void RearrangeArgs::check() const {
  check_map(kOp, map, y, x);
}

void RearrangeBackwardArgs::check() const {
  check_map(kOp, map, dy, dx);
}

bool is_injective(const StridedMap& map) {
  if (strides_nest(map)) return true;
  constexpr int64_t kMost = 1 << 22;  // listed and sorted in a third of a second
  require(map.size() <= kMost, "whether one of ", map.size(),
          " elements is read twice cannot be told: at most ", kMost, " of strides that overlap");
  std::vector<int64_t> table = map.table();
  std::erase(table, -1);
  std::sort(table.begin(), table.end());
  return std::adjacent_find(table.begin(), table.end()) == table.end();
}

}  // namespace topograd
