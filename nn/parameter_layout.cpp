#include "nn/parameter_layout.h"

#include <algorithm>

namespace topograd {

namespace {

/// Whether PyTorch has the tensor's channels before its pixels.
bool has_pixels(const ParameterEntry& entry) {
  return entry.shape.rank() >= 3;
}

/// Calls f(index in OHWI, index in OIHW) for every element of a convolution's weight (of a transposed one
/// the letters O and I change places), or of an image, for which O is 1.
template <class F>
void for_each_index_pair(const Shape& shape, F f) {
  const int axis = shape.rank() - 3;
  const int64_t O = axis > 0 ? shape[0] : 1;
  const int64_t H = shape[axis], W = shape[axis + 1], I = shape[axis + 2];
  for (int64_t o = 0; o < O; ++o)
    for (int64_t h = 0; h < H; ++h)
      for (int64_t w = 0; w < W; ++w)
        for (int64_t i = 0; i < I; ++i)
          f(((o * H + h) * W + w) * I + i, ((o * I + i) * H + h) * W + w);
}

}  // namespace

Shape ParameterEntry::torch_shape() const {
  if (shape.rank() == 3) return {shape[2], shape[0], shape[1]};
  if (shape.rank() != 4) return shape;
  if (kind == ParameterKind::linear_weight) return {filters(), filter_size()};
  return {shape[0], shape[3], shape[1], shape[2]};
}

int64_t ParameterLayout::add(std::string name, ParameterKind kind, Shape shape, double initial) {
  const bool state = is_state(kind);
  constexpr double kMost = 1e12;
  double size = 1;
  for (int64_t extent : shape) size *= static_cast<double>(extent);
  require(size > 0 && size <= kMost, name, " would be of ", shape, ", which no memory holds");
  std::vector<ParameterEntry>& entries = state ? running_stats_ : parameters_;
  int64_t& count = state ? state_count_ : parameter_count_;
  for (const ParameterEntry& entry : state_dict_)
    require(entry.name != name, "two parameters are named '", name, "'");
  entries.push_back({std::move(name), kind, shape, count, initial});
  state_dict_.push_back(entries.back());
  count += shape.size();
  return static_cast<int64_t>(entries.size()) - 1;
}

template <class T>
void to_torch_order(const ParameterEntry& entry, const T* ours, T* torch) {
  if (has_pixels(entry))
    for_each_index_pair(entry.shape, [&](int64_t a, int64_t b) { torch[b] = ours[a]; });
  else
    std::copy_n(ours, entry.size(), torch);
}

template <class T>
void from_torch_order(const ParameterEntry& entry, const T* torch, T* ours) {
  if (has_pixels(entry))
    for_each_index_pair(entry.shape, [&](int64_t a, int64_t b) { ours[a] = torch[b]; });
  else
    std::copy_n(torch, entry.size(), ours);
}

template void to_torch_order(const ParameterEntry&, const float*, float*);
template void to_torch_order(const ParameterEntry&, const double*, double*);
template void from_torch_order(const ParameterEntry&, const float*, float*);
template void from_torch_order(const ParameterEntry&, const double*, double*);

}  // namespace topograd
