// Group normalisation in vector code. Lanes are channels, whatever the groups are: each pass over
// an image forms two sums per channel, a group's sums are added up from its channels', and what is
// written is the same linear combination of the arrays at every pixel, with a channel's own
// coefficients. An image's activations mostly stay in the second-level cache between passes.
//
// Sums are in float for 32 pixels, of deviations from the group's first element, then in double: a
// large common offset costs no digits.
//
// With dev = (x - first) - offset, xhat = dev i, a channel's s1 = sum of dy, s2 = sum of dy xhat,
// and the means m, q, a, b of layer_norm.h and layer_norm_tangent.h over a group:
//   m  = sum of gamma s1 / M,             q  = sum of gamma s2 / M
//   m' = sum of gamma' s1 + gamma s1' / M,   q' = sum of gamma' s2 + gamma s2' / M
//   dx  = gamma i dy - i^2 q dev - i m
//   y'  = gamma i (x' - a) + i (gamma' - gamma i b) dev + beta'
//   dx' = gamma i dy' + i (gamma' - gamma i b) dy - i^2 q (x' - a) + i^2 (2 i q b - q') dev
//       + i (i b m - m')
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/core/optional_vector.h"
#include "kernels/group_norm/group_norm.h"
#include "kernels/group_norm/group_norm_tangent.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/group_norm/group_norm_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

#ifndef TOPOGRAD_GROUP_NORM
#define TOPOGRAD_GROUP_NORM
namespace topograd {

/// Extents of an image, and what its channels' deviations are taken from.
struct ChannelCentres {
  int64_t pixels, C;
  const float *first, *offset;  // [C] each
};

/// Coefficients of what is written, [C] each; null: that array is not read.
///   out = c_x (x - first) + shift + c_dy dy + c_dy_tangent dy' + c_x_tangent (x' - a)
struct Coefficients {
  const float *first = nullptr, *x = nullptr, *shift = nullptr;
  const float *dy = nullptr, *dy_tangent = nullptr, *x_tangent = nullptr, *a = nullptr;
};

/// The arrays of an image that these belong to.
struct ImageArrays {
  float* out = nullptr;
  const float *x = nullptr, *dy = nullptr, *dy_tangent = nullptr, *x_tangent = nullptr;
  bool accumulate = false;
};

/// What add_sums() adds up per channel.
enum class ChannelSums {
  deviations,  ///< x - first
  squares,     ///< dev^2
  products,    ///< v, and v dev
  cross        ///< v (w - a), with offset for a
};

}  // namespace topograd
#endif  // TOPOGRAD_GROUP_NORM

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls work(tag, c) for channels c, c + 1, ... as many as the tag has lanes: whole vectors, then
/// shorter ones, then vectors of one lane.
template <class Work>
HWY_INLINE void over_channels(int64_t C, const Work& work) {
  int64_t c = 0;
  const auto vectors = [&](auto d) HWY_ATTR {
    const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
    for (; c + lanes <= C; c += lanes) work(d, c);
  };
  vectors(hn::ScalableTag<float>());
  vectors(hn::CappedTag<float, 8>());
  vectors(hn::CappedTag<float, 4>());
  vectors(hn::CappedTag<float, 1>());
}

/// Adds to sums [2, C] the sums over an image's pixels of term(tag, element, channel, a, b), which
/// adds to a and b. partial [2, C] is scratch.
template <class Term>
HWY_INLINE void add_over_pixels(double* sums, float* partial, int64_t pixels, int64_t C,
                                const Term& term) {
  constexpr int64_t kBlock = 32;
  for (int64_t begin = 0; begin < pixels; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, pixels);
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      auto a = hn::Zero(d), b = hn::Zero(d);
      for (int64_t p = begin; p < end; ++p) term(d, p * C + c, c, a, b);
      hn::StoreU(a, d, partial + c);
      hn::StoreU(b, d, partial + C + c);
    });
    for (int64_t j = 0; j < 2 * C; ++j) sums[j] += partial[j];
  }
}

