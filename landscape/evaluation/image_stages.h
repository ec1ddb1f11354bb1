// ImageStages: the images a point is evaluated on, in chunks and stages, with early stopping.
#pragma once

#include "landscape/evaluation/evaluation.h"

namespace topograd {

/// A range of one set's images.
struct ImageChunk {
  size_t set = 0;
  int64_t begin = 0, end = 0;
};

/// Images of all sets in one stage; or, with a target for the standard error, in stages that end
/// at 256, 512, 1024, ... images of each set, up to all of them. Sequential sampling: whether a set
/// needs more images is decided from the sums of whole stages only, so it is the same for any
/// number of threads.
///
/// Stopping on the mean's own standard error biases the mean slightly: samples that happen to lack
/// large losses have a small error and stop early, so means tend to be low, the more so the longer
/// the tail of the losses. Doubling stages, the first of 256, mean few decisions and no tiny
/// samples, which keeps the bias small beside the target; it is not zero. The standard error is
/// that of independent images: for a stratified choice it is too large.
class ImageStages {
 public:
  static constexpr int64_t kFirstStage = 256;

  /// Makes chunks of at most chunk_images images; target_se 0: one stage. Throws Error if a set is
  /// empty.
  ImageStages(std::span<const LabelledImages> sets, int64_t chunk_images, double target_se);

  size_t sets() const { return counts_.size(); }
  size_t stages() const { return stages_.size(); }
  /// Returns the chunks of all sets in a stage, in the order of each set's images.
  const std::vector<ImageChunk>& chunks(size_t stage) const { return stages_[stage]; }
  /// Returns the number of images at which each stage ends; a smaller set ends earlier.
  const std::vector<int64_t>& ends() const { return ends_; }
  /// Returns whether a set needs no more images, given the sums of its images up to a stage's end.
  bool settled(size_t set, const LossSums& sums) const;

 private:
  std::vector<int64_t> counts_;
  double target_se_;
  std::vector<std::vector<ImageChunk>> stages_;
  std::vector<int64_t> ends_;
};

}  // namespace topograd
