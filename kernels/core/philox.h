// Philox4x32-10, a counter-based random generator: J. Salmon et al., "Parallel Random Numbers: As
// Easy as 1, 2, 3", SC 2011. The number at (seed, stream, index) is a pure function of the three,
// so any thread may compute any number, in any order, and a run can resume without saved state.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace topograd {

/// Purpose of a stream of random numbers. Distinct streams of one seed are independent.
enum class RandomStream : uint32_t {
  initialisation = 1,
  shuffle = 2,
  augmentation = 3,
  direction = 4,
  synthetic_data = 5,
  test = 6,
  label_noise = 7,
  probe = 8,  ///< vectors that a matrix is probed with
  dropout = 9,
};

/// Returns four random words for four words of counter: the bijection, ten rounds under a key.
constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                             std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9;  // the golden ratio
    key[1] += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

/// Returns a standard normal from two uniforms, u in (0, 1] and v (G. Box and M. Muller,
/// 1958). constexpr so that nvcc lets kernels call it; a template because nothing else may be
/// constexpr in name only.
template <class Real>
constexpr Real box_muller(Real u, Real v) {
  return std::sqrt(Real(-2) * std::log(u)) * std::cos(Real(2) * std::numbers::pi_v<Real> * v);
}

class Philox {
 public:
  /// `substream` tells apart uses within one stream: the epoch of a shuffle, the number of a
  /// direction, the tensor being initialised.
  constexpr Philox(uint64_t seed, RandomStream stream, uint32_t substream = 0)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
        stream_(static_cast<uint32_t>(stream)),
        substream_(substream) {}

  /// What philox4x32 makes words of, for code that does so for many at once.
  struct Block {
    std::array<uint32_t, 4> counter;
    std::array<uint32_t, 2> key;
  };
  constexpr Block block(uint64_t index) const {
    return {{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), substream_, stream_},
            key_};
  }
  /// Returns four independent 32-bit words for counter `index`.
  constexpr std::array<uint32_t, 4> words(uint64_t index) const {
    const Block at = block(index);
    return philox4x32(at.counter, at.key);
  }

  /// Returns a uniform number in [0, 1) with 53 bits.
  constexpr double uniform(uint64_t index) const {
    const auto w = words(index);
    return static_cast<double>(((uint64_t{w[1]} << 32 | w[0]) >> 11)) * 0x1p-53;
  }

  /// Returns a uniform integer in [0, bound), bias below 2^-32 * bound.
  constexpr uint32_t below(uint64_t index, uint32_t bound) const {
    return static_cast<uint32_t>((uint64_t{words(index)[0]} * bound) >> 32);
  }

  /// Two independent uniforms with 53 bits each.
  struct Uniforms {
    double u;  ///< in (0, 1]: its logarithm is finite
    double v;  ///< in [0, 1)
  };
  constexpr Uniforms uniforms(uint64_t index) const {
    const auto w = words(index);
    const uint64_t a = (uint64_t{w[1]} << 32 | w[0]) >> 11;
    const uint64_t b = (uint64_t{w[3]} << 32 | w[2]) >> 11;
    return {static_cast<double>(a + 1) * 0x1p-53, static_cast<double>(b) * 0x1p-53};
  }

  /// Returns a standard normal number.
  double normal(uint64_t index) const {
    const auto [u, v] = uniforms(index);
    return box_muller(u, v);
  }

 private:
  std::array<uint32_t, 2> key_;
  uint32_t stream_;
  uint32_t substream_;
};

}  // namespace topograd