void add_sums(double* sums, float* partial, const ChannelCentres& centres, ChannelSums which,
              const float* x, const float* v) {
  const float *first = centres.first, *offset = centres.offset;
  const auto deviation = [&](auto d, int64_t i, int64_t c) HWY_ATTR {
    return hn::Sub(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, first + c)), hn::LoadU(d, offset + c));
  };
  const auto sum = [&](const auto& term) HWY_ATTR {
    add_over_pixels(sums, partial, centres.pixels, centres.C, term);
  };
  switch (which) {
    case ChannelSums::deviations:
      return sum([&](auto d, int64_t i, int64_t c, auto& a, auto&) HWY_ATTR {
        a = hn::Add(a, hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, first + c)));
      });
    case ChannelSums::squares:
      return sum([&](auto d, int64_t i, int64_t c, auto& a, auto&) HWY_ATTR {
        const auto dev = deviation(d, i, c);
        a = hn::MulAdd(dev, dev, a);
      });
    case ChannelSums::products:
      return sum([&](auto d, int64_t i, int64_t c, auto& a, auto& b) HWY_ATTR {
        const auto value = hn::LoadU(d, v + i);
        a = hn::Add(a, value);
        b = hn::MulAdd(value, deviation(d, i, c), b);
      });
    case ChannelSums::cross:
      return sum([&](auto d, int64_t i, int64_t c, auto& a, auto&) HWY_ATTR {
        a = hn::MulAdd(hn::LoadU(d, v + i), hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, offset + c)),
                       a);
      });
  }
}

/// Writes an image from x, with kDy dy, with kTangent x', with both dy' too.
template <bool kDy, bool kTangent>
HWY_INLINE void combine_arrays(const ImageArrays& in, const Coefficients& k, int64_t pixels,
                               int64_t C) {
  for (int64_t p = 0; p < pixels; ++p)
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      const int64_t i = p * C + c;
      auto sum = hn::MulAdd(hn::Sub(hn::LoadU(d, in.x + i), hn::LoadU(d, k.first + c)),
                            hn::LoadU(d, k.x + c), hn::LoadU(d, k.shift + c));
      if constexpr (kDy) sum = hn::MulAdd(hn::LoadU(d, in.dy + i), hn::LoadU(d, k.dy + c), sum);
      if constexpr (kTangent)
        sum = hn::MulAdd(hn::Sub(hn::LoadU(d, in.x_tangent + i), hn::LoadU(d, k.a + c)),
                         hn::LoadU(d, k.x_tangent + c), sum);
      if constexpr (kDy && kTangent)
        sum = hn::MulAdd(hn::LoadU(d, in.dy_tangent + i), hn::LoadU(d, k.dy_tangent + c), sum);
      if (in.accumulate) sum = hn::Add(sum, hn::LoadU(d, in.out + i));
      hn::StoreU(sum, d, in.out + i);
    });
}

