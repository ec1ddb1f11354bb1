// Batch normalisation in vector code. Memory bounds every loop here (4 to 12 bytes moved per one to
// four operations), so one simple scheme serves every number of channels: x is a flat array in
// which channel c recurs every C elements, and so does any vector of constants. Per-channel
// constants are spread into tables of one period P, a multiple of C and of the vector length, and
// the loops walk x period by period beside the tables. A sum has P partial sums, long enough that
// no addition waits for the one before it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/channel_periods.h"
#include "kernels/core/optional_vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/batchnorm/batchnorm_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Lanes of one vector, of which a period must be a multiple.
int64_t lanes() {
  return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<float>()));
}

/// Adds partial[j] += sum over whole periods of x[.. + j] - shift[j], or of its square.
template <bool kSquare>
void sum_periods(float* partial, const float* x, const float* shift, int64_t periods, int64_t P) {
  const hn::ScalableTag<float> d;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t p = 0; p < periods; ++p, x += P) {
    for (int64_t j = 0; j < P; j += L) {
      const auto v = hn::Sub(hn::LoadU(d, x + j), hn::LoadU(d, shift + j));
      const auto sum = hn::LoadU(d, partial + j);
      hn::StoreU(kSquare ? hn::MulAdd(v, v, sum) : hn::Add(sum, v), d, partial + j);
    }
  }
}
void sum_deviations(float* partial, const float* x, const float* shift, int64_t periods,
                    int64_t P) {
  sum_periods<false>(partial, x, shift, periods, P);
}
void sum_squares(float* partial, const float* x, const float* shift, int64_t periods, int64_t P) {
  sum_periods<true>(partial, x, shift, periods, P);
}

/// Adds partial_b[j] += sum of dy, partial_g[j] += sum of dy * (x - mean[j]).
void sum_gradients(float* partial_g, float* partial_b, const float* dy, const float* x,
                   const float* mean, int64_t periods, int64_t P) {
  const hn::ScalableTag<float> d;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t p = 0; p < periods; ++p, x += P, dy += P) {
    for (int64_t j = 0; j < P; j += L) {
      const auto g = hn::LoadU(d, dy + j);
      const auto v = hn::Sub(hn::LoadU(d, x + j), hn::LoadU(d, mean + j));
      hn::StoreU(hn::MulAdd(g, v, hn::LoadU(d, partial_g + j)), d, partial_g + j);
      hn::StoreU(hn::Add(g, hn::LoadU(d, partial_b + j)), d, partial_b + j);
    }
  }
}

/// Computes y = (x - mean) * scale + beta over whole periods.
void normalise(float* y, const float* x, const float* mean, const float* scale, const float* beta,
               int64_t periods, int64_t P, bool relu) {
  const hn::ScalableTag<float> d;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  const auto least = hn::Set(d, relu ? 0.0f : -std::numeric_limits<float>::infinity());
  for (int64_t p = 0; p < periods; ++p, x += P, y += P) {
    for (int64_t j = 0; j < P; j += L) {
      const auto v = hn::Sub(hn::LoadU(d, x + j), hn::LoadU(d, mean + j));
      const auto sum = hn::MulAdd(v, hn::LoadU(d, scale + j), hn::LoadU(d, beta + j));
      hn::StoreU(hn::IfThenElse(hn::Lt(sum, least), least, sum), d, y + j);
    }
  }
}

