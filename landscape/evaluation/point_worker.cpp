#include "landscape/evaluation/point_worker.h"

#include <cstring>

namespace topograd {

bool BoundPosition::is(const PlanePosition& other, size_t its_plane) const {
  return plane == its_plane && std::memcmp(&position, &other, sizeof position) == 0;
}

std::vector<LossSums> sums_of(const Tensor& logits, const Tensor& labels,
                              const std::vector<LossKind>& kinds, Context& context) {
  const int64_t n = labels.dim(0);
  const Tensor losses({n}, logits.dtype());
  const Tensor correct({n}, DType::i32);
  std::vector<LossSums> all;
  for (LossKind kind : kinds) {
    loss_forward(
        {.losses = losses, .correct = correct, .logits = logits, .labels = labels, .kind = kind},
        context);
    LossSums& sums = all.emplace_back();
    sums.count = n;
    with_real_type(losses.dtype(), [&](auto real) {
      for (int64_t i = 0; i < n; ++i) {
        const double loss = losses.data<decltype(real)>()[i];
        sums.loss += loss;
        sums.loss_squares += loss * loss;
        sums.correct += correct.data<int32_t>()[i];
      }
    });
  }
  return all;
}

}  // namespace topograd
