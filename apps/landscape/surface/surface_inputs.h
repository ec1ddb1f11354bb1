// What a surface is computed from, as the flags say: network, images, losses, BatchNorm, precision.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/landscape/common/image_flags.h"
#include "apps/landscape/surface/batchnorm_flags.h"
#include "landscape/distributed/process_group.h"
#include "landscape/surface/surface_values.h"

namespace topograd {

struct SurfaceInputs {
  /// Reads the network from `model_path`. `leads_to_models`: whether a direction does, see
  /// surface_batchnorm().
  SurfaceInputs(const cxxopts::ParseResult& flags, const std::string& model_path,
                bool leads_to_models, const ProcessGroup& ranks);

  const cxxopts::ParseResult& flags;
  LoadedModel model;  ///< the origin
  ThreadPool pool;
  std::vector<LossKind> losses;
  double target_se = 0;
  SurfaceBatchnorm batchnorm;
  std::string precision_name;
  DType dtype = DType::f32;
  Precision precision = Precision::f32;
  SurfaceImages images;

  /// Evaluations on planes through the network; the planes must outlive what uses it.
  EvaluationSpec spec(std::span<const Directions> planes) const;
  /// What is measured at a point; `seeds` of the planes, where there are several.
  SurfaceQuantities quantities(const std::vector<uint64_t>& seeds = {}) const;
  /// What they are, for a file; `command` is what the user typed.
  void describe(Provenance& provenance, const std::string& command) const;

 private:
  void choose_precision();
};

}  // namespace topograd
