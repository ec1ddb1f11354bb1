#include "landscape/evaluation/point_worker.h"
#include "nn/fused_plan.h"

namespace topograd {

namespace {

class PlanWorker : public PointWorker {
 public:
  explicit PlanWorker(const EvaluationSpec& spec)
      : spec_(spec),
        plan_(spec.graph, {.images = kImagesPerEvaluation,
                           .dtype = spec.dtype,
                           .precision = spec.precision,
                           .error_budget = ErrorBudget::relaxed}),
        coefficients_({1, 2}, DType::f64) {
    for (const Directions& plane : spec.planes) {
      const Direction y = plane.y.value_or(Direction{});
      const auto own = [&](const Tensor& t) {
        return t.defined() && t.dtype() != spec.dtype ? t.converted(spec.dtype) : t;
      };
      networks_.push_back({own(spec.theta), own(spec.running_stats), own(plane.x.parameters),
                           own(y.parameters), own(plane.x.running_stats), own(y.running_stats)});
    }
  }

  void bind(const PlanePosition& position, size_t plane, Context& context) override {
    if (place_ && place_->is(position, plane)) return;
    place_.reset();  // invalidate first: if an operation throws, no position is bound
    coefficients_.data<double>()[0] = position.alpha;
    coefficients_.data<double>()[1] = position.beta;
    plan_.form_weights(networks_[plane], coefficients_, context);
    place_ = BoundPosition{position, plane};
  }

  std::vector<LossSums> evaluate(size_t set, int64_t begin, int64_t end,
                                 Context& context) override {
    const LabelledImages& images = spec_.sets[set];
    const Tensor x(images.images.shape().with_first(end - begin), spec_.dtype);
    normalise_images(x, images, begin, end, context);
    const Tensor logits = plan_.run(x, context).reshaped({end - begin, spec_.graph.classes()});
    return sums_of(logits, images.labels.rows(begin, end), spec_.losses, context);
  }

 private:
  const EvaluationSpec& spec_;
  FusedPlan plan_;
  std::vector<NetworkOnPlane> networks_;  // one per plane
  Tensor coefficients_;
  std::optional<BoundPosition> place_;  // the position of the bound weights
};

}  // namespace

std::unique_ptr<PointWorker> make_plan_worker(const EvaluationSpec& spec) {
  return std::make_unique<PlanWorker>(spec);
}

}  // namespace topograd
