#include "landscape/evaluation/image_stages.h"

#include <algorithm>
#include <utility>

namespace topograd {

bool all_settled(const std::vector<SetProgress>& sets) {
  return std::all_of(sets.begin(), sets.end(), [](const SetProgress& set) { return set.settled; });
}

ImageStages::ImageStages(std::span<const LabelledImages> sets, int64_t chunk_images,
                         double target_se, int64_t first_stage, std::vector<int64_t> populations)
    : populations_(std::move(populations)), target_se_(target_se) {
  for (const LabelledImages& set : sets) {
    require(set.count() > 0, "no images to evaluate the loss on");
    counts_.push_back(set.count());
  }
  require(!counts_.empty(), "no images to evaluate the loss on");
  require(target_se <= 0 || first_stage > 0, "a first stage of ", first_stage, " images");
  populations_.resize(counts_.size());
  const int64_t most = *std::max_element(counts_.begin(), counts_.end());
  int64_t from = 0;
  for (int64_t to = target_se > 0 ? first_stage : most; from < most; from = to, to *= 2) {
    std::vector<ImageChunk>& stage = stages_.emplace_back();
    ends_.push_back(to);
    for (size_t set = 0; set < counts_.size(); ++set) {
      const int64_t stop = std::min(to, counts_[set]);
      for (int64_t begin = from; begin < stop; begin += chunk_images)
        stage.push_back({set, begin, std::min(stop, begin + chunk_images)});
    }
  }
}

void ImageStages::update(SetProgress& progress, size_t set, const LossSums& sums) const {
  if (progress.settled) return;
  // A NaN standard error compares false and settles nothing: more images may make it finite.
  progress.met = sums.standard_error(populations_[set]) <= target_se_ ? progress.met + 1 : 0;
  progress.settled = sums.count == counts_[set] || progress.met == kTimesMet;
}

}  // namespace topograd
