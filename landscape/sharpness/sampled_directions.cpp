#include "landscape/sharpness/sampled_directions.h"

#include <cmath>
#include <utility>

#include "kernels/core/philox.h"
#include "kernels/random/random_normal.h"
#include "landscape/directions/direction.h"

namespace topograd {

namespace {

constexpr int64_t kMaxBytesKept = int64_t{512} << 20;

}  // namespace

SampledDirections::SampledDirections(int count, Draw draw)
    : draw_(std::move(draw)), kept_(static_cast<size_t>(count)) {}

Tensor SampledDirections::operator[](int number) const {
  Tensor& kept = kept_[static_cast<size_t>(number)];
  if (kept.defined()) return kept;
  const Tensor drawn = draw_(static_cast<uint32_t>(number));
  if (bytes_ + drawn.bytes() <= kMaxBytesKept) {
    bytes_ += drawn.bytes();
    kept = drawn;
  }
  return drawn;
}

SampledDirections filter_normalised_directions(const ParameterLayout& layout, const Tensor& theta,
                                               int count, uint64_t seed) {
  return {count, [&layout, theta, seed](uint32_t number) {
            return random_direction(layout, theta, {}, seed, number).parameters;
          }};
}

SampledDirections normal_directions(const ParameterLayout& layout, const Tensor& theta,
                                    bool of_magnitude, int count, uint64_t seed) {
  return {count, [&layout, theta, of_magnitude, seed](uint32_t number) {
            // A stream of its own: not the numbers of the filter-normalised directions.
            const Philox random(seed, RandomStream::probe, (1u << 24) + number);
            const Tensor drawn({layout.parameter_count()}), d(drawn.shape());
            Context context;
            random_normal({.y = drawn, .random = random}, context);
            for (const ParameterEntry& entry : layout.parameters())
              from_torch_order(entry, drawn.data<float>() + entry.offset,
                               d.data<float>() + entry.offset);
            for (int64_t i = 0; of_magnitude && i < d.size(); ++i)
              d.data<float>()[i] *= std::abs(theta.data<float>()[i]);
            return d;
          }};
}

}  // namespace topograd
