// A loss as measures of sharpness see it: a function of flat vectors around the weights of a
// network.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

/// The loss at one point, over all images.
struct LossValue {
  double loss = 0;                 ///< the mean
  double error = 0;                ///< percent of the images that are classified wrongly
  double loss_standard_error = 0;  ///< that of the mean over the images
};

/// The loss around theta. Vectors are f32 of theta's length, on the CPU, in theta's order.
class LossFunction {
 public:
  virtual ~LossFunction() = default;
  virtual const Tensor& theta() const = 0;
  /// Returns the loss at theta + alpha * direction for every alpha.
  virtual std::vector<LossValue> along(const Tensor& direction, std::span<const double> alphas) = 0;
  /// Sets gradient = d(mean loss)/d(theta) at theta + displacement (at theta, where that is
  /// undefined); returns the mean loss there.
  virtual double gradient(const Tensor& gradient, const Tensor& displacement) = 0;
  /// Sets product = the Hessian of the mean loss at theta times v.
  virtual void multiply(const Tensor& product, const Tensor& v) = 0;

  LossValue at(const Tensor& direction, double alpha) { return along(direction, {&alpha, 1})[0]; }
  /// Returns the loss at theta itself, which is worked out once.
  const LossValue& centre();

 private:
  std::optional<LossValue> centre_;
};

}  // namespace topograd
