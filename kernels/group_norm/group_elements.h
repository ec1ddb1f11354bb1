// Elements of a group of an image one after the other, shared by the kernels of group_norm.
#pragma once

#include "kernels/core/divisor.h"
#include "kernels/group_norm/group_norm.h"
#include "kernels/layer_norm/row_statistics.h"

namespace topograd::TOPOGRAD_BACKEND {

/// A group's element i lies i / K pixels on, K the group's channels, at its channel i % K.
struct Groups {
  int64_t count, size, pixels, channels, group_channels, groups;
  Divisor by_channels;

  explicit Groups(const GroupExtents& e)
      : count(e.images * e.groups),
        size(e.group_size()),
        pixels(e.pixels),
        channels(e.channels),
        group_channels(e.group_channels()),
        groups(e.groups),
        by_channels(e.group_channels()) {}

  /// Returns the first element of group r, counted through the images.
  __device__ int64_t begin(int64_t r) const {
    return r / groups * pixels * channels + first_channel(r);
  }
  __device__ int64_t first_channel(int64_t r) const { return r % groups * group_channels; }
  /// Place of a group's element i behind its first one.
  struct Place {
    int64_t offset, channel;
  };
  __device__ Place place(int64_t i) const {
    const auto [pixel, channel] = by_channels.divide(i);
    return {pixel * channels + channel, channel};
  }
};

/// One group of an array, as a row.
struct GroupElements {
  const float* first;
  const Groups& groups;
  __device__ float operator[](int64_t i) const { return first[groups.place(i).offset]; }
};

}  // namespace topograd::TOPOGRAD_BACKEND
