// The measures of a panel: their settings, and each of them at one network.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"
#include "landscape/results/workload.h"
#include "landscape/sharpness/measures.h"
#include "landscape/sharpness/network_loss.h"

namespace topograd {

struct SharpnessSettings {
  std::vector<std::string> measures = {"all"};  ///< names of measure_kinds(), or "all" alone
  double keskar_epsilon = 1e-3;                 ///< size of Keskar's box
  int keskar_steps = 10;                        ///< steps of projected gradient ascent
  double rho = 0.05;                            ///< length of SAM's step
  double asam_rho = 0.5;
  double asam_eta = 0;   ///< added to |theta_i|
  int ascent_steps = 1;  ///< steps of SAM and ASAM, together rho long
  double sigma = 0.1;    ///< noise of expected_sharpness, in lengths of the filters
  int directions = 20;   ///< number in every mean over random directions
  double target = 0.1;   ///< increase for pac_bayes_*; of the error, a share of all images
  IncreaseOf target_of = IncreaseOf::error;
  double rise = 0.1;        ///< rise of the loss at the ends of the basin
  double tolerance = 0.01;  ///< relative, of pac_bayes_*, critical_sharpness, basin_width
  double eigenvalue_tolerance = 1e-3;       ///< relative bound of lambda_max's residual
  int max_products = 1000;                  ///< most products with the Hessian for lambda_max
  int trace_products = 60;                  ///< products with the Hessian for the trace: at least 6
  int64_t test_images = 0;                  ///< first test images, for test_* and gap; 0: all
  uint64_t seed = 1;                        ///< seed of the random directions
  Population population = Population::set;  ///< of the images, for loss and error
  Population test_population = Population::kind;  ///< of the test images, for test_* and gap
  Loss loss{};
  std::vector<std::pair<std::string, std::string>> forced{};  ///< see EvaluationSpec::forced

  /// Returns the chosen measures of a network, in a panel's order. Throws Error where there are
  /// none, or one that does not exist.
  std::vector<std::string> chosen() const;
  /// Describes what a measure depends on, for files and tables: "rho 0.05, 1 step".
  std::string description_of(const std::string& measure) const;
};

/// Throws Error where the settings contradict one another.
void check(const SharpnessSettings& settings);

/// Sums over images that were chosen from `population` images, or, 0, from all of their kind.
struct SampledSums {
  LossSums sums;
  int64_t population = 0;
};

/// Inputs of the measures of a network.
struct MeasuredNetwork {
  const ParameterLayout& layout;
  NetworkLoss& loss;
  ThreadPool& pool;
  Observer& observer;                   ///< is told where a measure did not converge
  int64_t population = 0;               ///< of the images: SampledSums::population
  std::function<SampledSums()> test{};  ///< computes the losses over the test images
};

/// Whether a measure is one of the test images: a rescaled network has the same for certain.
bool is_of_test_images(const std::string& measure);

/// Returns about how much work a measure is, in passes over all images, beside the losses at the
/// network itself and those over the test images, which all measures share.
Workload passes_of(const std::string& measure, const SharpnessSettings& settings);

/// Works out one measure but non_convex_share, which is a surface's. Throws Interrupted where the
/// loss does.
Estimate measure(const std::string& name, const SharpnessSettings& settings,
                 const MeasuredNetwork& network);

}  // namespace topograd
