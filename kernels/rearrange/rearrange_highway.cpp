// Strided copies: rows where both sides are contiguous along one axis, blocks of 4 x 4 transposed
// in registers where they are along different ones, two rows zipped into one and one unzipped into
// two (a shuffle of two groups of channels and its gradient), element by element otherwise.
//
// The padding is zeroed first; what is left is a copy between two strided arrays without any
// padding, which both directions share: forward, y is the one that is written, backward dx.
#include <algorithm>
#include <cstdlib>

#include "kernels/rearrange/rearrange.h"
#include "kernels/rearrange/strided_copy.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rearrange/rearrange_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE void copy_row(float* to, const float* from, int64_t n, bool accumulate) {
  if (!accumulate) {
    std::copy_n(from, n, to);
    return;
  }
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::LoadU(d, from + i)), d, to + i);
  for (; i < n; ++i) to[i] += from[i];
}

/// Copies elements that lie apart on either side.
HWY_INLINE void copy_strided(float* to, int64_t to_step, const float* from, int64_t from_step,
                             int64_t n, bool accumulate) {
  if (accumulate)
    for (int64_t i = 0; i < n; ++i) to[i * to_step] += from[i * from_step];
  else
    for (int64_t i = 0; i < n; ++i) to[i * to_step] = from[i * from_step];
}

#if HWY_TARGET != HWY_SCALAR
/// Transposes a block of 4 x 4: to[r to_row + c] = from[r + c from_column] for r, c < 4.
template <bool kAccumulate>
HWY_INLINE void transpose_block(float* to, int64_t to_row, const float* from, int64_t from_column) {
  const hn::Full128<float> d;
  const auto c0 = hn::LoadU(d, from), c1 = hn::LoadU(d, from + from_column);
  const auto c2 = hn::LoadU(d, from + 2 * from_column), c3 = hn::LoadU(d, from + 3 * from_column);
  // Interleaved twice: elements r of all columns side by side.
  const auto low02 = hn::InterleaveLower(d, c0, c2), low13 = hn::InterleaveLower(d, c1, c3);
  const auto high02 = hn::InterleaveUpper(d, c0, c2), high13 = hn::InterleaveUpper(d, c1, c3);
  const auto put = [&](auto v, float* at) HWY_ATTR {
    if constexpr (kAccumulate) v = hn::Add(v, hn::LoadU(d, at));
    hn::StoreU(v, d, at);
  };
  put(hn::InterleaveLower(d, low02, low13), to);
  put(hn::InterleaveUpper(d, low02, low13), to + to_row);
  put(hn::InterleaveLower(d, high02, high13), to + 2 * to_row);
  put(hn::InterleaveUpper(d, high02, high13), to + 3 * to_row);
}

/// Transposes as many rows and columns as there are whole blocks of, in strips of the longer axis:
/// within one, that axis is innermost, and lines stay in the cache until all of them was used.
template <bool kAccumulate>
HWY_INLINE void transpose_blocks(float* to, int64_t to_row, const float* from, int64_t from_column,
                                 int64_t rows, int64_t columns) {
  constexpr int64_t kStrip = 64;
  if (columns > rows) {
    for (int64_t begin = 0; begin < columns; begin += kStrip)
      for (int64_t r = 0; r + 4 <= rows; r += 4)
        for (int64_t c = begin; c + 4 <= std::min(columns, begin + kStrip); c += 4)
          transpose_block<kAccumulate>(to + r * to_row + c, to_row, from + r + c * from_column,
                                       from_column);
    return;
  }
  for (int64_t begin = 0; begin < rows; begin += kStrip)
    for (int64_t c = 0; c + 4 <= columns; c += 4)
      for (int64_t r = begin; r + 4 <= std::min(rows, begin + kStrip); r += 4)
        transpose_block<kAccumulate>(to + r * to_row + c, to_row, from + r + c * from_column,
                                     from_column);
}
#endif

/// Adds a and b to `to`, element by element in turn, or puts them there.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void put_zipped(D d, V a, V b, float* to, bool accumulate) {
  if (accumulate) {
    V old_a, old_b;
    hn::LoadInterleaved2(d, to, old_a, old_b);
    a = hn::Add(old_a, a);
    b = hn::Add(old_b, b);
  }
  hn::StoreInterleaved2(a, b, d, to);
}
/// Sets to[2 i] = a[i] and to[2 i + 1] = b[i], or adds them.
void zip(float* to, const float* a, const float* b, int64_t n, bool accumulate) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    put_zipped(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i), to + 2 * i, accumulate);
  copy_strided(to + 2 * i, 2, a + i, 1, n - i, accumulate);
  copy_strided(to + 2 * i + 1, 2, b + i, 1, n - i, accumulate);
}
/// Sets a[i] = from[2 i] and b[i] = from[2 i + 1], or adds them.
void unzip(float* a, float* b, const float* from, int64_t n, bool accumulate) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto put = [&](auto v, float* at) HWY_ATTR {
    hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, at), v) : v, d, at);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::Vec<decltype(d)> even, odd;
    hn::LoadInterleaved2(d, from + 2 * i, even, odd);
    put(even, a + i);
    put(odd, b + i);
  }
  copy_strided(a + i, 1, from + 2 * i, 2, n - i, accumulate);
  copy_strided(b + i, 1, from + 2 * i + 1, 2, n - i, accumulate);
}

