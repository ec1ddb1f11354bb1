// BatchLoader: the batches of a training run, gathered, cropped, flipped and normalised.
#pragma once

#include <memory>
#include <vector>

#include "kernels/augment/labelled_images.h"
#include "kernels/core/thread_pool.h"

namespace topograd {

/// Settings that decide the batches, beside the images.
struct BatchPlan {
  int64_t batch_size = 128;
  bool augment = true;  ///< random crop with padding 4, horizontal flip
  bool flip = true;     ///< false: augment crops alone
  uint64_t seed = 1;
};

/// A batch on the device that trains, in the loader's memory.
struct MiniBatch {
  Tensor images;  ///< f32 [n, H, W, C], normalised
  Tensor labels;  ///< i32 [n], or numbers f32 [n, C]
  int64_t count() const { return labels.dim(0); }
};

/// Thread that prepares a batch: off, the pool's threads when it is asked for; on, a thread of its
/// own while the batch before is being computed with. The batches are the same to the bit.
///
/// There is little to gain: one thread prepares 128 images of 32x32x3 in 0.4 to 0.6 ms, of a step's
/// 290 ms with ResNet-20 (on one thread of two) and of 12 to 15 ms with LeNet or the MLP. On a
/// machine with two processors and other work, steps with prefetching and without, timed in turn,
/// took the same: medians of the ratio off/on of 0.99 to 1.03, quartiles from 0.95 to 1.09.
enum class Prefetch { off, on };

/// Chooses Prefetch::on where the pool leaves a processor over: it can save those milliseconds and
/// takes none away.
Prefetch prefetch_beside(const ThreadPool& pool);

class BatchLoader {
 public:
  /// Prepares batches of `images`, which must outlive the loader, as must `pool`. The pixels are
  /// copied to a device that is not the CPU. Such a device prepares its batches itself, in the
  /// order of its other work: there is no thread then, whatever `prefetch` says.
  BatchLoader(const LabelledImages& images, const BatchPlan& plan, ThreadPool& pool,
              Prefetch prefetch = Prefetch::off);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  int64_t image_count() const;
  int64_t steps_per_epoch() const;
  /// Returns the number of images in every batch but an epoch's last, which may be smaller.
  int64_t largest_batch() const;

  /// Returns the batch of a step, in [0, steps_per_epoch()), of an epoch; an epoch's last one may
  /// be smaller. What happens to an image depends on the seed, the epoch and the image alone. Valid
  /// until the next call. Any step may be asked for; with Prefetch::on the one that follows the
  /// last is ready the soonest. Throws the error that preparing this batch ended with, on whatever
  /// thread.
  MiniBatch batch(int64_t epoch, int64_t step);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Order in which an epoch visits `count` images: a permutation of 0 to count - 1.
std::vector<int32_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch);

}  // namespace topograd
