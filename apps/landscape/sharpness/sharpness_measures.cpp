#include "apps/landscape/sharpness/sharpness_measures.h"

#include <algorithm>
#include <cmath>

#include "kernels/vector/vector.h"

namespace topograd {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string counted(int64_t count, const std::string& what) {
  return text(count, " ", what, count == 1 ? "" : "s");
}

/// Percent of images, and the standard error of a share.
Estimate error_of(double errors, double images) {
  const double share = errors / images;
  return {100 * share, 100 * std::sqrt(share * (1 - share) / images)};
}

Estimate gap(const MeasuredNetwork& network) {
  const LossSums test = network.test();
  return {100 - test.accuracy() - network.loss.centre().error, kNone};
}

Estimate gradient_norm(const MeasuredNetwork& network) {
  const Tensor gradient({network.loss.size()});
  network.loss.gradient(gradient, {});
  Context context;
  return {norm(gradient, context), kNone};
}

Estimate largest_eigenvalue(const SharpnessSettings& settings, const MeasuredNetwork& network) {
  const ExtremeEigenpairs found = extreme_eigenpairs(network.loss.hessian(), network.loss.size(),
                                                     {.largest = 1,
                                                      .smallest = 0,
                                                      .tolerance = settings.eigenvalue_tolerance,
                                                      .max_products = settings.max_products,
                                                      .seed = settings.seed},
                                                     network.pool.main_context());
  if (!found.converged)
    cli::say("landscape: note: lambda_max: after ", found.products,
             " products the residual is above --eigenvalue-tolerance ",
             settings.eigenvalue_tolerance, "; --max-products would help");
  return {found.largest[0].value, found.largest[0].residual};
}

Estimate trace(const SharpnessSettings& settings, const MeasuredNetwork& network) {
  const TraceEstimate found =
      estimate_trace(network.loss.hessian(), network.loss.size(), settings.trace_products,
                     settings.seed, network.pool.main_context());
  return {found.value, found.standard_error};
}

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
void add_measure_flags(cxxopts::Options& options) {
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Measures")
      ("measures", "all, or some of those below, with commas between", value("all"))
      ("keskar-epsilon", "keskar: the box's size", value("1e-3"))
      ("keskar-steps", "keskar: steps of projected gradient ascent", value("10"))
      ("rho", "sam: length of the step", value("0.05"))
      ("asam-rho", "asam: likewise", value("0.5"))
      ("asam-eta", "asam: added to |theta_i|; above 0 it is not invariant", value("0"))
      ("ascent-steps", "sam, asam: steps of ascent, together that long", value("1"))
      ("sigma", "expected_sharpness: in lengths of the filters", value("0.1"))
      ("directions", "random directions of every mean", value("20"))
      ("target", "pac_bayes_*: the increase, of the error as a share of all images", value("0.1"))
      ("target-of", "pac_bayes_*: of error or loss", value("error"))
      ("rise", "basin_width: of the loss", value("0.1"))
      ("tolerance", "of pac_bayes_*, critical_sharpness and basin_width: relative", value("0.01"))
      ("eigenvalue-tolerance", "lambda_max: its residual's, relative", value("1e-3"))
      ("most-products", "lambda_max: products with the Hessian at most", value("1000"))
      ("trace-products", "trace: products with the Hessian, at least 6", value("60"))
      ("test-images", "test_*, gap: the first n test images (0: all)", value("0"))
      ("seed", "of the random directions", value("1"));
}
// clang-format on

SharpnessSettings read_sharpness_settings(const cxxopts::ParseResult& flags) {
  SharpnessSettings s;
  const std::string wanted = flags["measures"].as<std::string>();
  const std::vector<std::string> names = cli::words(wanted);
  require(!names.empty(), "--measures is empty: name some, or all");
  for (const std::string& name : names)
    if (wanted != "all") measure_kind(name);
  for (const MeasureKind& kind : measure_kinds())
    if (kind.name != "non_convex_share" &&
        (wanted == "all" || std::find(names.begin(), names.end(), kind.name) != names.end()))
      s.measures.emplace_back(kind.name);
  s.keskar_epsilon = cli::real(flags, "keskar-epsilon", 1e-9, 1e3);
  s.keskar_steps = static_cast<int>(cli::whole(flags, "keskar-steps", 1, 100'000));
  s.rho = cli::real(flags, "rho", 1e-9, 1e6);
  s.asam_rho = cli::real(flags, "asam-rho", 1e-9, 1e6);
  s.asam_eta = cli::real(flags, "asam-eta", 0, 1e6);
  s.ascent_steps = static_cast<int>(cli::whole(flags, "ascent-steps", 1, 100'000));
  s.sigma = cli::real(flags, "sigma", 1e-9, 1e6);
  s.directions = static_cast<int>(cli::whole(flags, "directions", 1, 1'000'000));
  s.target = cli::real(flags, "target", 1e-9, 1e6);
  const std::string target_of = flags["target-of"].as<std::string>();
  require(target_of == "error" || target_of == "loss", "--target-of ", target_of,
          ": choose error or loss");
  s.target_of = target_of == "loss" ? IncreaseOf::loss : IncreaseOf::error;
  require(s.target_of == IncreaseOf::loss || s.target < 1, "--target ", s.target,
          ": the error cannot rise by more than all images; choose a share below 1");
  s.rise = cli::real(flags, "rise", 1e-9, 1e6);
  s.tolerance = cli::real(flags, "tolerance", 1e-6, 1);
  s.eigenvalue_tolerance = cli::real(flags, "eigenvalue-tolerance", 1e-7, 1);
  s.max_products = static_cast<int>(cli::whole(flags, "most-products", 1, 1'000'000));
  s.trace_products = static_cast<int>(cli::whole(flags, "trace-products", 6, 1'000'000));
  s.test_images = cli::whole(flags, "test-images", 0, 1 << 30);
  s.seed = cli::seed(flags);
  return s;
}

std::string SharpnessSettings::of(const std::string& m) const {
  const std::string random = text(counted(directions, "direction"), ", seed ", seed);
  const std::string ascent = counted(ascent_steps, "step");
  if (m == "test_loss" || m == "test_error" || m == "gap")
    return test_images == 0 ? "all test images" : text("the first ", test_images, " test images");
  if (m == "keskar") return text("epsilon ", keskar_epsilon, ", ", counted(keskar_steps, "step"));
  if (m == "sam") return text("rho ", rho, ", ", ascent);
  if (m == "asam") return text("rho ", asam_rho, ", eta ", asam_eta, ", ", ascent);
  if (m == "expected_sharpness") return text("sigma ", sigma, ", ", random);
  if (m == "pac_bayes_sigma" || m == "pac_bayes_sigma_magnitude")
    return text(target_of == IncreaseOf::loss ? "loss" : "error", " + ", target, ", ", random,
                ", to ", tolerance);
  if (m == "critical_sharpness") return text("to ", tolerance);
  if (m == "mean_curvature") return random;
  if (m == "basin_width") return text("loss + ", rise, ", ", random, ", to ", tolerance);
  if (m == "lambda_max") return text("residual ", eigenvalue_tolerance);
  if (m == "trace") return text(counted(trace_products, "product"), ", seed ", seed);
  return "";
}

Estimate measure(const std::string& m, const SharpnessSettings& s, const MeasuredNetwork& network) {
  NetworkLoss& loss = network.loss;
  const auto filter_directions = [&] {
    return filter_normalised_directions(network.layout, loss.theta(), s.directions, s.seed);
  };
  const auto pac_bayes = [&](bool of_magnitude) {
    const double target = s.target_of == IncreaseOf::loss ? s.target : 100 * s.target;
    return pac_bayes_sigma(
        loss, normal_directions(network.layout, loss.theta(), of_magnitude, s.directions, s.seed),
        s.target_of, target, s.tolerance);
  };
  const LossValue& centre = loss.centre();
  const auto images = static_cast<double>(loss.images());
  if (m == "loss") return {centre.loss, centre.loss_standard_error};
  if (m == "error") return error_of(centre.error * images / 100, images);
  if (m == "test_loss") return {network.test().mean(), network.test().standard_error()};
  if (m == "test_error") {
    const LossSums test = network.test();
    return error_of(static_cast<double>(test.count - test.correct),
                    static_cast<double>(test.count));
  }
  if (m == "gap") return gap(network);
  if (m == "gradient_norm") return gradient_norm(network);
  if (m == "keskar") return {keskar_sharpness(loss, s.keskar_epsilon, s.keskar_steps), kNone};
  if (m == "sam") return {sam_sharpness(loss, {.rho = s.rho, .steps = s.ascent_steps}), kNone};
  if (m == "asam")
    return {sam_sharpness(
                loss,
                {.rho = s.asam_rho, .steps = s.ascent_steps, .adaptive = true, .eta = s.asam_eta}),
            kNone};
  if (m == "expected_sharpness") return expected_sharpness(loss, filter_directions(), s.sigma);
  if (m == "pac_bayes_sigma") return pac_bayes(false);
  if (m == "pac_bayes_sigma_magnitude") return pac_bayes(true);
  if (m == "critical_sharpness") return {critical_sharpness(loss, s.tolerance), kNone};
  if (m == "mean_curvature") return mean_curvature(loss, filter_directions());
  if (m == "basin_width") return basin_width(loss, filter_directions(), s.rise, s.tolerance);
  if (m == "lambda_max") return largest_eigenvalue(s, network);
  require(m == "trace", "no measure '", m, "' of a network");
  return trace(s, network);
}

}  // namespace topograd
