// The measures of landscape sharpness: what the flags ask for, and one network's numbers.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "landscape/curvature/spectrum.h"
#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

/// Declares the flags that read_sharpness_settings() reads.
void add_measure_flags(cxxopts::Options& options);

struct SharpnessSettings {
  std::vector<std::string> measures;  ///< names of measure_kinds(), in their order
  double keskar_epsilon = 0;
  int keskar_steps = 0;
  double rho = 0, asam_rho = 0, asam_eta = 0;
  int ascent_steps = 0;
  double sigma = 0;
  int directions = 0;
  IncreaseOf target_of = IncreaseOf::error;
  double target = 0;  ///< as the flag has it: of the error a share of the images
  double rise = 0;
  double tolerance = 0;
  double eigenvalue_tolerance = 0;
  int max_products = 0, trace_products = 0;
  int64_t test_images = 0;  ///< 0: all
  uint64_t seed = 0;

  /// What a measure depends on, for the file and the table.
  std::string of(const std::string& measure) const;
};

/// Throws Error where a flag makes no sense.
SharpnessSettings read_sharpness_settings(const cxxopts::ParseResult& flags);

/// What the measures of a network are worked out from.
struct MeasuredNetwork {
  const ParameterLayout& layout;
  NetworkLoss& loss;
  ThreadPool& pool;
  /// Of the test images; asked for once.
  std::function<LossSums()> test{};
};

/// One measure but non_convex_share, which is a surface's. Throws MeasuringStopped where the loss
/// does.
Estimate measure(const std::string& name, const SharpnessSettings& settings,
                 const MeasuredNetwork& network);

}  // namespace topograd