/// Sets to[r to_row + c] = from[r + c from_column], or adds it, for r < rows and c < columns: rows
/// of `to` are contiguous, and so are columns of `from`.
void transpose(float* to, int64_t to_row, const float* from, int64_t from_column, int64_t rows,
               int64_t columns, bool accumulate) {
  if (columns == 2 && to_row == 2) return zip(to, from, from + from_column, rows, accumulate);
  if (rows == 2 && from_column == 2) return unzip(to, to + to_row, from, columns, accumulate);
  int64_t whole_rows = 0, whole_columns = 0;
#if HWY_TARGET != HWY_SCALAR
  whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  if (accumulate)
    transpose_blocks<true>(to, to_row, from, from_column, rows, columns);
  else
    transpose_blocks<false>(to, to_row, from, from_column, rows, columns);
#endif
  for (int64_t r = 0; r < whole_rows; ++r)
    copy_strided(to + r * to_row + whole_columns, 1, from + r + whole_columns * from_column,
                 from_column, columns - whole_columns, accumulate);
  for (int64_t r = whole_rows; r < rows; ++r)
    copy_strided(to + r * to_row, 1, from + r, from_column, columns, accumulate);
}

/// Copies along axis `axis` and those within it.
void copy_axes(float* to, const float* from, const StridedCopy& copy, int axis) {
  const StridedCopy::Axis& own = copy.axes[static_cast<size_t>(axis)];
  const int left = copy.count - axis;
  if (left == 1) {
    if (own.to == 1 && own.from == 1) return copy_row(to, from, own.extent, copy.accumulate);
    return copy_strided(to, own.to, from, own.from, own.extent, copy.accumulate);
  }
  const StridedCopy::Axis& inner = copy.axes[static_cast<size_t>(axis + 1)];
  if (left == 2 && inner.to == 1 && own.from == 1)
    return transpose(to, own.to, from, inner.from, own.extent, inner.extent, copy.accumulate);
  for (int64_t i = 0; i < own.extent; ++i)
    copy_axes(to + i * own.to, from + i * own.from, copy, axis + 1);
}

void copy_all(float* to, const float* from, const StridedCopy& copy) {
  copy_axes(to, from, copy, 0);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(copy_all);

namespace {

/// The copy that a map is between its output and its input, the former's elements first.
struct Sides {
  StridedCopy copy;
  int64_t output_first, input_first;
};

/// Orders the axes so that the written side's strides fall, and the innermost but one is the read
/// side's contiguous axis where the innermost is not.
Sides sides_of(const StridedMap& map, bool writes_output, bool accumulate) {
  const StridedMap merged = map.merged();
  Sides sides{.copy = {.axes = {}, .count = 0, .accumulate = accumulate},
              .output_first = 0,
              .input_first = merged.offset};
  StridedCopy& copy = sides.copy;
  int64_t stride = 1;
  for (size_t k = StridedMap::kAxes; k-- > 0;) {
    const StridedMap::Axis& axis = merged.axes[k];
    sides.output_first += axis.begin * stride;
    const int64_t extent = axis.end - axis.begin;
    if (extent != 1)
      copy.axes[static_cast<size_t>(copy.count++)] =
          writes_output ? StridedCopy::Axis{extent, stride, axis.stride}
                        : StridedCopy::Axis{extent, axis.stride, stride};
    stride *= axis.extent;
  }
  if (copy.count == 0) copy.axes[static_cast<size_t>(copy.count++)] = {1, 1, 1};
  const auto end = copy.axes.begin() + copy.count;
  std::stable_sort(copy.axes.begin(), end,
                   [](const auto& a, const auto& b) { return std::abs(a.to) > std::abs(b.to); });
  const auto contiguous =
      std::find_if(copy.axes.begin(), end, [](const auto& axis) { return axis.from == 1; });
  if (contiguous < end - 1) std::rotate(contiguous, contiguous + 1, end - 1);
  return sides;
}

/// Calls work(first element of image n's output, of its input) for every image.
template <class Work>
void for_each_image(const Tensor& output, const Tensor& input, const Work& work) {
  const int64_t images = input.dim(0);
  for (int64_t n = 0; n < images; ++n)
    work(output.data<float>() + n * (output.size() / images),
         input.data<float>() + n * (input.size() / images));
}

void zero(float* at, int64_t n) {
  std::fill_n(at, n, 0.0F);
}

void forward(const RearrangeArgs& args, Context&) {
  const Sides sides = sides_of(args.map, /*writes_output=*/true, /*accumulate=*/false);
  const int64_t size = args.map.size(), read = args.map.read_size();
  for_each_image(args.y, args.x, [&](float* y, const float* x) {
    if (read < size) zero(y, size);
    if (read > 0)
      HWY_DYNAMIC_DISPATCH(copy_all)(y + sides.output_first, x + sides.input_first, sides.copy);
  });
}

void backward(const RearrangeBackwardArgs& args, Context&) {
  const bool accumulate = args.write == Write::accumulate;
  const Sides sides = sides_of(args.map, /*writes_output=*/false, accumulate);
  const int64_t read = args.map.read_size();
  for_each_image(args.dy, args.dx, [&](const float* dy, float* dx) {
    const int64_t size = args.dx.size() / args.dx.dim(0);
    if (!accumulate && read < size) zero(dx, size);
    if (read > 0)
      HWY_DYNAMIC_DISPATCH(copy_all)(dx + sides.input_first, dy + sides.output_first, sides.copy);
  });
}

}  // namespace

void register_rearrange_highway(OpRegistry& registry) {
  registry.add<RearrangeArgs>({"highway", Device::cpu,
                               [](const RearrangeArgs& a) { return a.y.dtype() == DType::f32; },
                               forward});
  registry.add<RearrangeBackwardArgs>(
      {"highway", Device::cpu,
       [](const RearrangeBackwardArgs& a) { return a.dx.dtype() == DType::f32; }, backward});
}

}  // namespace topograd
#endif  // HWY_ONCE
