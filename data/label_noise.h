// Label noise: how networks that fit random labels are made (C. Zhang et al., "Understanding Deep
// Learning Requires Rethinking Generalization", ICLR 2017).
#pragma once

#include <cstdint>

#include "kernels/core/tensor.h"

namespace topograd {

/// A copy of `labels`, i32 [N] on the CPU, in which exactly round(fraction * N) images have got a
/// class drawn uniformly from all `classes`, the true one among them, as in the paper: of ten
/// classes, a tenth of them keep theirs by chance. Which images is decided by the seed, the image's
/// index and N, which class by the seed and the image's index: nothing else matters. The images of
/// a smaller fraction are among those of a larger one, with the same new labels. A fraction outside
/// [0, 1] is an Error.
Tensor noisy_labels(const Tensor& labels, int64_t classes, double fraction, uint64_t seed);

}  // namespace topograd
