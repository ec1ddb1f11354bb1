// The factors of one Adam step that all elements share, formed in double and rounded to T once.
#pragma once

#include <cmath>

#include "kernels/adam/adam.h"

namespace topograd {

template <class T>
struct AdamFactors {
  explicit AdamFactors(const AdamArgs& a)
      : beta1(static_cast<T>(a.beta1)),
        one_minus_beta1(static_cast<T>(1 - a.beta1)),
        beta2(static_cast<T>(a.beta2)),
        one_minus_beta2(static_cast<T>(1 - a.beta2)),
        shrink(static_cast<T>(a.decoupled ? 1 - a.learning_rate * a.weight_decay : 1.0)),
        weight_decay(static_cast<T>(a.decoupled ? 0.0 : a.weight_decay)),
        rate(
            static_cast<T>(a.learning_rate / (1 - std::pow(a.beta1, static_cast<double>(a.step))))),
        root(static_cast<T>(1 / std::sqrt(1 - std::pow(a.beta2, static_cast<double>(a.step))))),
        epsilon(static_cast<T>(a.epsilon)) {}

  T beta1, one_minus_beta1, beta2, one_minus_beta2;
  T shrink;        ///< factor of theta; 1 unless the decay is decoupled
  T weight_decay;  ///< times theta, added to the gradient; 0 where it is decoupled
  T rate;          ///< learning_rate / (1 - beta1^step)
  T root;          ///< 1 / sqrt(1 - beta2^step)
  T epsilon;
};

}  // namespace topograd
