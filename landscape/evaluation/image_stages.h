// ImageStages: which images a point is evaluated on, in which chunks, and when it has had enough.
#pragma once

#include "landscape/evaluation/evaluation.h"

namespace topograd {

/// A range of one set's images.
struct ImageChunk {
  size_t set = 0;
  int64_t begin = 0, end = 0;
};

/// All images of all sets in one stage; or, with a target for the standard error, in stages of 256,
/// 512, 1024, ... images of each set, up to all of them. Whether a set has had enough is decided
/// from the sums of whole stages alone: the same for any number of threads.
///
/// A mean that stopped where its own standard error came out small is slightly biased: samples that
/// happen to lack large losses look quiet and stop early, so means tend to come out low, the more
/// the longer the tail of the losses. Stages that double, the first of 256, leave few looks and no
/// tiny samples, which keeps the bias small beside the target; it is not zero. And the standard
/// error is that of independent images: for a stratified choice it errs on the large side.
class ImageStages {
 public:
  static constexpr int64_t kFirstStage = 256;

  /// Chunks hold at most chunk_images. target_se 0: one stage.
  ImageStages(std::span<const LabelledImages> sets, int64_t chunk_images, double target_se);

  size_t sets() const { return counts_.size(); }
  size_t stages() const { return stages_.size(); }
  /// A stage's chunks of all sets, each set's in the order of its images.
  const std::vector<ImageChunk>& chunks(size_t stage) const { return stages_[stage]; }
  /// The images up to which each stage goes, as far as a set has them.
  const std::vector<int64_t>& ends() const { return ends_; }
  /// Whether a set is done with, given the sums of its images up to a stage's end.
  bool settled(size_t set, const LossSums& sums) const;

 private:
  std::vector<int64_t> counts_;
  double target_se_;
  std::vector<std::vector<ImageChunk>> stages_;
  std::vector<int64_t> ends_;
};

}  // namespace topograd
