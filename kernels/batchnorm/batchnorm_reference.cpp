// The formulas channel by channel, in double: the oracle. Combining is C numbers of work per chunk,
// so this one also runs by default.
#include <algorithm>
#include <cmath>

#include "kernels/batchnorm/batchnorm.h"
#include "kernels/core/optional_vector.h"

namespace topograd {

namespace {

void moments(const BatchnormMomentsArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.moments.dim(1);
    const int64_t rows = args.x.size() / C;
    const T* x = args.x.data<T>();
    double* mean = args.moments.data<double>();
    double* squares = mean + C;
    for (int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (int64_t r = 0; r < rows; ++r) sum += x[r * C + c];
      mean[c] = sum / static_cast<double>(rows);
      squares[c] = 0;
      for (int64_t r = 0; r < rows; ++r) squares[c] += std::pow(x[r * C + c] - mean[c], 2);
    }
  });
}

void combine(const BatchnormCombineArgs& args, Context&) {
  with_real_type(args.mean.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t chunks = args.moments.dim(0), C = args.moments.dim(2);
    const double* moments = args.moments.data<double>();
    for (int64_t c = 0; c < C; ++c) {
      double n = 0, mean = 0, squares = 0;
      for (int64_t k = 0; k < chunks; ++k) {
        const double m = static_cast<double>(
            std::min(args.count_per_chunk, args.count - k * args.count_per_chunk));
        const double shift = moments[2 * k * C + c] - mean;
        squares += moments[(2 * k + 1) * C + c] + shift * shift * n * m / (n + m);
        mean += shift * m / (n + m);
        n += m;
      }
      args.mean.data<T>()[c] = static_cast<T>(mean);
      args.variance.data<T>()[c] = static_cast<T>(squares / n);
      if (!args.running_mean.defined()) continue;
      T& running_mean = args.running_mean.data<T>()[c];
      T& running_variance = args.running_variance.data<T>()[c];
      const double unbiased = squares / std::max(n - 1, 1.0);
      running_mean = static_cast<T>((1 - args.momentum) * running_mean + args.momentum * mean);
      running_variance =
          static_cast<T>((1 - args.momentum) * running_variance + args.momentum * unbiased);
    }
  });
}

void normalise(const BatchnormNormaliseArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.variance.size();
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    for (int64_t i = 0; i < args.x.size(); ++i) {
      const int64_t c = i % C;
      const double deviation = std::sqrt(args.variance.data<T>()[c] + args.epsilon);
      const double xhat = (static_cast<double>(x[i]) - args.mean.data<T>()[c]) / deviation;
      const double sum = element_or(args.gamma, c, T(1)) * xhat + element_or(args.beta, c, T(0));
      y[i] = static_cast<T>(args.relu && sum < 0 ? 0.0 : sum);
    }
  });
}

void backward_sums(const BatchnormBackwardSumsArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.mean.size();
    const int64_t rows = args.x.size() / C;
    for (int64_t c = 0; c < C; ++c) {
      const double mean = args.mean.data<T>()[c];
      const double deviation = std::sqrt(args.variance.data<T>()[c] + args.epsilon);
      double dgamma = 0, dbeta = 0;
      for (int64_t r = 0; r < rows; ++r) {
        const double dy = args.dy.data<T>()[r * C + c];
        dbeta += dy;
        dgamma += dy * (args.x.data<T>()[r * C + c] - mean) / deviation;
      }
      args.dgamma.data<T>()[c] = static_cast<T>(dgamma);
      args.dbeta.data<T>()[c] = static_cast<T>(dbeta);
    }
  });
}

void backward(const BatchnormBackwardArgs& args, Context&) {
  with_real_type(args.dy.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.variance.size();
    const double n = static_cast<double>(args.count);
    const T* dy = args.dy.data<T>();
    T* dx = args.dx.data<T>();
    for (int64_t i = 0; i < args.dy.size(); ++i) {
      const int64_t c = i % C;
      const double deviation = std::sqrt(args.variance.data<T>()[c] + args.epsilon);
      double g = dy[i];
      if (args.dgamma.defined()) {
        const double xhat = (args.x.data<T>()[i] - args.mean.data<T>()[c]) / deviation;
        g -= (args.dbeta.data<T>()[c] + xhat * args.dgamma.data<T>()[c]) / n;
      }
      g *= element_or(args.gamma, c, T(1)) / deviation;
      dx[i] = static_cast<T>(args.write == Write::accumulate ? dx[i] + g : g);
    }
  });
}

}  // namespace

void register_batchnorm_reference(OpRegistry& registry) {
  registry.add<BatchnormMomentsArgs>({"reference", Device::cpu, supports_all, moments});
  registry.add<BatchnormCombineArgs>({"reference", Device::cpu, supports_all, combine});
  registry.add<BatchnormNormaliseArgs>({"reference", Device::cpu, supports_all, normalise});
  registry.add<BatchnormBackwardSumsArgs>({"reference", Device::cpu, supports_all, backward_sums});
  registry.add<BatchnormBackwardArgs>({"reference", Device::cpu, supports_all, backward});
}

}  // namespace topograd
