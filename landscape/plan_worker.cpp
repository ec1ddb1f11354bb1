#include "kernels/perturb/perturb.h"
#include "landscape/point_worker.h"

namespace topograd {

namespace {

class PlanWorker : public PointWorker {
 public:
  explicit PlanWorker(const EvaluationSpec& spec)
      : spec_(spec),
        plan_(spec.graph, kImagesPerEvaluation),
        theta_(spec.theta.shape()),
        states_(spec.states.shape()) {}

  void bind(const PlanePosition& position, size_t plane, Context& context) override {
    if (place_ && place_->is(position, plane)) return;
    place_.reset();  // neither place, should an operation throw
    const Directions& directions = spec_.planes[plane];
    const Direction& x = directions.x;
    const Direction y = directions.y.value_or(Direction{});
    perturb({.w = theta_,
             .theta = spec_.theta,
             .delta = x.parameters,
             .eta = y.parameters,
             .a = position.alpha,
             .b = position.beta},
            context);
    perturb({.w = states_,
             .theta = spec_.states,
             .delta = x.states,
             .eta = y.states,
             .a = position.alpha,
             .b = position.beta},
            context);
    plan_.bind(theta_, states_);
    place_ = PointPlace{position, plane};
  }

  std::vector<LossSums> evaluate(size_t set, int64_t begin, int64_t end,
                                 Context& context) override {
    const LabelledImages& images = spec_.sets[set];
    const Tensor x(images.images.shape().with_first(end - begin));
    normalise_images(x, images, begin, end, context);
    const Tensor logits = plan_.run(x, context);
    return sums_of(logits, images.labels.rows(begin, end), spec_.losses, context);
  }

 private:
  const EvaluationSpec& spec_;
  InferencePlan plan_;
  Tensor theta_, states_;
  std::optional<PointPlace> place_;  // whose weights are bound
};

}  // namespace

std::unique_ptr<PointWorker> make_plan_worker(const EvaluationSpec& spec) {
  return std::make_unique<PlanWorker>(spec);
}

}  // namespace topograd
