// The order in which loss_sums adds, shared by its implementations: the same bits whichever runs.
#pragma once

#include <cstdint>

namespace topograd {

/// Image n goes to partial sum n % 256, images in order; the partial sums are added by halves: i +
/// 128 to i for i < 128, i + 64 to i for i < 64, ... A block of 256 threads on a GPU, and errors
/// that grow with N / 256 + 8 additions instead of N.
constexpr int64_t kLossPartialSums = 256;

}  // namespace topograd
