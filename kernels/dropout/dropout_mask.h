// Which units a dropout keeps: what all implementations share, on the CPU and in kernels.
#pragma once

#include "kernels/dropout/dropout.h"

namespace topograd {

/// The mask of one call, with x seen as [N, P, C]: P pixels an image.
struct DropoutMask {
  Philox random;
  uint64_t first;
  uint64_t threshold;  ///< a unit is kept where its word is below: keep 2^32
  float scale;         ///< 1 / keep, or 0 where nothing is kept

  explicit DropoutMask(const DropoutArgs& args)
      : random(args.random),
        first(args.first),
        threshold(static_cast<uint64_t>(args.keep * 0x1p32)),
        scale(args.keep > 0 ? static_cast<float>(1 / args.keep) : 0.0F) {}
  /// Returns the factors of the four units 4 group, 4 group + 1, ..., counted from unit 0 of
  /// `random`.
  constexpr std::array<float, 4> factors(uint64_t group) const {
    const std::array<uint32_t, 4> words = random.words(group);
    return {factor(words[0]), factor(words[1]), factor(words[2]), factor(words[3])};
  }
  /// Returns the factor of the tensor's unit u.
  constexpr float factor_of(int64_t u) const {
    const uint64_t unit = first + static_cast<uint64_t>(u);
    return factor(random.words(unit / 4)[unit % 4]);
  }

 private:
  constexpr float factor(uint32_t word) const { return word < threshold ? scale : 0.0F; }
};

}  // namespace topograd
