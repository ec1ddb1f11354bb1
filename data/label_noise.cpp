#include "data/label_noise.h"

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/core/check.h"
#include "kernels/core/philox.h"

namespace topograd {

Tensor noisy_labels(const Tensor& labels, int64_t classes, double fraction, uint64_t seed) {
  require(fraction >= 0 && fraction <= 1, "a label noise of ", fraction,
          ": it is a fraction of the labels, 0 to 1");
  require(labels.dtype() == DType::i32,
          "label noise replaces classes by others: these images have numbers");
  const int64_t count = labels.size();
  const int64_t chosen = std::llround(fraction * static_cast<double>(count));
  const Philox choice(seed, RandomStream::label_noise, 0),
      label(seed, RandomStream::label_noise, 1);
  // The beginning of a random permutation (R. Durstenfeld, "Algorithm 235", 1964).
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  const Tensor noisy = labels.clone();
  for (int64_t i = 0; i < chosen; ++i) {
    const int64_t j = i + choice.below(static_cast<uint64_t>(i), static_cast<uint32_t>(count - i));
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(j)]);
    const int64_t image = order[static_cast<size_t>(i)];
    noisy.data<int32_t>()[image] = static_cast<int32_t>(
        label.below(static_cast<uint64_t>(image), static_cast<uint32_t>(classes)));
  }
  return noisy;
}

}  // namespace topograd
