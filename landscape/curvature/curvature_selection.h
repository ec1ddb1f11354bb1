// Choice of a matrix of curvature: its loss, its parameters, BatchNorm's statistics.
#pragma once

#include <string>
#include <vector>

#include "landscape/curvature/curvature_operator.h"
#include "landscape/results/provenance.h"
#include "models/loaded_model.h"

namespace topograd {

struct CurvatureSelection {
  Curvature curvature = Curvature::hessian;
  Loss loss{};
  BatchnormMode batchnorm = BatchnormMode::frozen;
  int64_t batch = 128;         ///< images of a batch, where BatchNorm's statistics are its own
  bool weights_alone = false;  ///< leaves out biases and BatchNorm's parameters
  std::vector<std::string> layers{};  ///< only these layers or blocks; empty: all

  /// Describes the chosen parameters: "all", "weights of layer1.0,fc".
  std::string parameters() const;
  /// Sets loss, curvature, bn_mode and parameters.
  void describe(Provenance& provenance) const;
};

/// Returns the matrix at the model over some images. Throws Error for a layer that the model lacks,
/// or where no parameter is left.
CurvatureSpec curvature_spec(const CurvatureSelection& selection, const LoadedModel& model,
                             const LabelledImages& images);

}  // namespace topograd
