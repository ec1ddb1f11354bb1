// The tangents of batch normalisation in vector code, in the scheme of batchnorm_highway.cpp:
// arrays are walked period by period beside tables of per-channel constants. The formulas of
// batchnorm_tangent.h are gathered by the arrays they read, with s = gamma i, b as there, and
//   xhat' = i (x' - a) - i^2 b (x - mean):
//   y'  = s (x' - a) + (gamma' i - s i b) (x - mean) + beta'
//   dx' = s dy' + t dy + p (x' - a) + q (x - mean) + r,    t = (gamma' - s b) i,
//         p = -s i dgamma / n,   q = -(s dgamma' + t dgamma - s i b dgamma) i / n,
//         r = -(s dbeta' + t dbeta) / n
// so that each is one pass, bounded by memory: 12 and 20 bytes per element.
#include <array>
#include <cmath>

#include "kernels/batchnorm/batchnorm_tangent.h"
#include "kernels/batchnorm/channel_periods.h"
#include "kernels/core/optional_vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/batchnorm/batchnorm_tangent_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

#ifndef TOPOGRAD_BATCHNORM_TANGENT
#define TOPOGRAD_BATCHNORM_TANGENT
namespace topograd {

/// Term factor (x - centre), per channel; left out where x is null.
struct ChannelTerm {
  const float* x = nullptr;
  std::vector<float> factor, centre;
};

}  // namespace topograd
#endif  // TOPOGRAD_BATCHNORM_TANGENT

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

int64_t vector_lanes() {
  return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<float>()));
}

/// Computes out (+)= sum of the terms + shift over whole periods. The last two terms are centred.
void add_terms(float* out, const ChannelTerm* terms, const float* shift, int64_t periods, int64_t P,
               bool accumulate) {
  const hn::ScalableTag<float> d;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t p = 0; p < periods; ++p)
    for (int64_t j = 0; j < P; j += L) {
      auto sum = hn::LoadU(d, shift + j);
      for (int k = 0; k < 4; ++k) {
        if (terms[k].x == nullptr) continue;
        auto x = hn::LoadU(d, terms[k].x + p * P + j);
        if (k >= 2) x = hn::Sub(x, hn::LoadU(d, terms[k].centre.data() + j));
        sum = hn::MulAdd(x, hn::LoadU(d, terms[k].factor.data() + j), sum);
      }
      if (accumulate) sum = hn::Add(sum, hn::LoadU(d, out + p * P + j));
      hn::StoreU(sum, d, out + p * P + j);
    }
}

/// Adds products[j] += dy' c + dy ((x' - a) - slope c) with c = x - mean, tangents[j] += dy', over
/// whole periods.
void sum_tangents(float* products, float* tangents, const float* dy_tangent, const float* dy,
                  const float* x_tangent, const float* x, const float* mean, const float* a,
                  const float* slope, int64_t periods, int64_t P) {
  const hn::ScalableTag<float> d;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0, p = 0; p < periods; ++p)
    for (int64_t j = 0; j < P; j += L, i += L) {
      const auto c = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + j));
      auto moved = hn::Sub(hn::LoadU(d, x_tangent + i), hn::LoadU(d, a + j));
      moved = hn::NegMulAdd(hn::LoadU(d, slope + j), c, moved);
      const auto g = hn::LoadU(d, dy_tangent + i);
      auto sum = hn::MulAdd(g, c, hn::LoadU(d, products + j));
      sum = hn::MulAdd(hn::LoadU(d, dy + i), moved, sum);
      hn::StoreU(sum, d, products + j);
      hn::StoreU(hn::Add(g, hn::LoadU(d, tangents + j)), d, tangents + j);
    }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(vector_lanes);
HWY_EXPORT(add_terms);
HWY_EXPORT(sum_tangents);

/// Element c of a vector, or `otherwise` where there is none.
double at(const Tensor& t, int64_t c, float otherwise = 0) {
  return element_or(t, c, otherwise);
}

/// Constants i, a and b of a channel.
struct Constants {
  Constants(const BatchnormTangentState& state, int64_t c)
      : i(1 / std::sqrt(at(state.variance, c) + state.epsilon)) {
    if (!state.is_batch()) return;
    a = at(state.sum_tangents, c) / static_cast<double>(state.count);
    b = at(state.sum_products, c) / static_cast<double>(state.count);
  }
  double i, a = 0, b = 0;
};

using Terms = std::array<ChannelTerm, 4>;

void write_terms(float* out, const Terms& terms, const std::vector<float>& shift,
                 const ChannelPeriods& p, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(add_terms)(out, terms.data(), shift.data(), p.whole, p.P, accumulate);
  for (int64_t i = p.tail_begin; i < p.size; ++i) {
    const size_t c = static_cast<size_t>(i % p.C);
    float sum = shift[c];
    for (const ChannelTerm& term : terms)
      if (term.x)
        sum += (term.x[i] - (term.centre.empty() ? 0.0F : term.centre[c])) * term.factor[c];
    out[i] = accumulate ? out[i] + sum : sum;
  }
}

