// ImageStages: the images a point is evaluated on, in chunks and stages, with early stopping.
#pragma once

#include "landscape/evaluation/evaluation.h"

namespace topograd {

/// A range of one set's images.
struct ImageChunk {
  size_t set = 0;
  int64_t begin = 0, end = 0;
};

/// A set's images at a point so far.
struct SetProgress {
  bool settled = false;  ///< whether it needs no more images
  int met = 0;           ///< stages in a row after which the target was met
};

bool all_settled(const std::vector<SetProgress>& sets);

/// Images of all sets in one stage; or, with a target for the standard error, in stages that end
/// at 2048, 4096, 8192, ... images of each set, up to all of them. Sequential sampling: whether a
/// set needs more images is decided from the sums of whole stages only, so it is the same for any
/// number of threads.
///
/// Stopping on the mean's own standard error biases the mean: samples that happen to lack large
/// losses have a small error and stop early. Losses of training images of a trained network have a
/// tail so long that 256 of them mostly miss it. So the first stage is large, and one more stage
/// follows after the first that met the target: doubled, a sample that lacked the tail mostly has
/// some of it, and goes on. docs/results/trust.md has the bias and the coverage that are left. The
/// standard error is that of independent images: for a stratified choice it is too large.
class ImageStages {
 public:
  static constexpr int kTimesMet = 2;  ///< stages in a row that have to meet the target

  /// Makes chunks of at most chunk_images images; target_se 0: one stage. target_se, first_stage
  /// and populations are as in EvaluationSpec. Throws Error if a set is empty.
  ImageStages(std::span<const LabelledImages> sets, int64_t chunk_images, double target_se,
              int64_t first_stage = 0, std::vector<int64_t> populations = {});

  size_t sets() const { return counts_.size(); }
  size_t stages() const { return stages_.size(); }
  /// Returns the chunks of all sets in a stage, in the order of each set's images.
  const std::vector<ImageChunk>& chunks(size_t stage) const { return stages_[stage]; }
  /// Returns the number of images at which each stage ends; a smaller set ends earlier.
  const std::vector<int64_t>& ends() const { return ends_; }
  /// Decides whether a set needs more images, given the sums of its images up to a stage's end.
  void update(SetProgress& progress, size_t set, const LossSums& sums) const;

 private:
  std::vector<int64_t> counts_, populations_;
  double target_se_;
  std::vector<std::vector<ImageChunk>> stages_;
  std::vector<int64_t> ends_;
};

}  // namespace topograd
