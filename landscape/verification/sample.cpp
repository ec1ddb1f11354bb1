#include "landscape/verification/sample.h"

#include <algorithm>
#include <limits>

#include "kernels/core/check.h"
#include "kernels/core/philox.h"

namespace topograd {

PointSample points_done(const Record& record) {
  PointSample points;
  for (const NamedArray& array : record.arrays) {
    if (array.type != NamedArray::Type::mask) continue;
    for (size_t i = 0; i < array.numbers.size(); ++i)
      if (array.numbers[i] != 0) points[array.name].push_back(static_cast<int64_t>(i));
  }
  return points;
}

int64_t count_of(const PointSample& points) {
  int64_t count = 0;
  for (const auto& [mask, indices] : points) count += static_cast<int64_t>(indices.size());
  return count;
}

PointSample sample_of(const PointSample& points, int64_t count, uint64_t seed) {
  const Philox random(seed, RandomStream::shuffle);
  // Selection sampling (Knuth, TAOCP 2, 3.4.2, algorithm S): each point is taken with the
  // probability that leaves all sets of the wanted size equally likely.
  int64_t left = count_of(points), wanted = std::min(count, left);
  PointSample sample;
  uint64_t number = 0;
  for (const auto& [mask, indices] : points)
    for (const int64_t index : indices) {
      if (random.uniform(number++) * static_cast<double>(left--) >= static_cast<double>(wanted))
        continue;
      sample[mask].push_back(index);
      --wanted;
    }
  return sample;
}

Record without(Record record, const PointSample& points) {
  for (const auto& [mask, indices] : points) {
    const NamedArray* found = record.find(mask);
    require(found != nullptr, record.file, " lacks ", mask);
    for (NamedArray& array : record.arrays) {
      if (array.name != mask && array.mask != mask) continue;
      for (const int64_t i : indices)
        array.numbers.at(static_cast<size_t>(i)) =
            array.name == mask ? 0 : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return record;
}

double probability_of_noticing(int64_t points, int64_t sampled, int64_t altered) {
  double missed = 1;
  for (int64_t k = 0; k < sampled; ++k) {
    if (points - altered - k <= 0) return 1;
    missed *= static_cast<double>(points - altered - k) / static_cast<double>(points - k);
  }
  return 1 - missed;
}

int64_t fewest_noticed(int64_t points, int64_t sampled, double probability) {
  int64_t low = 1, high = std::max<int64_t>(1, points);
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (probability_of_noticing(points, sampled, middle) >= probability)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

}  // namespace topograd
