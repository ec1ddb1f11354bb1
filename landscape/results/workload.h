// Workload: the passes of images through a network that a computation is made of.
#pragma once

namespace topograd {

/// Images that pass through a network, by what is done with them; a computation's time is this
/// times what one image takes.
struct Workload {
  double losses = 0;     ///< evaluated
  double gradients = 0;  ///< whose gradient is taken
  double products = 0;   ///< of a product with the curvature

  Workload& operator+=(const Workload& other) {
    losses += other.losses;
    gradients += other.gradients;
    products += other.products;
    return *this;
  }
  friend Workload operator*(double factor, const Workload& w) {
    return {factor * w.losses, factor * w.gradients, factor * w.products};
  }
};

}  // namespace topograd
