#include "landscape/evaluation/image_stages.h"

#include <algorithm>

namespace topograd {

ImageStages::ImageStages(std::span<const LabelledImages> sets, int64_t chunk_images,
                         double target_se)
    : target_se_(target_se) {
  for (const LabelledImages& set : sets) {
    require(set.count() > 0, "no images to evaluate the loss on");
    counts_.push_back(set.count());
  }
  require(!counts_.empty(), "no images to evaluate the loss on");
  const int64_t most = *std::max_element(counts_.begin(), counts_.end());
  int64_t from = 0;
  for (int64_t to = target_se > 0 ? kFirstStage : most; from < most; from = to, to *= 2) {
    std::vector<ImageChunk>& stage = stages_.emplace_back();
    ends_.push_back(to);
    for (size_t set = 0; set < counts_.size(); ++set) {
      const int64_t stop = std::min(to, counts_[set]);
      for (int64_t begin = from; begin < stop; begin += chunk_images)
        stage.push_back({set, begin, std::min(stop, begin + chunk_images)});
    }
  }
}

bool ImageStages::settled(size_t set, const LossSums& sums) const {
  // A NaN standard error compares false and settles nothing: more images may make it finite.
  return sums.count == counts_[set] || sums.standard_error() <= target_se_;
}

}  // namespace topograd