void tangent(const BatchnormTangentArgs& args, Context&) {
  const int64_t C = args.state.variance.size();
  const ChannelPeriods p(args.x, C, HWY_DYNAMIC_DISPATCH(vector_lanes)());
  const auto table = [&](auto value) {
    return p.table([&](int64_t c) { return value(Constants(args.state, c), c); });
  };
  Terms terms;
  terms[2] = {args.x_tangent.data<float>(),
              table([&](const Constants& k, int64_t c) { return at(args.gamma, c, 1) * k.i; }),
              table([](const Constants& k, int64_t) { return k.a; })};
  terms[3] = {args.x.data<float>(), table([&](const Constants& k, int64_t c) {
                return k.i * (at(args.gamma_tangent, c) - at(args.gamma, c, 1) * k.i * k.b);
              }),
              table([&](const Constants&, int64_t c) { return at(args.state.mean, c); })};
  const auto shift = table([&](const Constants&, int64_t c) { return at(args.beta_tangent, c); });
  write_terms(args.y_tangent.data<float>(), terms, shift, p, false);
}

void sums(const BatchnormTangentSumsArgs& args, Context&) {
  const int64_t C = args.dgamma_tangent.size();
  const ChannelPeriods p(args.x, C, HWY_DYNAMIC_DISPATCH(vector_lanes)());
  const auto mean = p.table([&](int64_t c) { return at(args.state.mean, c); });
  const auto a = p.table([&](int64_t c) { return Constants(args.state, c).a; });
  const auto slope = p.table([&](int64_t c) {
    const Constants k(args.state, c);
    return k.i * k.b;
  });
  const float *x = args.x.data<float>(), *x_tangent = args.x_tangent.data<float>();
  const float *dy = args.dy.data<float>(), *dy_tangent = args.dy_tangent.data<float>();
  std::vector<double> products(static_cast<size_t>(C)), tangents(static_cast<size_t>(C));
  std::vector<float> partial(static_cast<size_t>(2 * p.P));
  for (int64_t begin = 0; begin < p.whole; begin += kPeriodsPerBlock) {
    std::fill(partial.begin(), partial.end(), 0.0F);
    const int64_t from = begin * p.P;
    HWY_DYNAMIC_DISPATCH(sum_tangents)
    (partial.data(), partial.data() + p.P, dy_tangent + from, dy + from, x_tangent + from, x + from,
     mean.data(), a.data(), slope.data(), std::min(kPeriodsPerBlock, p.whole - begin), p.P);
    for (int64_t j = 0; j < p.P; ++j) {
      products[static_cast<size_t>(j % C)] += partial[static_cast<size_t>(j)];
      tangents[static_cast<size_t>(j % C)] += partial[static_cast<size_t>(p.P + j)];
    }
  }
  for (int64_t i = p.tail_begin; i < p.size; ++i) {
    const size_t c = static_cast<size_t>(i % C);
    const double centred = x[i] - mean[c];
    products[c] += dy_tangent[i] * centred + dy[i] * (x_tangent[i] - a[c] - slope[c] * centred);
    tangents[c] += dy_tangent[i];
  }
  for (int64_t c = 0; c < C; ++c) {
    const size_t k = static_cast<size_t>(c);
    args.dgamma_tangent.data<float>()[c] =
        static_cast<float>(products[k] * Constants(args.state, c).i);
    args.dbeta_tangent.data<float>()[c] = static_cast<float>(tangents[k]);
  }
}

void backward(const BatchnormTangentBackwardArgs& args, Context&) {
  const int64_t C = args.state.variance.size();
  const ChannelPeriods p(args.dy, C, HWY_DYNAMIC_DISPATCH(vector_lanes)());
  const auto table = [&](auto value) {
    return p.table([&](int64_t c) {
      const Constants k(args.state, c);
      const double s = at(args.gamma, c, 1) * k.i;
      return value(k, c, s, k.i * (at(args.gamma_tangent, c) - s * k.b));
    });
  };
  Terms terms;
  terms[0] = {args.dy_tangent.data<float>(),
              table([](const Constants&, int64_t, double s, double) { return s; }),
              {}};
  terms[1] = {args.dy.data<float>(),
              table([](const Constants&, int64_t, double, double t) { return t; }),
              {}};
  auto shift = table([](const Constants&, int64_t, double, double) { return 0.0; });
  if (args.state.is_batch()) {
    const double n = static_cast<double>(args.state.count);
    terms[2] = {args.x_tangent.data<float>(),
                table([&](const Constants& k, int64_t c, double s, double) {
                  return -s * k.i * at(args.dgamma, c) / n;
                }),
                table([](const Constants& k, int64_t, double, double) { return k.a; })};
    terms[3] = {
        args.x.data<float>(), table([&](const Constants& k, int64_t c, double s, double t) {
          const double dgamma = at(args.dgamma, c);
          return -k.i * (s * at(args.dgamma_tangent, c) + (t - s * k.i * k.b) * dgamma) / n;
        }),
        table([&](const Constants&, int64_t c, double, double) { return at(args.state.mean, c); })};
    shift = table([&](const Constants&, int64_t c, double s, double t) {
      return -(s * at(args.dbeta_tangent, c) + t * at(args.dbeta, c)) / n;
    });
  }
  write_terms(args.dx_tangent.data<float>(), terms, shift, p, args.write == Write::accumulate);
}

}  // namespace

void register_batchnorm_tangent_highway(OpRegistry& registry) {
  registry.add<BatchnormTangentArgs>(
      {"highway", Device::cpu,
       [](const BatchnormTangentArgs& a) { return a.x.dtype() == DType::f32; }, tangent});
  registry.add<BatchnormTangentSumsArgs>(
      {"highway", Device::cpu,
       [](const BatchnormTangentSumsArgs& a) { return a.x.dtype() == DType::f32; }, sums});
  registry.add<BatchnormTangentBackwardArgs>(
      {"highway", Device::cpu,
       [](const BatchnormTangentBackwardArgs& a) { return a.dy.dtype() == DType::f32; }, backward});
}

}  // namespace topograd
#endif  // HWY_ONCE
