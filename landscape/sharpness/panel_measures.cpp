#include "landscape/sharpness/panel_measures.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"
#include "kernels/vector/vector.h"
#include "landscape/curvature/spectrum.h"
#include "landscape/evaluation/error_rate.h"
#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

namespace {

std::string counted(int64_t count, const std::string& what) {
  return text(count, " ", what, count == 1 ? "" : "s");
}

// Settings of each measure.

std::string nothing(const SharpnessSettings&) {
  return "";
}

std::string errors_for(Population population) {
  return population == Population::set ? "+- for the set" : "+- for images of their kind";
}

std::string images_population(const SharpnessSettings& s) {
  return errors_for(s.population);
}

std::string test_images(const SharpnessSettings& s) {
  return text(
      s.test_images == 0 ? "all test images" : text("the first ", s.test_images, " test images"),
      ", ", errors_for(s.test_population));
}

std::string gap_images(const SharpnessSettings& s) {
  return text(images_population(s), "; ", test_images(s));
}

std::string random_directions(const SharpnessSettings& s) {
  return text(counted(s.directions, "direction"), ", seed ", s.seed);
}

std::string pac_bayes_target(const SharpnessSettings& s) {
  return text(s.target_of == IncreaseOf::loss ? "loss" : "error", " + ", s.target, ", ",
              random_directions(s), ", to ", s.tolerance);
}

// The measures.

/// Returns it in percent.
Estimate percentage(const IntervalEstimate& share) {
  return {100 * share.value, 100 * share.standard_error(), 100 * share.low, 100 * share.high};
}

IntervalEstimate share_of_errors(const MeasuredNetwork& network) {
  const double images = static_cast<double>(network.loss.images());
  return error_rate(std::llround(network.loss.centre().error * images / 100), network.loss.images(),
                    network.population);
}

IntervalEstimate share_of_test_errors(const MeasuredNetwork& network) {
  const SampledSums test = network.test();
  return error_rate(test.sums.count - test.sums.correct, test.sums.count, test.population);
}

/// Whether images have right answers; else there is no error.
bool has_answers(const MeasuredNetwork& network) {
  return !std::isnan(network.loss.centre().error);
}

Estimate error(const SharpnessSettings&, const MeasuredNetwork& network) {
  if (!has_answers(network)) return {kNaN, kNaN};
  return percentage(share_of_errors(network));
}

Estimate test_error(const SharpnessSettings&, const MeasuredNetwork& network) {
  if (!has_answers(network)) return {kNaN, kNaN};
  return percentage(share_of_test_errors(network));
}

Estimate gap(const SharpnessSettings&, const MeasuredNetwork& network) {
  if (!has_answers(network)) return {kNaN, kNaN};
  return percentage(difference(share_of_test_errors(network), share_of_errors(network)));
}

Estimate gradient_norm(const SharpnessSettings&, const MeasuredNetwork& network) {
  const Tensor gradient({network.loss.size()});
  network.loss.gradient(gradient, {});
  Context context;
  return {norm(gradient, context), kNaN};
}

SampledDirections filter_normalised(const SharpnessSettings& s, const MeasuredNetwork& network) {
  return filter_normalised_directions(network.layout, network.loss.theta(), s.directions, s.seed);
}

Estimate pac_bayes(const SharpnessSettings& s, const MeasuredNetwork& network, bool of_magnitude) {
  const double target = s.target_of == IncreaseOf::loss ? s.target : 100 * s.target;
  return pac_bayes_sigma(
      network.loss,
      normal_directions(network.layout, network.loss.theta(), of_magnitude, s.directions, s.seed),
      s.target_of, target, s.tolerance);
}

Estimate lambda_max(const SharpnessSettings& s, const MeasuredNetwork& network) {
  const ExtremeEigenpairs found = extreme_eigenpairs(network.loss.hessian(), network.loss.size(),
                                                     {.largest = 1,
                                                      .smallest = 0,
                                                      .tolerance = s.eigenvalue_tolerance,
                                                      .max_products = s.max_products,
                                                      .seed = s.seed,
                                                      .nearby = network.loss.hessian_nearby()},
                                                     network.pool.main_context());
  if (!found.converged)
    network.observer.note(text("note: lambda_max: after ", found.products,
                               " products the residual is above --eigenvalue-tolerance ",
                               s.eigenvalue_tolerance,
                               found.at_rounding ? ": rounding in f32 allows no smaller one"
                                                 : "; --max-products would help"));
  return {found.largest[0].value, found.largest[0].residual};
}

Estimate trace(const SharpnessSettings& s, const MeasuredNetwork& network) {
  const TraceEstimate found = estimate_trace(network.loss.hessian(), network.loss.size(),
                                             s.trace_products, s.seed, network.pool.main_context());
  return {found.value, found.standard_error};
}

// Work of a measure, in passes over all images; losses at the centre are worked out once for all.

Workload no_passes(const SharpnessSettings&) {
  return {};
}

Workload over_directions(const SharpnessSettings& s, double losses_each) {
  return {.losses = s.directions * losses_each};
}

Workload passes_of_ascent(const SharpnessSettings& s) {
  return {.losses = 1, .gradients = static_cast<double>(s.ascent_steps)};
}

Workload passes_of_pac_bayes(const SharpnessSettings& s) {
  return over_directions(s, usual_tries(s.tolerance) + 3);  // three for the standard error
}

struct Recipe {
  std::string_view name;
  std::string (*depends_on)(const SharpnessSettings&);
  Estimate (*measure)(const SharpnessSettings&, const MeasuredNetwork&);
  Workload (*passes)(const SharpnessSettings&);
};

const Recipe kRecipes[] = {
    {"loss", images_population,
     [](const SharpnessSettings&, const MeasuredNetwork& n) -> Estimate {
       return {n.loss.centre().loss, n.loss.centre().loss_standard_error};
     },
     no_passes},
    {"error", images_population, error, no_passes},
    {"test_loss", test_images,
     [](const SharpnessSettings&, const MeasuredNetwork& n) -> Estimate {
       const SampledSums test = n.test();
       return {test.sums.mean(), test.sums.standard_error(test.population)};
     },
     no_passes},
    {"test_error", test_images, test_error, no_passes},
    {"gap", gap_images, gap, no_passes},
    {"gradient_norm", nothing, gradient_norm,
     [](const SharpnessSettings&) { return Workload{.gradients = 1}; }},
    {"keskar",
     [](const SharpnessSettings& s) {
       return text("epsilon ", s.keskar_epsilon, ", ", counted(s.keskar_steps, "step"));
     },
     [](const SharpnessSettings& s, const MeasuredNetwork& n) -> Estimate {
       return {keskar_sharpness(n.loss, s.keskar_epsilon, s.keskar_steps), kNaN};
     },
     [](const SharpnessSettings& s) {
       return Workload{.losses = 2, .gradients = static_cast<double>(s.keskar_steps)};
     }},
    {"sam",
     [](const SharpnessSettings& s) {
       return text("rho ", s.rho, ", ", counted(s.ascent_steps, "step"));
     },
     [](const SharpnessSettings& s, const MeasuredNetwork& n) -> Estimate {
       return {sam_sharpness(n.loss, {.rho = s.rho, .steps = s.ascent_steps}), kNaN};
     },
     passes_of_ascent},
    {"asam",
     [](const SharpnessSettings& s) {
       return text("rho ", s.asam_rho, ", eta ", s.asam_eta, ", ", counted(s.ascent_steps, "step"));
     },
     [](const SharpnessSettings& s, const MeasuredNetwork& n) -> Estimate {
       const SamOptions options{
           .rho = s.asam_rho, .steps = s.ascent_steps, .adaptive = true, .eta = s.asam_eta};
       return {sam_sharpness(n.loss, options), kNaN};
     },
     passes_of_ascent},
    {"expected_sharpness",
     [](const SharpnessSettings& s) { return text("sigma ", s.sigma, ", ", random_directions(s)); },
     [](const SharpnessSettings& s, const MeasuredNetwork& n) {
       return expected_sharpness(n.loss, filter_normalised(s, n), s.sigma);
     },
     [](const SharpnessSettings& s) { return over_directions(s, 1); }},
    {"pac_bayes_sigma", pac_bayes_target,
     [](const SharpnessSettings& s, const MeasuredNetwork& n) { return pac_bayes(s, n, false); },
     passes_of_pac_bayes},
    {"pac_bayes_sigma_magnitude", pac_bayes_target,
     [](const SharpnessSettings& s, const MeasuredNetwork& n) { return pac_bayes(s, n, true); },
     passes_of_pac_bayes},
    {"critical_sharpness", [](const SharpnessSettings& s) { return text("to ", s.tolerance); },
     [](const SharpnessSettings& s, const MeasuredNetwork& n) -> Estimate {
       return {critical_sharpness(n.loss, s.tolerance), kNaN};
     },
     [](const SharpnessSettings& s) {
       return Workload{.losses = usual_tries(s.tolerance), .gradients = 1, .products = 1};
     }},
    {"mean_curvature", random_directions,
     [](const SharpnessSettings& s, const MeasuredNetwork& n) {
       return mean_curvature(n.loss, filter_normalised(s, n));
     },
     [](const SharpnessSettings& s) {
       return Workload{.products = static_cast<double>(s.directions)};
     }},
    {"basin_width",
     [](const SharpnessSettings& s) {
       return text("loss + ", s.rise, ", ", random_directions(s), ", to ", s.tolerance);
     },
     [](const SharpnessSettings& s, const MeasuredNetwork& n) {
       return basin_width(n.loss, filter_normalised(s, n), s.rise, s.tolerance);
     },
     // Searches begin where the one before ended, two tries nearer than others.
     [](const SharpnessSettings& s) {
       return over_directions(s, 2 * (usual_tries(s.tolerance) - 2));
     }},
    {"lambda_max",
     [](const SharpnessSettings& s) {
       return text("residual ", s.eigenvalue_tolerance, ", at most ", s.max_products,
                   " products, seed ", s.seed);
     },
     lambda_max,
     [](const SharpnessSettings& s) {
       return Workload{.products = static_cast<double>(usual_products(1, s.max_products))};
     }},
    {"trace",
     [](const SharpnessSettings& s) {
       return text(counted(s.trace_products, "product"), ", seed ", s.seed);
     },
     trace,
     [](const SharpnessSettings& s) {
       return Workload{.products = static_cast<double>(s.trace_products)};
     }},
};

const Recipe& recipe(std::string_view name) {
  for (const Recipe& one : kRecipes)
    if (one.name == name) return one;
  fail("no measure '", name, "' of a network");
}

}  // namespace

