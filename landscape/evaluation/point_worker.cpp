#include "landscape/evaluation/point_worker.h"

#include <cstring>

namespace topograd {

bool BoundPosition::is(const PlanePosition& other, size_t its_plane) const {
  return plane == its_plane && std::memcmp(&position, &other, sizeof position) == 0;
}

std::vector<LossSums> sums_of(const Tensor& logits, const Tensor& labels,
                              const std::vector<Loss>& wanted, Context& context) {
  const int64_t n = labels.dim(0);
  const Tensor losses({n}, logits.dtype());
  const Tensor correct({n}, DType::i32);
  std::vector<LossSums> all;
  for (const Loss& loss : wanted) {
    loss_forward(
        {.losses = losses, .correct = correct, .logits = logits, .labels = labels, .loss = loss},
        context);
    LossSums& sums = all.emplace_back();
    sums.count = n;
    with_real_type(losses.dtype(), [&](auto real) {
      for (int64_t i = 0; i < n; ++i) {
        const double value = losses.data<decltype(real)>()[i];
        sums.loss += value;
        sums.loss_squares += value * value;
        sums.correct += correct.data<int32_t>()[i];
      }
    });
  }
  return all;
}

}  // namespace topograd
