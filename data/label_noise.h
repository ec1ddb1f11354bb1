// Label noise: how networks that fit random labels are made (C. Zhang et al., "Understanding Deep
// Learning Requires Rethinking Generalization", ICLR 2017).
#pragma once

#include <cstdint>

#include "kernels/core/tensor.h"

namespace topograd {

/// Returns a copy of `labels`, i32 [N] on the CPU, in which exactly round(fraction * N) images have
/// got a class drawn uniformly from all `classes`, the true one among them, as in the paper: of ten
/// classes, a tenth of them keep theirs by chance. Seed, image index and N decide which images are
/// relabelled; seed and image index decide the class. The images of a smaller fraction are among
/// those of a larger one, with the same new labels. Throws Error for a fraction outside [0, 1].
Tensor noisy_labels(const Tensor& labels, int64_t classes, double fraction, uint64_t seed);

}  // namespace topograd