/// Computes dx (+)= scale * dy + (x - mean) * slope + shift over whole periods; x null: scale * dy
/// alone.
void backward(float* dx, const float* dy, const float* x, const float* mean, const float* scale,
              const float* slope, const float* shift, int64_t periods, int64_t P, bool accumulate) {
  const hn::ScalableTag<float> d;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t p = 0; p < periods; ++p, dx += P, dy += P) {
    for (int64_t j = 0; j < P; j += L) {
      auto g = hn::Mul(hn::LoadU(d, dy + j), hn::LoadU(d, scale + j));
      if (x != nullptr) {
        const auto v = hn::Sub(hn::LoadU(d, x + p * P + j), hn::LoadU(d, mean + j));
        g = hn::Add(hn::MulAdd(v, hn::LoadU(d, slope + j), hn::LoadU(d, shift + j)), g);
      }
      if (accumulate) g = hn::Add(g, hn::LoadU(d, dx + j));
      hn::StoreU(g, d, dx + j);
    }
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(lanes);
HWY_EXPORT(sum_deviations);
HWY_EXPORT(sum_squares);
HWY_EXPORT(sum_gradients);
HWY_EXPORT(normalise);
HWY_EXPORT(backward);

ChannelPeriods periods_of(const Tensor& x, int64_t channels) {
  return {x, channels, HWY_DYNAMIC_DISPATCH(lanes)()};
}

/// Sets sums[c] = sum of x - shift (or its square): blocks in float, totals in double.
template <class Sum>
void sum_channels(double* sums, const float* x, const ChannelPeriods& p,
                  const std::vector<float>& shift, Sum sum_block, bool square) {
  std::fill_n(sums, p.C, 0.0);
  std::vector<float> partial(static_cast<size_t>(p.P));
  for (int64_t begin = 0; begin < p.whole; begin += kPeriodsPerBlock) {
    std::fill(partial.begin(), partial.end(), 0.0f);
    const int64_t periods = std::min(kPeriodsPerBlock, p.whole - begin);
    sum_block(partial.data(), x + begin * p.P, shift.data(), periods, p.P);
    for (int64_t j = 0; j < p.P; j += p.C)
      for (int64_t c = 0; c < p.C; ++c) sums[c] += partial[static_cast<size_t>(j + c)];
  }
  for (int64_t i = p.tail_begin; i < p.size; ++i) {
    const double v = static_cast<double>(x[i]) - shift[static_cast<size_t>(i % p.C)];
    sums[i % p.C] += square ? v * v : v;
  }
}

void run_moments(const BatchnormMomentsArgs& args, Context&) {
  const int64_t C = args.moments.dim(1);
  const ChannelPeriods p = periods_of(args.x, C);
  const float* x = args.x.data<float>();
  double* mean = args.moments.data<double>();
  double* squares = mean + C;
  const double count = static_cast<double>(args.x.size() / C);
  // Deviations from the first pixel: a large common offset costs no digits.
  const std::vector<float> first = p.table([&](int64_t c) { return x[c]; });
  sum_channels(mean, x, p, first, HWY_DYNAMIC_DISPATCH(sum_deviations), false);
  for (int64_t c = 0; c < C; ++c) mean[c] = first[static_cast<size_t>(c)] + mean[c] / count;
  const std::vector<float> centre = p.table([&](int64_t c) { return mean[c]; });
  sum_channels(squares, x, p, centre, HWY_DYNAMIC_DISPATCH(sum_squares), true);
  for (int64_t c = 0; c < C; ++c) {  // the centre was rounded to float: shift to the exact mean
    const double rounding = mean[c] - centre[static_cast<size_t>(c)];
    squares[c] = std::max(squares[c] - count * rounding * rounding, 0.0);  // NaN stays
  }
}

double inverse_deviation(const Tensor& variance, double epsilon, int64_t c) {
  return 1 / std::sqrt(static_cast<double>(variance.data<float>()[c]) + epsilon);
}

void run_normalise(const BatchnormNormaliseArgs& args, Context&) {
  const int64_t C = args.variance.size();
  const ChannelPeriods p = periods_of(args.x, C);
  const float* x = args.x.data<float>();
  float* y = args.y.data<float>();
  const auto mean = p.table([&](int64_t c) { return args.mean.data<float>()[c]; });
  const auto beta = p.table([&](int64_t c) { return element_or(args.beta, c, 0.0F); });
  const auto scale = p.table([&](int64_t c) {
    return element_or(args.gamma, c, 1.0F) * inverse_deviation(args.variance, args.epsilon, c);
  });
  HWY_DYNAMIC_DISPATCH(normalise)
  (y, x, mean.data(), scale.data(), beta.data(), p.whole, p.P, args.relu);
  for (int64_t i = p.tail_begin; i < p.size; ++i) {
    const size_t c = static_cast<size_t>(i % C);
    const float sum = (x[i] - mean[c]) * scale[c] + beta[c];
    y[i] = args.relu && sum < 0 ? 0.0f : sum;
  }
}

void run_backward_sums(const BatchnormBackwardSumsArgs& args, Context&) {
  const int64_t C = args.mean.size();
  const ChannelPeriods p = periods_of(args.x, C);
  const float* x = args.x.data<float>();
  const float* dy = args.dy.data<float>();
  const auto mean = p.table([&](int64_t c) { return args.mean.data<float>()[c]; });
  std::vector<double> dgamma(static_cast<size_t>(C), 0.0), dbeta(static_cast<size_t>(C), 0.0);
  std::vector<float> partial_g(static_cast<size_t>(p.P)), partial_b(static_cast<size_t>(p.P));
  for (int64_t begin = 0; begin < p.whole; begin += kPeriodsPerBlock) {
    std::fill(partial_g.begin(), partial_g.end(), 0.0f);
    std::fill(partial_b.begin(), partial_b.end(), 0.0f);
    const int64_t periods = std::min(kPeriodsPerBlock, p.whole - begin);
    HWY_DYNAMIC_DISPATCH(sum_gradients)
    (partial_g.data(), partial_b.data(), dy + begin * p.P, x + begin * p.P, mean.data(), periods,
     p.P);
    for (int64_t j = 0; j < p.P; j += C)
      for (int64_t c = 0; c < C; ++c) {
        dgamma[static_cast<size_t>(c)] += partial_g[static_cast<size_t>(j + c)];
        dbeta[static_cast<size_t>(c)] += partial_b[static_cast<size_t>(j + c)];
      }
  }
  for (int64_t i = p.tail_begin; i < p.size; ++i) {
    const size_t c = static_cast<size_t>(i % C);
    dgamma[c] += static_cast<double>(dy[i]) * (x[i] - mean[c]);
    dbeta[c] += dy[i];
  }
  for (int64_t c = 0; c < C; ++c) {
    const size_t k = static_cast<size_t>(c);
    args.dgamma.data<float>()[c] =
        static_cast<float>(dgamma[k] * inverse_deviation(args.variance, args.epsilon, c));
    args.dbeta.data<float>()[c] = static_cast<float>(dbeta[k]);
  }
}

void run_backward(const BatchnormBackwardArgs& args, Context&) {
  const int64_t C = args.variance.size();
  const ChannelPeriods p = periods_of(args.dy, C);
  const float* dy = args.dy.data<float>();
  float* dx = args.dx.data<float>();
  const bool accumulate = args.write == Write::accumulate;
  const auto inverse = [&](int64_t c) { return inverse_deviation(args.variance, args.epsilon, c); };
  const auto scale =
      p.table([&](int64_t c) { return element_or(args.gamma, c, 1.0F) * inverse(c); });
  const float* x = nullptr;
  std::vector<float> mean, slope, shift;
  if (args.dgamma.defined()) {
    const double n = static_cast<double>(args.count);
    x = args.x.data<float>();
    mean = p.table([&](int64_t c) { return args.mean.data<float>()[c]; });
    slope = p.table([&](int64_t c) {
      return -element_or(args.gamma, c, 1.0F) * inverse(c) * inverse(c) *
             args.dgamma.data<float>()[c] / n;
    });
    shift = p.table([&](int64_t c) {
      return -element_or(args.gamma, c, 1.0F) * inverse(c) * args.dbeta.data<float>()[c] / n;
    });
  }
  HWY_DYNAMIC_DISPATCH(backward)
  (dx, dy, x, mean.data(), scale.data(), slope.data(), shift.data(), p.whole, p.P, accumulate);
  for (int64_t i = p.tail_begin; i < p.size; ++i) {
    const size_t c = static_cast<size_t>(i % C);
    float g = dy[i] * scale[c];
    if (x != nullptr) g += (x[i] - mean[c]) * slope[c] + shift[c];
    dx[i] = accumulate ? dx[i] + g : g;
  }
}

template <class Args>
bool is_f32(const Args& args) {
  return args.x.dtype() == DType::f32;
}

}  // namespace

void register_batchnorm_highway(OpRegistry& registry) {
  registry.add<BatchnormMomentsArgs>({"highway", Device::cpu, is_f32, run_moments});
  registry.add<BatchnormNormaliseArgs>({"highway", Device::cpu, is_f32, run_normalise});
  registry.add<BatchnormBackwardSumsArgs>({"highway", Device::cpu, is_f32, run_backward_sums});
  registry.add<BatchnormBackwardArgs>(
      {"highway", Device::cpu,
       [](const BatchnormBackwardArgs& a) { return a.dy.dtype() == DType::f32; }, run_backward});
}

}  // namespace topograd
#endif  // HWY_ONCE
