// Division by a number that is known before a kernel starts: by multiplication.
//
// A kernel that walks a tensor by flat index asks for i / C and i % C at every element. A GPU has
// no instruction for that: nvcc writes some 25 where both numbers turn out to fit into 32 bits, and
// some 80 otherwise, about what there is time for while memory delivers one element. Prepared on
// the host,
//   s = ceil(log2 d),  m = floor(2^(63 + s) / d) + 1,
// it takes a product of 64 by 64 bits and a shift, some 10 instructions:
//   floor(n / d) = floor(n m / 2^(63 + s))  for all 0 <= n < 2^63,
// for n m / 2^(63 + s) exceeds n / d by less than 1 / d, because m d exceeds 2^(63 + s) by at most
// 2^s. (T. Granlund and P. Montgomery, "Division by Invariant Integers using Multiplication", PLDI
// 1994.)
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace topograd {

class Divisor {
 public:
  /// Prepares a division by d. d < 1, the extent of an empty axis, counts as 1.
  explicit constexpr Divisor(int64_t d)
      : d_(std::max<int64_t>(d, 1)), shift_(std::bit_width(static_cast<uint64_t>(d_ - 1))) {
    factor_ = static_cast<uint64_t>((Wide{1} << (63 + shift_)) / static_cast<uint64_t>(d_) + 1);
  }

  /// Returns n / d for n >= 0.
  constexpr int64_t quotient(int64_t n) const {
    const Wide product = Wide{2 * static_cast<uint64_t>(n)} * factor_;
    return static_cast<int64_t>(static_cast<uint64_t>(product >> 64) >> shift_);
  }
  /// Returns n % d for n >= 0.
  constexpr int64_t remainder(int64_t n) const { return n - quotient(n) * d_; }

  /// Quotient and remainder, for n >= 0.
  struct Parts {
    int64_t quotient, remainder;
  };
  constexpr Parts divide(int64_t n) const {
    const int64_t q = quotient(n);
    return {q, n - q * d_};
  }

 private:
  using Wide = unsigned __int128;
  int64_t d_;
  int shift_;
  uint64_t factor_ = 0;
};

/// A divisor of indices that fit an int, by a product of 32 by 32 bits and a shift. With
///   s = ceil(log2 d),  m = floor(2^(31 + s) / d) + 1 < 2^32  for 1 <= d < 2^31,
/// n m / 2^(31 + s) exceeds n / d by less than 1 / d for all 0 <= n < 2^31.
class IntDivisor {
 public:
  /// Prepares a division by d; d < 1 counts as 1.
  explicit constexpr IntDivisor(int64_t d) {
    const auto divisor = static_cast<uint64_t>(std::max<int64_t>(d, 1));
    shift_ = 31 + std::bit_width(divisor - 1);
    factor_ = static_cast<uint32_t>((uint64_t{1} << shift_) / divisor + 1);
  }

  /// Returns n / d for n >= 0.
  constexpr int quotient(int n) const {
    return static_cast<int>(uint64_t{static_cast<uint32_t>(n)} * factor_ >> shift_);
  }

 private:
  uint32_t factor_ = 0;
  int shift_ = 0;
};

}  // namespace topograd
