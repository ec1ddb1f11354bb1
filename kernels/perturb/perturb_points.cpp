#include "kernels/perturb/perturb_points.h"

namespace topograd {

void PerturbPointsArgs::check() const {
  require(coefficients.shape().rank() == 2 && coefficients.dim(1) == 2 &&
              coefficients.dtype() == DType::f64,
          kOp, ": the coefficients must be f64 [P,2], got ", coefficients.shape(), " of ",
          name_of(coefficients.dtype()));
  require(filters.shape().rank() == 2 && filters.dim(1) == FoldedFilter::kColumns &&
              filters.dtype() == DType::i32,
          kOp, ": the table of filters must be i32 [F,", FoldedFilter::kColumns, "], got ",
          filters.shape(), " of ", name_of(filters.dtype()));
  const auto like = [&](const char* name, const Tensor& t, const Tensor& model) {
    require(!t.defined() || (t.shape() == model.shape() && t.dtype() == model.dtype()), kOp, ": ",
            name, " ", t.shape(), " of ", name_of(t.dtype()), " must be like ", model.shape(),
            " of ", name_of(model.dtype()));
  };
  like("delta", delta, theta);
  like("eta", eta, theta);
  like("states_delta", states_delta, running_stats);
  like("states_eta", states_eta, running_stats);
  require(weights.dtype() == theta.dtype() && biases.dtype() == theta.dtype() &&
              running_stats.dtype() == theta.dtype(),
          kOp, ": weights, biases, theta and states must have one type");
  require(biases.shape() == Shape{coefficients.dim(0) * filters.dim(0)}, kOp, ": biases ",
          biases.shape(), " must be one per point and filter, ", coefficients.dim(0), " times ",
          filters.dim(0));
}

}  // namespace topograd
