// Where the numbers of filters lie so that a lane loads its share of a right operand in one
// instruction of 16 bytes.
#pragma once

#include <cstdint>

namespace topograd {

/// Filters [O, KH, KW, I] of `parts` parts, laid out
///   [O / 16][I / 16][parts][KW][KH][lane 32][8]
/// for mma.m16n8k16, where of 16 channels by 8 filters lane l holds channels 2 (l % 4) and the next
/// of filter l / 4, and the same eight channels further. The 8 numbers are those two pairs for the
/// filters 0 to 7 of sixteen, then for 8 to 15.
struct FragmentOrder {
  int chunks;  ///< I / 16, rounded up
  int parts, KH, KW;

  struct Place {
    int o, i, kh, kw, part;  ///< of the first of two neighbouring channels
  };
  /// Returns the number of pairs of one network's O filters.
  constexpr int64_t pairs(int64_t O) const { return O / 16 * chunks * parts * KW * KH * 128; }
  /// Returns what lies in the pair 2 * index, 2 * index + 1.
  constexpr Place place(int index) const {
    const int pair = index % 4, lane = index / 4 % 32;
    int rest = index / 128;
    const int kh = rest % KH;
    rest /= KH;
    const int kw = rest % KW;
    rest /= KW;
    const int part = rest % parts;
    rest /= parts;
    return {.o = rest / chunks * 16 + pair / 2 * 8 + lane / 4,
            .i = rest % chunks * 16 + pair % 2 * 8 + lane % 4 * 2,
            .kh = kh,
            .kw = kw,
            .part = part};
  }
};

}  // namespace topograd
