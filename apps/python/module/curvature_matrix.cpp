#include "apps/python/module/curvature_matrix.h"

#include <unistd.h>

#include "apps/landscape/hessian/hessian_flags.h"

namespace topograd::python {

CurvatureMatrix::CurvatureMatrix(const std::vector<std::string>& words) : process_(::getpid()) {
  HessianFlags flags;
  cli::Options options("landscape hessian");
  flags.add_to(options);
  options.parse(words);
  flags.check(options);
  model_.emplace(load_model(flags.model));
  pool_ = flags.run.pool();
  flags.curvature.loss = flags.loss.of(model_->info);
  images_ = select_images(flags.images, *model_);
  const CurvatureSpec spec = curvature_spec(flags.curvature, *model_, images_.sets.front());
  operator_ = std::make_unique<CurvatureOperator>(spec, *pool_);
  for (const ParameterEntry& entry : model_->graph.layout().parameters()) {
    bool chosen = spec.ranges.empty();
    for (const ParameterRange& range : spec.ranges)
      chosen = chosen || (range.begin <= entry.offset && entry.offset < range.end);
    if (chosen) entries_.push_back(entry);
  }
  host_ = Tensor({size()});
  vector_ = Tensor({size()}, DType::f32, pool_->device());
  product_ = Tensor({size()}, DType::f32, pool_->device());
}

CurvatureMatrix::~CurvatureMatrix() {
  // A child of fork() would wait for threads that it does not have.
  if (::getpid() == process_) return;
  static_cast<void>(operator_.release());
  static_cast<void>(pool_.release());
}

void CurvatureMatrix::require_threads() const {
  require(
      ::getpid() == process_,
      "this operator was made before the process was forked, and its threads stayed there: make "
      "another one here");
}

void CurvatureMatrix::to_torch(float* torch) const {
  const float* ours = host_.data<float>();
  for (const ParameterEntry& entry : entries_) {
    to_torch_order(entry, ours, torch);
    ours += entry.size();
    torch += entry.size();
  }
}

void CurvatureMatrix::from_torch(const float* torch) const {
  float* ours = host_.data<float>();
  for (const ParameterEntry& entry : entries_) {
    from_torch_order(entry, torch, ours);
    ours += entry.size();
    torch += entry.size();
  }
}

void CurvatureMatrix::multiply(float* product, const float* v) {
  require_threads();
  const std::lock_guard lock(mutex_);
  from_torch(v);
  vector_.copy_from(host_);
  operator_->multiply(product_, vector_);
  host_.copy_from(product_);
  to_torch(product);
}

double CurvatureMatrix::gradient(float* gradient) {
  require_threads();
  const std::lock_guard lock(mutex_);
  const double loss = operator_->gradient(product_);
  host_.copy_from(product_);
  to_torch(gradient);
  return loss;
}

}  // namespace topograd::python
