// Measures of how sharp a minimum is. docs/measures.md has the formulas side by side, and which of
// them a rescaling of the network moves. L is the mean loss over the images, theta the network.
#pragma once

#include <functional>
#include <limits>

#include "landscape/sharpness/loss_function.h"
#include "landscape/sharpness/sampled_directions.h"

namespace topograd {

/// A value, and the standard error of its random part; NaN where nothing in it is random. Shares of
/// images have a 95 % interval, which is not symmetric; others' ends are NaN.
struct Estimate {
  double value = 0;
  double standard_error = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// Returns 100 (max L(theta + y) - L(theta)) / (1 + L(theta)) over the box |y_i| <= epsilon
/// (|theta_i| + 1), in percent (N. Keskar, D. Mudigere, J. Nocedal, M. Smelyanskiy, P. Tang, "On
/// Large-Batch Training for Deep Learning: Generalization Gap and Sharp Minima", ICLR 2017, metric
/// 2.1, in the full space). The maximum is that of projected gradient ascent from theta: `steps`
/// steps of 2.5 / steps of the box's half-widths in the direction of the gradient's signs, of which
/// the largest loss counts; where they use ten iterations of L-BFGS-B. It is a lower bound of the
/// maximum.
double keskar_sharpness(LossFunction& loss, double epsilon, int steps);

struct SamOptions {
  double rho = 0.05;
  int steps = 1;          ///< steps of ascent, each rho / steps long
  bool adaptive = false;  ///< whether the step is ASAM's
  double eta = 0;         ///< ASAM: added to |theta_i|
};

/// Returns L(theta + e) - L(theta) for e = rho g / |g|, g the gradient at theta (P. Foret, A.
/// Kleiner, H. Mobahi, B. Neyshabur, "Sharpness-Aware Minimization for Efficiently Improving
/// Generalization", ICLR 2021). Adaptive: e = rho T^2 g / |T g|, T = |theta_i| + eta on the
/// diagonal (J. Kwon, J. Kim, H. Park, I. Choi, "ASAM", ICML 2021): where eta is 0, as here unless
/// told otherwise, a rescaled network has the same. More steps take the gradient again where the
/// one before ended, T as it was. NaN where the gradient is 0.
double sam_sharpness(LossFunction& loss, const SamOptions& options);

/// Returns the mean over the directions d of L(theta + sigma d) - L(theta), with its standard error
/// over the directions.
Estimate expected_sharpness(LossFunction& loss, const SampledDirections& directions, double sigma);

/// Returns the mean over the directions of d' H d, with its standard error.
Estimate mean_curvature(LossFunction& loss, const SampledDirections& directions);

enum class IncreaseOf { loss, error };

/// Returns the largest sigma at which the mean over the directions d of the increase of the loss
/// (or of the error, in percentage points) from theta to theta + sigma d is at most `target`: the
/// noise that a PAC-Bayes bound bears (G. Dziugaite, D. Roy, UAI 2017; B. Neyshabur, S.
/// Bhojanapalli, D. McAllester, N. Srebro, NeurIPS 2017; Y. Jiang, B. Neyshabur, H. Mobahi, D.
/// Krishnan, S. Bengio, "Fantastic Generalization Measures and Where to Find Them", ICLR 2020). By
/// doubling and bisection over the same directions, to `tolerance` of sigma: a crossing, and where
/// the increase is not monotonous, perhaps not the largest. The standard error is that of the mean
/// increase over its slope in sigma. Infinity where no sigma up to 2^40 is too large.
Estimate pac_bayes_sigma(LossFunction& loss, const SampledDirections& directions, IncreaseOf of,
                         double target, double tolerance);

/// Returns 2 / eta_c, where eta_c is the smallest step along the negative gradient after which the
/// loss is higher than before it, by doubling and bisection to `tolerance` (D. Kalra et al., "A
/// Scalable Measure of Loss Landscape Curvature for Analyzing the Training Dynamics of LLMs",
/// arXiv:2601.16979, 2026). On a quadratic it is g' H g / g' g. 0 where no step raises the loss,
/// NaN where the gradient is 0, or where even the smallest step raises it.
double critical_sharpness(LossFunction& loss, double tolerance);

/// Returns the length of the interval of alpha around 0 in which L(theta + alpha d) <= L(theta) +
/// rise: the mean over the directions with its standard error. Either end by doubling and
/// bisection, to `tolerance`; infinity where a side never rises that far.
Estimate basin_width(LossFunction& loss, const SampledDirections& directions, double rise,
                     double tolerance);

/// Returns the x in (0, infinity) where `beyond` turns from false to true, by doubling or halving
/// from `start`, then bisection until the ends' ratio is 1 + tolerance: their geometric mean.
/// Infinity where 40 doublings do not get there, 0 where 40 halvings do not leave it.
double crossing(const std::function<bool(double)>& beyond, double start, double tolerance);
/// Returns about how often it calls `beyond` where the start is a few doublings off.
double usual_tries(double tolerance);

}  // namespace topograd
