// The formulas of batchnorm_tangent.h, element by element, in double: the oracle.
#include <cmath>

#include "kernels/batchnorm/batchnorm_tangent.h"
#include "kernels/core/optional_vector.h"

namespace topograd {

namespace {

/// Functions xhat and xhat' of one channel.
template <class T>
class Normalised {
 public:
  Normalised(const BatchnormTangentState& s, int64_t c)
      : mean_(s.mean.data<T>()[c]),
        inverse_(1 / std::sqrt(static_cast<double>(s.variance.data<T>()[c]) + s.epsilon)) {
    if (!s.is_batch()) return;
    a_ = s.sum_tangents.data<T>()[c] / static_cast<double>(s.count);
    b_ = s.sum_products.data<T>()[c] / static_cast<double>(s.count);
  }
  double inverse() const { return inverse_; }
  double b() const { return b_; }
  double value(double x) const { return (x - mean_) * inverse_; }
  double tangent(double x_tangent, double x) const {
    return inverse_ * (x_tangent - a_ - value(x) * b_);
  }

 private:
  double mean_, inverse_, a_ = 0, b_ = 0;
};

void tangent(const BatchnormTangentArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.state.variance.size();
    const T* x = args.x.data<T>();
    const T* dx = args.x_tangent.data<T>();
    T* out = args.y_tangent.data<T>();
    for (int64_t c = 0; c < C; ++c) {
      const Normalised<T> xhat(args.state, c);
      const double gamma = element_or(args.gamma, c, T(1));
      const double gamma_tangent = element_or(args.gamma_tangent, c, T(0));
      const double beta_tangent = element_or(args.beta_tangent, c, T(0));
      for (int64_t i = c; i < args.x.size(); i += C)
        out[i] = static_cast<T>(gamma * xhat.tangent(dx[i], x[i]) +
                                gamma_tangent * xhat.value(x[i]) + beta_tangent);
    }
  });
}

void sums(const BatchnormTangentSumsArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.dgamma_tangent.size();
    for (int64_t c = 0; c < C; ++c) {
      const Normalised<T> xhat(args.state, c);
      double products = 0, tangents = 0;
      for (int64_t i = c; i < args.x.size(); i += C) {
        const double x = args.x.data<T>()[i], x_tangent = args.x_tangent.data<T>()[i];
        const double dy = args.dy.data<T>()[i], dy_tangent = args.dy_tangent.data<T>()[i];
        products += dy_tangent * xhat.value(x) + dy * xhat.tangent(x_tangent, x);
        tangents += dy_tangent;
      }
      args.dgamma_tangent.data<T>()[c] = static_cast<T>(products);
      args.dbeta_tangent.data<T>()[c] = static_cast<T>(tangents);
    }
  });
}

void backward(const BatchnormTangentBackwardArgs& args, Context&) {
  with_real_type(args.dy.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.state.variance.size();
    const double n = static_cast<double>(args.state.count);
    const bool batch = args.state.is_batch();
    T* out = args.dx_tangent.data<T>();
    for (int64_t c = 0; c < C; ++c) {
      const Normalised<T> xhat(args.state, c);
      const double gamma = element_or(args.gamma, c, T(1));
      const double scale = gamma * xhat.inverse();
      const double scale_tangent =
          (element_or(args.gamma_tangent, c, T(0)) - scale * xhat.b()) * xhat.inverse();
      for (int64_t i = c; i < args.dy.size(); i += C) {
        double dy = args.dy.data<T>()[i], dy_tangent = args.dy_tangent.data<T>()[i];
        if (batch) {
          const double x = args.x.data<T>()[i], x_tangent = args.x_tangent.data<T>()[i];
          const double dgamma = args.dgamma.data<T>()[c];
          dy -= (args.dbeta.data<T>()[c] + xhat.value(x) * dgamma) / n;
          dy_tangent -=
              (args.dbeta_tangent.data<T>()[c] + xhat.value(x) * args.dgamma_tangent.data<T>()[c] +
               xhat.tangent(x_tangent, x) * dgamma) /
              n;
        }
        const double sum = scale * dy_tangent + scale_tangent * dy;
        out[i] = static_cast<T>(args.write == Write::accumulate ? out[i] + sum : sum);
      }
    }
  });
}

}  // namespace

void register_batchnorm_tangent_reference(OpRegistry& registry) {
  registry.add<BatchnormTangentArgs>({"reference", Device::cpu, supports_all, tangent});
  registry.add<BatchnormTangentSumsArgs>({"reference", Device::cpu, supports_all, sums});
  registry.add<BatchnormTangentBackwardArgs>({"reference", Device::cpu, supports_all, backward});
}

}  // namespace topograd
