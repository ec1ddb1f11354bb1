#include "kernels/dropout/dropout.h"

#include "kernels/core/numbers.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

const Philox kRandom(7, RandomStream::dropout, 3);
constexpr DropoutUnit kUnits[] = {DropoutUnit::element, DropoutUnit::channel, DropoutUnit::image};

/// Returns m of a tensor of this shape, by the reference.
Tensor mask_of(const Shape& shape, DropoutUnit unit, double keep, uint64_t first = 0,
               const Philox& random = kRandom) {
  const Tensor x(shape), y(shape);
  std::fill_n(x.data<float>(), x.size(), 1.0F);
  Context context;
  dropout({.y = y, .x = x, .unit = unit, .random = random, .first = first, .keep = keep}, context);
  return y;
}

}  // namespace

// Implementations draw the reference's words and take one product and at most one sum: in float they
// are the reference's to the bit, in double to a rounding of 1 / keep, the product and the sum.
TEST_CASE("dropout: every implementation equals the reference") {
  const Shape shapes[] = {{0, 2, 3}, {1, 1}, {3, 7}, {2, 3, 5, 7}, {3, 5, 5, 33}, {2, 30, 20, 3}};
  for (const Shape& shape : shapes)
    for (DropoutUnit unit : kUnits)
      // Groups of four words that begin before the tensor; counters around 2^32.
      for (uint64_t first : {uint64_t{0}, uint64_t{5}, (uint64_t{1} << 34) - 37})
        for (double keep : {0.0, 0.3, 1.0})
          check_op<DropoutArgs>(
              text(shape, " from ", first, ", keep ", keep),
              [&](Operands& o) {
                const Write write = keep == 0.3 ? Write::accumulate : Write::overwrite;
                return DropoutArgs{.y = o.output(shape, write),
                                   .x = o.normal(shape),
                                   .unit = unit,
                                   .random = kRandom,
                                   .first = first,
                                   .keep = keep,
                                   .write = write};
              },
              3e-7);
}

TEST_CASE("dropout: every implementation drops the same units, to the bit, in place too") {
  const Shape shape{3, 5, 5, 33};
  for (DropoutUnit unit : kUnits) {
    const Tensor expected = mask_of(shape, unit, 0.3, 6);
    for_each_execution<DropoutArgs>(
        [&](const auto& implementation, const Execution& execution, Context& context) {
          const Tensor ones(shape);
          std::fill_n(ones.data<float>(), ones.size(), 1.0F);
          const Tensor there = ones.to(implementation.device).clone().to(implementation.device);
          implementation.run(
              {.y = there, .x = there, .unit = unit, .random = kRandom, .first = 6, .keep = 0.3},
              context);
          CHECK_MESSAGE(
              std::memcmp(there.to(Device::cpu).raw(), expected.raw(), at(expected.bytes())) == 0,
              implementation.name, " on ", execution.describe());
        });
  }
}

TEST_CASE("dropout: more elements than a grid has threads") {
  const Shape shape{2, 700, 3001};
  for (DropoutUnit unit : {DropoutUnit::element, DropoutUnit::channel})
    check_op<DropoutArgs>(
        "dropout",
        [&](Operands& o) {
          return DropoutArgs{
              .y = o.output(shape), .x = o.pattern(shape), .unit = unit, .random = kRandom};
        },
        3e-7);
}

TEST_CASE("dropout: images that come in pieces are dropped as they are together") {
  const Shape image{5, 7, 3};
  for (DropoutUnit unit : kUnits) {
    const Tensor whole = mask_of({6, 5, 7, 3}, unit, 0.4);
    for (int64_t begin : {0, 1, 4}) {
      const auto first = static_cast<uint64_t>(begin * dropout_units(unit, image));
      const Tensor part = mask_of({2, 5, 7, 3}, unit, 0.4, first);
      CHECK(std::memcmp(part.raw(), whole.rows(begin, begin + 2).raw(), at(part.bytes())) == 0);
    }
  }
}

// The number of units kept of n has a deviation of sqrt(n keep (1 - keep)); five of them are passed
// once in two million draws, and these are the same ones every time.
TEST_CASE("dropout: units are kept at their rate, and neighbours independently of one another") {
  const int64_t n = 100000;
  for (double keep : {0.1, 0.5, 0.9}) {
    CAPTURE(keep);
    const Tensor mask = mask_of({1, n}, DropoutUnit::element, keep);
    int64_t kept = 0, pairs = 0;
    for (int64_t i = 0; i < n; ++i) {
      const float m = mask.data<float>()[i];
      CHECK_UNARY(m == 0 || m == static_cast<float>(1 / keep));
      kept += m != 0;
      pairs += i > 0 && m != 0 && mask.data<float>()[i - 1] != 0;
    }
    const auto within = [&](int64_t count, double rate) {
      const double size = static_cast<double>(n);
      return std::abs(static_cast<double>(count) - size * rate) <=
             5 * std::sqrt(size * rate * (1 - rate));
    };
    CHECK(within(kept, keep));
    CHECK(within(pairs, keep * keep));
  }
}

TEST_CASE("dropout: channels and images are dropped whole, and other streams drop others") {
  const Tensor channels = mask_of({4, 3, 3, 50}, DropoutUnit::channel, 0.5);
  for (int64_t n = 0; n < 4; ++n)
    for (int64_t p = 1; p < 9; ++p)
      CHECK(std::memcmp(channels.data<float>() + n * 450, channels.data<float>() + n * 450 + p * 50,
                        50 * sizeof(float)) == 0);
  CHECK(std::memcmp(channels.data<float>(), channels.data<float>() + 450, 50 * sizeof(float)) != 0);
  const Tensor images = mask_of({64, 9}, DropoutUnit::image, 0.5);
  int64_t kept = 0;
  for (int64_t n = 0; n < 64; ++n) {
    for (int64_t i = 1; i < 9; ++i)
      CHECK(images.data<float>()[n * 9 + i] == images.data<float>()[n * 9]);
    kept += images.data<float>()[n * 9] != 0;
  }
  CHECK(kept > 16);
  CHECK(kept < 48);
  const Tensor other =
      mask_of({64, 9}, DropoutUnit::element, 0.5, 0, Philox(7, RandomStream::dropout, 4));
  const Tensor one = mask_of({64, 9}, DropoutUnit::element, 0.5);
  CHECK(std::memcmp(one.raw(), other.raw(), at(one.bytes())) != 0);
}

TEST_CASE("dropout: what makes no sense is refused") {
  Context context;
  const Tensor x({2, 3});
  CHECK_THROWS_WITH_AS(dropout({.y = x, .x = x, .random = kRandom, .keep = 1.5}, context),
                       "dropout: the probability to keep is in [0, 1], got 1.5", Error);
  CHECK_THROWS_AS(dropout({.y = Tensor({3, 2}), .x = x, .random = kRandom}, context), Error);
}
