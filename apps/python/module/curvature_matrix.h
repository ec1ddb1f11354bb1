// The curvature of a network's loss as a matrix that a Python program multiplies by.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "landscape/curvature/curvature_operator.h"
#include "landscape/evaluation/image_selection.h"
#include "models/loaded_model.h"

namespace topograd::python {

/// Vectors hold the chosen parameters one tensor after the other, each in PyTorch's order, as
/// torch.nn.utils.parameters_to_vector() does. Threads that call at once wait for one another.
class CurvatureMatrix {
 public:
  /// Takes the words of landscape hessian: the network, --data, --loss, --curvature, --layers, ...
  explicit CurvatureMatrix(const std::vector<std::string>& words);
  ~CurvatureMatrix();
  CurvatureMatrix(const CurvatureMatrix&) = delete;
  CurvatureMatrix& operator=(const CurvatureMatrix&) = delete;

  int64_t size() const { return operator_->size(); }
  /// Sets product = matrix v; both hold size() elements.
  void multiply(float* product, const float* v);
  /// Sets the loss's gradient; returns the loss.
  double gradient(float* gradient);

 private:
  /// Throws Error in a child of fork(), where the threads are not.
  void require_threads() const;
  /// Copies between a vector of the operator and one in PyTorch's order.
  void to_torch(float* torch) const;
  void from_torch(const float* torch) const;

  std::optional<LoadedModel> model_;
  std::unique_ptr<ThreadPool> pool_;
  ImageSets images_;
  std::vector<ParameterEntry> entries_;  // of the chosen parameters, in their order
  std::unique_ptr<CurvatureOperator> operator_;
  Tensor vector_, product_;  // of the operator's, on its device
  Tensor host_;
  std::mutex mutex_;
  int process_;  // that the threads belong to
};

}  // namespace topograd::python