void combine(const ImageArrays& in, const Coefficients& k, int64_t pixels, int64_t C) {
  if (in.dy && in.x_tangent)
    combine_arrays<true, true>(in, k, pixels, C);
  else if (in.dy)
    combine_arrays<true, false>(in, k, pixels, C);
  else if (in.x_tangent)
    combine_arrays<false, true>(in, k, pixels, C);
  else
    combine_arrays<false, false>(in, k, pixels, C);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(add_sums);
HWY_EXPORT(combine);

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

const float* elements(const Tensor& t, int64_t first) {
  return t.data<float>() + first;
}

/// Statistics of the groups of one image after the other. Tables hold a number per channel; a
/// group's number is there for each of its channels.
class Statistics {
 public:
  const GroupExtents e;
  Doubles inverse, a, b;

  Statistics(const Tensor& x, int64_t groups, double epsilon)
      : e(x, groups),
        inverse(table()),
        a(table()),
        b(table()),
        epsilon_(epsilon),
        first_(at(e.channels)),
        offset_(at(e.channels)),
        a_float_(at(e.channels)),
        partial_(at(2 * e.channels)) {}

  /// Turns to an image.
  void begin(const float* x) {
    x_ = x;
    const int64_t K = e.group_channels();
    for (int64_t c = 0; c < e.channels; ++c) first_[at(c)] = x[c / K * K];
    std::fill(offset_.begin(), offset_.end(), 0.0F);
    const Doubles means = group_means(sums(ChannelSums::deviations, x, nullptr));
    for (int64_t c = 0; c < e.channels; ++c) offset_[at(c)] = static_cast<float>(means[at(c)]);
    const Doubles variances = group_means(sums(ChannelSums::squares, x, nullptr));
    for (int64_t c = 0; c < e.channels; ++c)
      inverse[at(c)] = 1 / std::sqrt(variances[at(c)] + epsilon_);
  }
  /// Turns to its tangent: a = mean of x', b = mean of x' xhat.
  void begin_tangent(const float* x_tangent) {
    x_tangent_ = x_tangent;
    const Doubles s = products(x_tangent);
    a = group_means(s);
    b = group_means(Doubles(s.begin() + e.channels, s.end()));
    for (int64_t c = 0; c < e.channels; ++c) a_float_[at(c)] = static_cast<float>(a[at(c)]);
  }

  /// Returns per channel the sums over the image of v, then those of v xhat: [2, C].
  Doubles products(const float* v) {
    Doubles s = sums(ChannelSums::products, x_, v);
    for (int64_t c = 0; c < e.channels; ++c) s[at(e.channels + c)] *= inverse[at(c)];
    return s;
  }
  /// Returns per channel the sums of dy', then those of dy' xhat + dy xhat'. `of_dy` is
  /// products(dy).
  Doubles tangent_products(const float* dy_tangent, const float* dy, const Doubles& of_dy) {
    Doubles s = products(dy_tangent);
    const ChannelCentres from_a{e.pixels, e.channels, first_.data(), a_float_.data()};
    const Doubles cross = sums(ChannelSums::cross, x_tangent_, dy, from_a);
    for (int64_t c = 0; c < e.channels; ++c)
      s[at(e.channels + c)] +=
          inverse[at(c)] * (cross[at(c)] - b[at(c)] * of_dy[at(e.channels + c)]);
    return s;
  }
  /// Returns the mean over each group of its channels' sums.
  Doubles group_means(const Doubles& per_channel) const {
    Doubles means = table();
    const int64_t K = e.group_channels();
    for (int64_t begin = 0; begin < e.channels; begin += K) {
      double sum = 0;
      for (int64_t c = begin; c < begin + K; ++c) sum += per_channel[at(c)];
      std::fill_n(means.begin() + begin, K, sum / static_cast<double>(e.group_size()));
    }
    return means;
  }

  /// Writes out = c_x dev + shift + ...; `k` has the pointers to coefficients that are not of x.
  void write(ImageArrays arrays, Coefficients k, const Doubles& c_x, const Doubles& shift) const {
    Floats of_x(c_x.begin(), c_x.end()), shifts(at(e.channels));
    for (size_t c = 0; c < shifts.size(); ++c)
      shifts[c] = static_cast<float>(shift[c] - c_x[c] * offset_[c]);
    arrays.x = x_;
    k.first = first_.data();
    k.x = of_x.data();
    k.shift = shifts.data();
    k.a = a_float_.data();
    HWY_DYNAMIC_DISPATCH(combine)(arrays, k, e.pixels, e.channels);
  }

  Doubles table() const { return Doubles(at(e.channels), 0.0); }
  static size_t at(int64_t c) { return static_cast<size_t>(c); }

 private:
  Doubles sums(ChannelSums which, const float* x, const float* v) {
    return sums(which, x, v, {e.pixels, e.channels, first_.data(), offset_.data()});
  }
  Doubles sums(ChannelSums which, const float* x, const float* v, const ChannelCentres& centres) {
    Doubles result(at(2 * e.channels), 0.0);
    HWY_DYNAMIC_DISPATCH(add_sums)(result.data(), partial_.data(), centres, which, x, v);
    return result;
  }

  double epsilon_;
  Floats first_, offset_, a_float_, partial_;
  const float *x_ = nullptr, *x_tangent_ = nullptr;
};

/// Returns a table in float of value(c).
template <class Value>
Floats floats(int64_t C, const Value& value) {
  Floats result(static_cast<size_t>(C));
  for (int64_t c = 0; c < C; ++c)
    result[static_cast<size_t>(c)] = static_cast<float>(value(static_cast<size_t>(c)));
  return result;
}
template <class Value>
Doubles doubles(int64_t C, const Value& value) {
  Doubles result(static_cast<size_t>(C));
  for (int64_t c = 0; c < C; ++c) result[static_cast<size_t>(c)] = value(static_cast<size_t>(c));
  return result;
}
/// A vector of parameters in double, or one of `otherwise`.
Doubles parameters(const Tensor& vector, int64_t C, float otherwise) {
  return doubles(C,
                 [&](size_t c) { return element_or(vector, static_cast<int64_t>(c), otherwise); });
}

/// Calls work(statistics, first element) for every image of x.
template <class Args, class Work>
void for_each_image(const Args& args, const Work& work) {
  Statistics statistics(args.x, args.groups, args.epsilon);
  for (int64_t n = 0; n < statistics.e.images; ++n) {
    const int64_t first = n * statistics.e.image();
    statistics.begin(elements(args.x, first));
    work(statistics, first);
  }
}

void run(const GroupNormArgs& args, Context&) {
  const int64_t C = GroupExtents(args.x, args.groups).channels;
  const Doubles gamma = parameters(args.gamma, C, 1), beta = parameters(args.beta, C, 0);
  for_each_image(args, [&](Statistics& s, int64_t first) {
    s.write({.out = args.y.data<float>() + first}, {},
            doubles(C, [&](size_t c) { return gamma[c] * s.inverse[c]; }), beta);
  });
}

/// The means m and q of a gradient.
struct GradientMeans {
  Doubles m, q;
  GradientMeans(const Statistics& s, const Doubles& gamma, const Doubles& sums)
      : m(s.group_means(weighted(gamma, sums, 0))),
        q(s.group_means(weighted(gamma, sums, gamma.size()))) {}
  static Doubles weighted(const Doubles& gamma, const Doubles& sums, size_t begin) {
    return doubles(static_cast<int64_t>(gamma.size()),
                   [&](size_t c) { return gamma[c] * sums[begin + c]; });
  }
};

void run(const GroupNormBackwardArgs& args, Context&) {
  const int64_t C = GroupExtents(args.x, args.groups).channels;
  const Doubles gamma = parameters(args.gamma, C, 1);
  for_each_image(args, [&](Statistics& s, int64_t first) {
    const float* dy = elements(args.dy, first);
    const GradientMeans mean(s, gamma, s.products(dy));
    const Floats of_dy = floats(C, [&](size_t c) { return gamma[c] * s.inverse[c]; });
    s.write({.out = args.dx.data<float>() + first,
             .dy = dy,
             .accumulate = args.write == Write::accumulate},
            {.dy = of_dy.data()},
            doubles(C, [&](size_t c) { return -s.inverse[c] * s.inverse[c] * mean.q[c]; }),
            doubles(C, [&](size_t c) { return -s.inverse[c] * mean.m[c]; }));
  });
}

/// Writes what was summed over the images for the scales and for the shifts, [2, C].
void write_sums(const Tensor& gamma, const Tensor& beta, const Doubles& sums, Write write) {
  const int64_t C = gamma.size();
  for (int64_t i = 0; i < 2 * C; ++i) {
    float& target = (i < C ? beta : gamma).data<float>()[i % C];
    const double sum = sums[static_cast<size_t>(i)];
    target = static_cast<float>(write == Write::accumulate ? target + sum : sum);
  }
}

void add(Doubles& sums, const Doubles& more) {
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += more[i];
}

void run(const GroupNormBackwardSumsArgs& args, Context&) {
  Doubles sums(static_cast<size_t>(2 * args.dgamma.size()), 0.0);
  for_each_image(
      args, [&](Statistics& s, int64_t first) { add(sums, s.products(elements(args.dy, first))); });
  write_sums(args.dgamma, args.dbeta, sums, args.write);
}

void run(const GroupNormTangentArgs& args, Context&) {
  const int64_t C = GroupExtents(args.x, args.groups).channels;
  const Doubles gamma = parameters(args.gamma, C, 1);
  const Doubles gamma_tangent = parameters(args.gamma_tangent, C, 0);
  const Doubles beta_tangent = parameters(args.beta_tangent, C, 0);
  for_each_image(args, [&](Statistics& s, int64_t first) {
    const float* x_tangent = elements(args.x_tangent, first);
    s.begin_tangent(x_tangent);
    const Floats of_tangent = floats(C, [&](size_t c) { return gamma[c] * s.inverse[c]; });
    s.write({.out = args.y_tangent.data<float>() + first, .x_tangent = x_tangent},
            {.x_tangent = of_tangent.data()},
            doubles(C,
                    [&](size_t c) {
                      return s.inverse[c] * (gamma_tangent[c] - gamma[c] * s.inverse[c] * s.b[c]);
                    }),
            beta_tangent);
  });
}

void run(const GroupNormTangentBackwardArgs& args, Context&) {
  const int64_t C = GroupExtents(args.x, args.groups).channels;
  const Doubles gamma = parameters(args.gamma, C, 1);
  const Doubles gamma_tangent = parameters(args.gamma_tangent, C, 0);
  for_each_image(args, [&](Statistics& s, int64_t first) {
    const float *dy = elements(args.dy, first), *dy_tangent = elements(args.dy_tangent, first);
    const float* x_tangent = elements(args.x_tangent, first);
    s.begin_tangent(x_tangent);
    const Doubles sums = s.products(dy), moved = s.tangent_products(dy_tangent, dy, sums);
    const GradientMeans mean(s, gamma, sums), of_moved(s, gamma, moved),
        of_gamma(s, gamma_tangent, sums);
    const Doubles &i = s.inverse, &b = s.b, &m = mean.m, &q = mean.q;
    const Floats of_dy_tangent = floats(C, [&](size_t c) { return gamma[c] * i[c]; });
    const Floats of_dy =
        floats(C, [&](size_t c) { return i[c] * (gamma_tangent[c] - gamma[c] * i[c] * b[c]); });
    const Floats of_tangent = floats(C, [&](size_t c) { return -i[c] * i[c] * q[c]; });
    s.write(
        {.out = args.dx_tangent.data<float>() + first,
         .dy = dy,
         .dy_tangent = dy_tangent,
         .x_tangent = x_tangent,
         .accumulate = args.write == Write::accumulate},
        {.dy = of_dy.data(), .dy_tangent = of_dy_tangent.data(), .x_tangent = of_tangent.data()},
        doubles(C,
                [&](size_t c) {
                  return i[c] * i[c] * (2 * i[c] * q[c] * b[c] - of_moved.q[c] - of_gamma.q[c]);
                }),
        doubles(C, [&](size_t c) {
          return i[c] * (i[c] * b[c] * m[c] - of_moved.m[c] - of_gamma.m[c]);
        }));
  });
}

void run(const GroupNormTangentSumsArgs& args, Context&) {
  Doubles sums(static_cast<size_t>(2 * args.dgamma_tangent.size()), 0.0);
  for_each_image(args, [&](Statistics& s, int64_t first) {
    const float* dy = elements(args.dy, first);
    s.begin_tangent(elements(args.x_tangent, first));
    add(sums, s.tangent_products(elements(args.dy_tangent, first), dy, s.products(dy)));
  });
  write_sums(args.dgamma_tangent, args.dbeta_tangent, sums, args.write);
}

template <class Args>
void add_to(OpRegistry& registry) {
  registry.add<Args>(
      {"highway", Device::cpu, [](const Args& args) { return args.x.dtype() == DType::f32; }, run});
}

}  // namespace

void register_group_norm_highway(OpRegistry& registry) {
  add_to<GroupNormArgs>(registry);
  add_to<GroupNormBackwardArgs>(registry);
  add_to<GroupNormBackwardSumsArgs>(registry);
  add_to<GroupNormTangentArgs>(registry);
  add_to<GroupNormTangentBackwardArgs>(registry);
  add_to<GroupNormTangentSumsArgs>(registry);
}

}  // namespace topograd
#endif  // HWY_ONCE