std::vector<std::string> SharpnessSettings::chosen() const {
  require(!measures.empty(), "--measures is empty: name some, or all");
  const bool all = measures.size() == 1 && measures[0] == "all";
  for (const std::string& name : measures)
    if (!all) measure_kind(name);  // throws Error where there is none
  std::vector<std::string> names;
  for (const MeasureKind& kind : measure_kinds())
    if (kind.name != "non_convex_share" &&
        (all || std::find(measures.begin(), measures.end(), kind.name) != measures.end()))
      names.emplace_back(kind.name);
  return names;
}

std::string SharpnessSettings::description_of(const std::string& measure) const {
  return recipe(measure).depends_on(*this);
}

void check(const SharpnessSettings& s) {
  s.chosen();
  require(s.target_of == IncreaseOf::loss || s.target < 1, "--target ", s.target,
          ": the error cannot rise by more than all images; choose a share below 1");
}

bool is_of_test_images(const std::string& measure) {
  const auto depends_on = recipe(measure).depends_on;
  return depends_on == test_images || depends_on == gap_images;
}

Workload passes_of(const std::string& name, const SharpnessSettings& settings) {
  return recipe(name).passes(settings);
}

Estimate measure(const std::string& name, const SharpnessSettings& settings,
                 const MeasuredNetwork& network) {
  return recipe(name).measure(settings, network);
}

}  // namespace topograd
