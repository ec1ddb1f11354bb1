// The formulas of layer_norm.h and layer_norm_tangent.h, row by row in double: the oracle.
#include <cmath>

#include "kernels/core/optional_vector.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/layer_norm/layer_norm_tangent.h"

namespace topograd {

namespace {

/// Returns the mean of f(c) over the C channels of a row.
template <class F>
double mean_over(int64_t C, F f) {
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += f(c);
  return sum / static_cast<double>(C);
}

/// One row's xhat and, where its tangent is given, xhat'.
template <class T>
class Row {
 public:
  Row(const T* x, int64_t C, double epsilon) : x_(x) {
    mean_ = mean_over(C, [&](int64_t c) { return x[c]; });
    const double variance =
        mean_over(C, [&](int64_t c) { return (x[c] - mean_) * (x[c] - mean_); });
    inverse_ = 1 / std::sqrt(variance + epsilon);
  }
  Row(const T* x, const T* x_tangent, int64_t C, double epsilon) : Row(x, C, epsilon) {
    x_tangent_ = x_tangent;
    a_ = mean_over(C, [&](int64_t c) { return x_tangent[c]; });
    b_ = mean_over(C, [&](int64_t c) { return x_tangent[c] * xhat(c); });
  }
  double inverse() const { return inverse_; }
  double b() const { return b_; }
  double xhat(int64_t c) const { return (x_[c] - mean_) * inverse_; }
  double xhat_tangent(int64_t c) const { return inverse_ * (x_tangent_[c] - a_ - xhat(c) * b_); }

