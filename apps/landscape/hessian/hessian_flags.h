// Which matrix of curvature a command is about.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "landscape/curvature/curvature_operator.h"
#include "landscape/results/provenance.h"

namespace topograd {

/// Declares the flags that CurvatureChoice reads, in the groups "Curvature" and "Data".
void add_curvature_flags(cxxopts::Options& options);

/// What --curvature, --bn, --bn-batch, --parameters, --layers and --loss ask for.
struct CurvatureChoice {
  /// Throws Error for a word that is none of them, or a layer that the model has not.
  CurvatureChoice(const cxxopts::ParseResult& flags, const LoadedModel& model);

  /// For a file: loss, curvature, bn_mode, parameters.
  void describe(Provenance& provenance) const;
  /// At the model, over some images.
  CurvatureSpec spec(const LoadedModel& model, const LabelledImages& images) const;

  Curvature curvature;
  BatchnormMode mode;
  int64_t batch;  ///< images of a batch
  LossKind loss;
  std::string parameters;  ///< in words: "all", "weights of layer1.0,fc"
  std::vector<ParameterRange> ranges;
};

}  // namespace topograd
