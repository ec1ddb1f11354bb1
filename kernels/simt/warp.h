// Collective operations, at which threads meet: barriers, shuffles, votes, reductions.
//
// A collective is one function: every lane brings a slot, the last lane to arrive computes all
// results. Barriers order memory; shuffles, votes and reductions do not, as in PTX.
#pragma once

#include <type_traits>

#include "kernels/simt/runtime.h"

namespace topograd::simt {

namespace emulator {

template <class T>
struct ShuffleSlot {
  T in, out;
  int source;  // lane
  Place place;
};

template <class T>
TOPOGRAD_SIMT_UNWATCHED void serve_shuffle(void** slots, unsigned lanes) {
  for (int lane = 0; lane < 32; ++lane) {
    if (!(lanes >> lane & 1)) continue;
    auto& to = *static_cast<ShuffleSlot<T>*>(slots[lane]);
    if (!(lanes >> to.source & 1)) fail_absent_source(to.place, to.source);
    to.out = static_cast<ShuffleSlot<T>*>(slots[to.source])->in;
  }
}

/// Returns `value` of the lane `source` of the warp.
template <class T>
TOPOGRAD_SIMT_UNWATCHED T shuffle(unsigned mask, T value, int source, const char* operation,
                                  Place place) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8,
                "CUDA shuffles numbers of up to 8 bytes");
  ShuffleSlot<T> slot{value, value, source, place};
  meet_warp(mask, operation, place, &slot, serve_shuffle<T>);
  return slot.out;
}

template <class Combine, class T>
TOPOGRAD_SIMT_UNWATCHED void serve_reduction(void** slots, unsigned lanes) {
  T result{};
  bool first = true;
  for (int lane = 0; lane < 32; ++lane) {
    if (!(lanes >> lane & 1)) continue;
    const T next = *static_cast<T*>(slots[lane]);
    result = first ? next : Combine{}(result, next);
    first = false;
  }
  for (int lane = 0; lane < 32; ++lane)
    if (lanes >> lane & 1) *static_cast<T*>(slots[lane]) = result;
}

/// Returns the sum, or whatever `Combine` makes, of all lanes' values.
template <class Combine, class T>
T reduce_warp(unsigned mask, T value, const char* operation, Place place) {
  meet_warp(mask, operation, place, &value, serve_reduction<Combine, T>);
  return value;
}

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a + b);
  }
};
struct BitOr {
  unsigned operator()(unsigned a, unsigned b) const { return a | b; }
};
struct Maximum {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};
struct Minimum {
  template <class T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

TOPOGRAD_SIMT_UNWATCHED inline void serve_count(void** slots, int threads) {
  int count = 0;
  for (int thread = 0; thread < threads; ++thread) count += *static_cast<int*>(slots[thread]);
  for (int thread = 0; thread < threads; ++thread) *static_cast<int*>(slots[thread]) = count;
}

/// Returns the number of threads of the block whose predicate holds, at a barrier.
inline int count_block(bool predicate, const char* operation, Place place) {
  int value = predicate;
  meet_block(operation, place, &value, serve_count);
  return value;
}

}  // namespace emulator

inline void __syncthreads(emulator::Place place = emulator::Place::here()) {
  emulator::meet_block("__syncthreads", place, nullptr, nullptr);
}
inline int __syncthreads_count(int predicate, emulator::Place place = emulator::Place::here()) {
  return emulator::count_block(predicate != 0, "__syncthreads_count", place);
}
inline int __syncthreads_and(int predicate, emulator::Place place = emulator::Place::here()) {
  return emulator::count_block(predicate == 0, "__syncthreads_and", place) == 0;
}
inline int __syncthreads_or(int predicate, emulator::Place place = emulator::Place::here()) {
  return emulator::count_block(predicate != 0, "__syncthreads_or", place) != 0;
}

inline void __syncwarp(unsigned mask = ~0u, emulator::Place place = emulator::Place::here()) {
  emulator::meet_warp(mask, "__syncwarp", place, nullptr, nullptr);
}

// Which lane each shuffle reads, from PTX's description of shfl.sync: a warp is cut into segments
// of `width` lanes (a power of two), and a lane whose source would leave its segment reads itself.
// For an exclusive or, only sources in later segments count as outside.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              emulator::Place place = emulator::Place::here()) {
  const int segment = emulator::lane_id() & ~(width - 1);
  return emulator::shuffle(mask, value, segment | (source & (width - 1)), "__shfl_sync", place);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 emulator::Place place = emulator::Place::here()) {
  const int lane = emulator::lane_id();
  const int source = lane - static_cast<int>(delta);
  const bool inside = (lane & (width - 1)) >= static_cast<int>(delta);
  return emulator::shuffle(mask, value, inside ? source : lane, "__shfl_up_sync", place);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   emulator::Place place = emulator::Place::here()) {
  const int lane = emulator::lane_id();
  const int source = lane + static_cast<int>(delta);
  const bool inside = (lane & (width - 1)) + static_cast<int>(delta) < width;
  return emulator::shuffle(mask, value, inside ? source : lane, "__shfl_down_sync", place);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32,
                  emulator::Place place = emulator::Place::here()) {
  const int lane = emulator::lane_id();
  const int source = lane ^ lane_mask;
  const bool inside = source / width <= lane / width;
  return emulator::shuffle(mask, value, inside ? source : lane, "__shfl_xor_sync", place);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              emulator::Place place = emulator::Place::here()) {
  const unsigned bit = predicate ? 1u << emulator::lane_id() : 0u;
  return emulator::reduce_warp<emulator::BitOr>(mask, bit, "__ballot_sync", place);
}
inline int __any_sync(unsigned mask, int predicate,
                      emulator::Place place = emulator::Place::here()) {
  const unsigned holds = predicate != 0;
  return static_cast<int>(emulator::reduce_warp<emulator::BitOr>(mask, holds, "__any_sync", place));
}
inline int __all_sync(unsigned mask, int predicate,
                      emulator::Place place = emulator::Place::here()) {
  const unsigned fails = predicate == 0;
  return !emulator::reduce_warp<emulator::BitOr>(mask, fails, "__all_sync", place);
}

template <class T>
concept ReducedInteger = std::is_same_v<T, int> || std::is_same_v<T, unsigned>;

template <ReducedInteger T>
T __reduce_add_sync(unsigned mask, T value, emulator::Place place = emulator::Place::here()) {
  return emulator::reduce_warp<emulator::Add>(mask, value, "__reduce_add_sync", place);
}
template <ReducedInteger T>
T __reduce_max_sync(unsigned mask, T value, emulator::Place place = emulator::Place::here()) {
  return emulator::reduce_warp<emulator::Maximum>(mask, value, "__reduce_max_sync", place);
}
template <ReducedInteger T>
T __reduce_min_sync(unsigned mask, T value, emulator::Place place = emulator::Place::here()) {
  return emulator::reduce_warp<emulator::Minimum>(mask, value, "__reduce_min_sync", place);
}

}  // namespace topograd::simt