 private:
  const T* x_;
  const T* x_tangent_ = nullptr;
  double mean_, inverse_, a_ = 0, b_ = 0;
};

/// Calls work(first element, C) for every row of x, in x's type.
template <class Work>
void for_each_row(const Tensor& x, const Work& work) {
  const int64_t C = x.dim(x.shape().rank() - 1);
  with_real_type(x.dtype(), [&](auto real) {
    for (int64_t i = 0; i < x.size(); i += C) work(real, i, C);
  });
}

/// Element c of a vector of parameters, or `otherwise` where there is none.
template <class T>
double parameter(const Tensor& vector, int64_t c, T otherwise) {
  return element_or(vector, c, otherwise);
}

template <class T>
void write_to(T& target, double value, Write write) {
  target = static_cast<T>(write == Write::accumulate ? target + value : value);
}

void forward(const LayerNormArgs& args, Context&) {
  for_each_row(args.x, [&](auto real, int64_t i, int64_t C) {
    using T = decltype(real);
    const Row<T> row(args.x.data<T>() + i, C, args.epsilon);
    for (int64_t c = 0; c < C; ++c)
      args.y.data<T>()[i + c] = static_cast<T>(parameter<T>(args.gamma, c, 1) * row.xhat(c) +
                                               parameter<T>(args.beta, c, 0));
  });
}

void backward(const LayerNormBackwardArgs& args, Context&) {
  for_each_row(args.x, [&](auto real, int64_t i, int64_t C) {
    using T = decltype(real);
    const Row<T> row(args.x.data<T>() + i, C, args.epsilon);
    const T* dy = args.dy.data<T>() + i;
    const auto g = [&](int64_t c) { return parameter<T>(args.gamma, c, 1) * dy[c]; };
    const double m = mean_over(C, g);
    const double q = mean_over(C, [&](int64_t c) { return g(c) * row.xhat(c); });
    for (int64_t c = 0; c < C; ++c)
      write_to(args.dx.data<T>()[i + c], row.inverse() * (g(c) - m - row.xhat(c) * q), args.write);
  });
}

/// Sets dgamma and dbeta of an operation, from the sums that add(dgamma, dbeta, element) makes of
/// rows.
template <class Args, class AddRow>
void sum_rows_of(const Args& args, const Tensor& dgamma, const Tensor& dbeta, const AddRow& add) {
  std::vector<double> gammas(static_cast<size_t>(dgamma.size()), 0.0);
  std::vector<double> betas = gammas;
  for_each_row(args.x, [&](auto real, int64_t i, int64_t C) {
    add(real, i, C, gammas.data(), betas.data());
  });
  with_real_type(args.x.dtype(), [&](auto real) {
    for (int64_t c = 0; c < dgamma.size(); ++c) {
      write_to(dgamma.data<decltype(real)>()[c], gammas[static_cast<size_t>(c)], args.write);
      write_to(dbeta.data<decltype(real)>()[c], betas[static_cast<size_t>(c)], args.write);
    }
  });
}

void backward_sums(const LayerNormBackwardSumsArgs& args, Context&) {
  sum_rows_of(args, args.dgamma, args.dbeta,
              [&](auto real, int64_t i, int64_t C, double* dgamma, double* dbeta) {
                using T = decltype(real);
                const Row<T> row(args.x.data<T>() + i, C, args.epsilon);
                const T* dy = args.dy.data<T>() + i;
                for (int64_t c = 0; c < C; ++c) {
                  dgamma[c] += dy[c] * row.xhat(c);
                  dbeta[c] += dy[c];
                }
              });
}

void tangent(const LayerNormTangentArgs& args, Context&) {
  for_each_row(args.x, [&](auto real, int64_t i, int64_t C) {
    using T = decltype(real);
    const Row<T> row(args.x.data<T>() + i, args.x_tangent.data<T>() + i, C, args.epsilon);
    T* y = args.y_tangent.data<T>() + i;
    for (int64_t c = 0; c < C; ++c)
      y[c] = static_cast<T>(parameter<T>(args.gamma, c, 1) * row.xhat_tangent(c) +
                            parameter<T>(args.gamma_tangent, c, 0) * row.xhat(c) +
                            parameter<T>(args.beta_tangent, c, 0));
  });
}

void tangent_backward(const LayerNormTangentBackwardArgs& args, Context&) {
  for_each_row(args.x, [&](auto real, int64_t i, int64_t C) {
    using T = decltype(real);
    const Row<T> row(args.x.data<T>() + i, args.x_tangent.data<T>() + i, C, args.epsilon);
    const T *dy = args.dy.data<T>() + i, *dy_tangent = args.dy_tangent.data<T>() + i;
    const auto gamma = [&](int64_t c) { return parameter<T>(args.gamma, c, 1); };
    const auto g = [&](int64_t c) { return gamma(c) * dy[c]; };
    const auto g_tangent = [&](int64_t c) {
      return parameter<T>(args.gamma_tangent, c, 0) * dy[c] + gamma(c) * dy_tangent[c];
    };
    const double m = mean_over(C, g), m_tangent = mean_over(C, g_tangent);
    const double q = mean_over(C, [&](int64_t c) { return g(c) * row.xhat(c); });
    const double q_tangent = mean_over(
        C, [&](int64_t c) { return g_tangent(c) * row.xhat(c) + g(c) * row.xhat_tangent(c); });
    for (int64_t c = 0; c < C; ++c) {
      const double dx = row.inverse() * (g(c) - m - row.xhat(c) * q);
      const double moved =
          g_tangent(c) - m_tangent - row.xhat_tangent(c) * q - row.xhat(c) * q_tangent;
      write_to(args.dx_tangent.data<T>()[i + c], row.inverse() * (moved - row.b() * dx),
               args.write);
    }
  });
}

void tangent_sums(const LayerNormTangentSumsArgs& args, Context&) {
  sum_rows_of(args, args.dgamma_tangent, args.dbeta_tangent,
              [&](auto real, int64_t i, int64_t C, double* dgamma, double* dbeta) {
                using T = decltype(real);
                const Row<T> row(args.x.data<T>() + i, args.x_tangent.data<T>() + i, C,
                                 args.epsilon);
                const T *dy = args.dy.data<T>() + i, *dy_tangent = args.dy_tangent.data<T>() + i;
                for (int64_t c = 0; c < C; ++c) {
                  dgamma[c] += dy_tangent[c] * row.xhat(c) + dy[c] * row.xhat_tangent(c);
                  dbeta[c] += dy_tangent[c];
                }
              });
}

}  // namespace

void register_layer_norm_reference(OpRegistry& registry) {
  registry.add<LayerNormArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<LayerNormBackwardArgs>({"reference", Device::cpu, supports_all, backward});
  registry.add<LayerNormBackwardSumsArgs>({"reference", Device::cpu, supports_all, backward_sums});
  registry.add<LayerNormTangentArgs>({"reference", Device::cpu, supports_all, tangent});
  registry.add<LayerNormTangentBackwardArgs>(
      {"reference", Device::cpu, supports_all, tangent_backward});
  registry.add<LayerNormTangentSumsArgs>({"reference", Device::cpu, supports_all, tangent_sums});
}

}  // namespace topograd
