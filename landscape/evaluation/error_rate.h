// Shares of wrongly classified images, with intervals that hold where none or all of them are wrong.
#pragma once

#include <cstdint>

namespace topograd {

/// A value with its 95 % interval, which need not be symmetric, and half of that interval over 1.96
/// in place of a standard error.
struct IntervalEstimate {
  double value = 0, low = 0, high = 0;
  double standard_error() const;
};

/// Returns the share of wrong images among all that `images` are a random choice of, with E.
/// Wilson's score interval ("Probable Inference, the Law of Succession, and Statistical Inference",
/// JASA 22, 1927), narrower by the correction for a finite `population`; 0: an endless one. With
/// none wrong of 64 it is 0 to 5.7 %, where the usual standard error is 0.
IntervalEstimate error_rate(int64_t wrong, int64_t images, int64_t population = 0);

/// Returns a - b of two independent estimates, with R. Newcombe's hybrid interval ("Interval
/// Estimation for the Difference between Independent Proportions", Statistics in Medicine 17, 1998,
/// method 10).
IntervalEstimate difference(const IntervalEstimate& a, const IntervalEstimate& b);

}  // namespace topograd
