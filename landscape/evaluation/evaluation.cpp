#include "landscape/evaluation/evaluation.h"

namespace topograd {

int64_t images_per_chunk(const EvaluationSpec& spec) {
  return spec.batchnorm == PointBatchnorm::given ? kImagesPerEvaluation : spec.statistics_batch;
}

std::vector<PointSums> PlaneCollector::add(const EvaluationTask& task, const PointSums& sums) {
  Part& part = parts_[task.id];
  part.planes.resize(planes_);
  part.planes[task.plane] = sums;
  if (++part.count < planes_) return {};
  return std::move(parts_.extract(task.id).mapped().planes);
}

}  // namespace topograd
