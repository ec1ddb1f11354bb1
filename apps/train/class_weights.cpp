#include "apps/train/class_weights.h"

#include <algorithm>
#include <vector>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"

namespace topograd {

namespace {

Tensor balanced_weights(const Dataset& train) {
  require(train.labels.dtype() == DType::i32,
          "--class-weights balanced counts images by their class; these have numbers");
  const int64_t classes = train.classes();
  std::vector<int64_t> counts(at(classes));
  for (int64_t n = 0; n < train.count(); ++n) ++counts[at(train.labels.data<int32_t>()[n])];
  const Tensor weights({classes}, DType::f64);
  for (int64_t c = 0; c < classes; ++c) {
    require(counts[at(c)] > 0, "--class-weights balanced: class ", c, " has no training image");
    weights.data<double>()[c] =
        static_cast<double>(train.count()) / static_cast<double>(classes * counts[at(c)]);
  }
  return weights;
}

}  // namespace

Loss with_class_weights(Loss loss, const std::string& weights, const Dataset& train) {
  if (weights.empty()) return loss;
  require(!loss.class_weights.defined(), "--loss ", text_of(loss),
          " has weights of its own: leave out --class-weights");
  if (weights == "balanced") {
    loss.class_weights = balanced_weights(train);
  } else {
    std::string words = weights;
    std::replace(words.begin(), words.end(), ',', '/');
    loss.class_weights = loss_named("cross_entropy:weights=" + words).class_weights;
  }
  require(loss.class_weights.size() == train.classes(), "--class-weights has ",
          loss.class_weights.size(), " numbers, the images have ", train.classes(), " classes");
  loss.check();
  return loss;
}

}  // namespace topograd
