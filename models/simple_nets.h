// Two networks for a first lesson.
#pragma once

#include "nn/graph.h"

namespace topograd {

struct FirstLessonOptions {
  Activation activation = Activation::relu;
  int64_t classes = 10;
  Shape image = {32, 32, 3};
};

/// Builds `layers` fully connected layers, with `width` units between two.
Graph mlp(int layers, int64_t width, const FirstLessonOptions& options);

/// Builds LeNet-5 (Y. LeCun et al., "Gradient-based learning applied to document recognition",
/// 1998) as it is taught today: two 5x5 convolutions with max pools, three fully connected layers.
Graph lenet(const FirstLessonOptions& options);

}  // namespace topograd
