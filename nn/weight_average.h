// Averages of a network's weights over its training.
#pragma once

#include "nn/batch_loader.h"
#include "nn/network.h"

namespace topograd {

/// Moves an average: average += weight * (value - average), as (1 - weight) * average + weight *
/// value: two roundings to float. With weight 1 the average becomes the value, to the bit. Both
/// f32, on the context's device.
///
/// An exponential moving average has the same weight, 1 - decay, in every step but the first, which
/// has 1 (as torch.optim.swa_utils.AveragedModel). The average of stochastic weight averaging
/// (Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018)
/// over n values gives the n-th the weight 1 / n: all count the same.
void move_average(const Tensor& average, const Tensor& value, double weight, Context& context);

/// Computes BatchNorm's running statistics for weights that no training step has seen: the mean of
/// every batch's mean and (unbiased) variance over one epoch of `batches`, each batch counted by
/// its images. [state_count], on the pool's device.
Tensor recomputed_statistics(Network& network, const Tensor& theta, BatchLoader& batches,
                             int64_t epoch, ThreadPool& pool);

}  // namespace topograd
