// Runs of a convolution in small groups: which positions have the same taps. kernels/conv2d/grouped.cpp
// explains what they are for.
#include <algorithm>
#include <utility>

#include "kernels/conv2d/grouped.h"

namespace topograd {

namespace {

/// One axis of a convolution.
struct Axis {
  int64_t in, out, kernel, stride, padding, dilation;
};

/// Cuts the positions below `extent` into runs with the same taps: position p has the taps of
/// taps_of(p), whose places are absolute and move by `from_step` from one position to that `step`
/// further.
template <class TapsOf>
std::vector<GroupRun> runs_of(int64_t extent, int64_t step, int64_t from_step,
                              const TapsOf& taps_of) {
  std::vector<GroupRun> runs;
  for (int64_t first = 0; first < std::min(step, extent); ++first) {
    bool begun = false;
    for (int64_t p = first; p < extent; p += step) {
      std::vector<GroupTap> taps = taps_of(p);
      const auto same = [](const GroupTap& a, const GroupTap& b) { return a.k == b.k; };
      const bool goes_on = begun && std::equal(taps.begin(), taps.end(), runs.back().taps.begin(),
                                               runs.back().taps.end(), same);
      if (goes_on) {
        ++runs.back().count;
        continue;
      }
      begun = true;
      const int64_t from = taps.empty() ? 0 : taps[0].at;
      for (GroupTap& tap : taps) tap.at -= from;
      runs.push_back({p, step, 1, from, from_step, std::move(taps)});
    }
  }
  return runs;
}

std::vector<GroupRun> forward_runs(const Axis& a) {
  return runs_of(a.out, 1, a.stride, [&](int64_t o) {
    std::vector<GroupTap> taps;
    for (int64_t k = 0; k < a.kernel; ++k) {
      const int64_t at = o * a.stride + k * a.dilation - a.padding;
      if (at >= 0 && at < a.in) taps.push_back({k, at});
    }
    return taps;
  });
}

std::vector<GroupRun> backward_runs(const Axis& a) {
  return runs_of(a.in, a.stride, 1, [&](int64_t i) {
    std::vector<GroupTap> taps;
    for (int64_t k = 0; k < a.kernel; ++k) {
      const int64_t at = i + a.padding - k * a.dilation;
      if (at >= 0 && at % a.stride == 0 && at / a.stride < a.out)
        taps.push_back({k, at / a.stride});
    }
    return taps;
  });
}

struct Axes {
  Axis rows, columns;
};
Axes axes_of(const Shape& x, const Shape& w, const ConvGeometry& g) {
  const Shape y = g.output(x, w);
  return {{x[1], y[1], w[1], g.stride.h, g.padding.h, g.dilation.h},
          {x[2], y[2], w[2], g.stride.w, g.padding.w, g.dilation.w}};
}

SmallGroups small_groups(const Shape& x, const Shape& w, const ConvGeometry& geometry,
                         bool backward) {
  const auto [rows, columns] = axes_of(x, w, geometry);
  const auto runs = backward ? backward_runs : forward_runs;
  SmallGroups conv{.N = x[0],
                   .C = x[3],
                   .group = w[3],
                   .KH = w[1],
                   .KW = w[2],
                   .rows_in = rows.in,
                   .columns_in = columns.in,
                   .rows_out = rows.out,
                   .columns_out = columns.out,
                   .rows = runs(rows),
                   .columns = runs(columns),
                   .backward = backward};
  if (backward) {
    std::swap(conv.rows_in, conv.rows_out);
    std::swap(conv.columns_in, conv.columns_out);
  }
  return conv;
}

}  // namespace

bool small_groups_fit(const Shape& x, const Shape& w, DType dtype, const ConvGeometry& geometry) {
  return dtype == DType::f32 && geometry.groups > 1 && x[3] == w[0] && w.size() > 0 &&
         (w[3] == 1 || w[3] == 2 || w[3] == 4 || w[3] == 8);
}

SmallGroups small_groups_forward(const Shape& x, const Shape& w, const ConvGeometry& geometry) {
  return small_groups(x, w, geometry, /*backward=*/false);
}

SmallGroups small_groups_backward(const Shape& x, const Shape& w, const ConvGeometry& geometry) {
  return small_groups(x, w, geometry, /*backward=*/true);
}

}  // namespace topograd
