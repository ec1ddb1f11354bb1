#include "landscape/evaluation.h"

namespace topograd {

std::vector<PointSums> PlaneCollector::add(const PointTask& task, const PointSums& sums) {
  Part& part = parts_[task.id];
  part.planes.resize(planes_);
  part.planes[task.plane] = sums;
  if (++part.count < planes_) return {};
  return std::move(parts_.extract(task.id).mapped().planes);
}

}  // namespace topograd
