// Broadcast arithmetic in vector code. The innermost run of axes is either kept, and vectors run
// along both tensors, or repeated, and one number of the smaller tensor meets vectors of the larger
// one. Sums are in double lanes, with four vectors of the kept axis side by side, so that whole
// lines of the cache are read.
#include "kernels/broadcast/broadcast.h"
#include "kernels/broadcast/broadcast_axes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/broadcast/broadcast_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls f(tag, i, values of b) for elements i, i + 1, ... of the larger tensor, as many as the tag
/// has lanes.
template <class F>
HWY_INLINE void over_vectors(const BroadcastAxes& axes, const float* b, const F& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const bool scalar = axes.kept2 == 1;
  const int64_t rows = scalar ? 1 : axes.repeated1, length = scalar ? axes.repeated1 : axes.kept2;
  int64_t i = 0;
  for (int64_t k0 = 0; k0 < axes.kept0; ++k0)
    for (int64_t r0 = 0; r0 < axes.repeated0; ++r0)
      for (int64_t k1 = 0; k1 < axes.kept1; ++k1) {
        const float* of_b = b + (k0 * axes.kept1 + k1) * axes.kept2;
        for (int64_t row = 0; row < rows; ++row, i += length) {
          int64_t c = 0;
          if (scalar) {
            for (; c + lanes <= length; c += lanes) f(d, i + c, hn::Set(d, *of_b));
            for (; c < length; ++c) f(one, i + c, hn::Set(one, *of_b));
          } else {
            for (; c + lanes <= length; c += lanes) f(d, i + c, hn::LoadU(d, of_b + c));
            for (; c < length; ++c) f(one, i + c, hn::LoadU(one, of_b + c));
          }
        }
      }
}

/// Numbers of a sum.
struct SumTerms {
  float a_factor, b_factor, constant;
};

template <bool kHasA, bool kAccumulate>
HWY_INLINE void sum_of(float* y, const float* a, const float* b, const BroadcastAxes& axes,
                       const SumTerms& terms) {
  over_vectors(axes, b, [&](auto d, int64_t i, auto vb) HWY_ATTR {
    auto value = hn::MulAdd(hn::Set(d, terms.b_factor), vb, hn::Set(d, terms.constant));
    if constexpr (kHasA) value = hn::MulAdd(hn::Set(d, terms.a_factor), hn::LoadU(d, a + i), value);
    if constexpr (kAccumulate) value = hn::Add(hn::LoadU(d, y + i), value);
    hn::StoreU(value, d, y + i);
  });
}
void sum_all(float* y, const float* a, const float* b, const BroadcastAxes& axes, float a_factor,
             float b_factor, float constant, bool accumulate) {
  const SumTerms terms{a_factor, b_factor, constant};
  if (a && accumulate) return sum_of<true, true>(y, a, b, axes, terms);
  if (a) return sum_of<true, false>(y, a, b, axes, terms);
  if (accumulate) return sum_of<false, true>(y, a, b, axes, terms);
  return sum_of<false, false>(y, a, b, axes, terms);
}

void product_all(float* y, const float* a, const float* b, const BroadcastAxes& axes,
                 bool accumulate) {
  if (accumulate)
    return over_vectors(axes, b, [&](auto d, int64_t i, auto vb) HWY_ATTR {
      hn::StoreU(hn::MulAdd(hn::LoadU(d, a + i), vb, hn::LoadU(d, y + i)), d, y + i);
    });
  over_vectors(axes, b, [&](auto d, int64_t i, auto vb) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, a + i), vb), d, y + i);
  });
}

/// What a sum is taken of, and where it goes.
struct Reduction {
  float* r;
  const float *u, *v;  // v may be null
  BroadcastAxes axes;
  double factor;
  bool accumulate;

  void store(int64_t at, double sum) const {
    r[at] = static_cast<float>(accumulate ? r[at] + factor * sum : factor * sum);
  }
};

/// Loads u v, or u, in double.
template <bool kHasV, class D>
HWY_INLINE hn::Vec<D> term(D d, const Reduction& in, int64_t i) {
  const hn::Rebind<float, D> half;
  const auto u = hn::PromoteTo(d, hn::LoadU(half, in.u + i));
  if constexpr (kHasV) return hn::Mul(u, hn::PromoteTo(d, hn::LoadU(half, in.v + i)));
  return u;
}

/// Sums kVectors vectors of the kept axis, from channel c on, over all repeated axes: they begin at
/// element `first`, `row` elements apart from one step of the outer repeated axis to the next.
template <bool kHasV, int kVectors, class D>
HWY_INLINE void sum_columns(D d, const Reduction& in, int64_t first, int64_t row, int64_t to) {
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (int64_t r0 = 0; r0 < in.axes.repeated0; ++r0)
    for (int64_t r1 = 0; r1 < in.axes.repeated1; ++r1) {
      const int64_t i = first + r0 * row + r1 * in.axes.kept2;
      sum0 = hn::Add(sum0, term<kHasV>(d, in, i));
      if constexpr (kVectors == 4) {
        sum1 = hn::Add(sum1, term<kHasV>(d, in, i + L));
        sum2 = hn::Add(sum2, term<kHasV>(d, in, i + 2 * L));
        sum3 = hn::Add(sum3, term<kHasV>(d, in, i + 3 * L));
      }
    }
  HWY_ALIGN double sums[4 * hn::MaxLanes(hn::ScalableTag<double>())];
  hn::StoreU(sum0, d, sums);
  if constexpr (kVectors == 4) {
    hn::StoreU(sum1, d, sums + L);
    hn::StoreU(sum2, d, sums + 2 * L);
    hn::StoreU(sum3, d, sums + 3 * L);
  }
  for (int64_t lane = 0; lane < kVectors * L; ++lane) in.store(to + lane, sums[lane]);
}

template <bool kHasV>
HWY_INLINE void reduce_of(const Reduction& in) {
  const hn::ScalableTag<double> d;
  const hn::CappedTag<double, 1> one;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  const BroadcastAxes& axes = in.axes;
  const int64_t block = axes.repeated1 * axes.kept2, row = axes.kept1 * block;
  for (int64_t k0 = 0; k0 < axes.kept0; ++k0)
    for (int64_t k1 = 0; k1 < axes.kept1; ++k1) {
      const int64_t first = k0 * axes.repeated0 * row + k1 * block;
      const int64_t to = (k0 * axes.kept1 + k1) * axes.kept2;
      if (axes.kept2 > 1) {
        int64_t c = 0;
        for (; c + 4 * L <= axes.kept2; c += 4 * L)
          sum_columns<kHasV, 4>(d, in, first + c, row, to + c);
        for (; c + L <= axes.kept2; c += L) sum_columns<kHasV, 1>(d, in, first + c, row, to + c);
        for (; c < axes.kept2; ++c) sum_columns<kHasV, 1>(one, in, first + c, row, to + c);
        continue;
      }
      auto sum0 = hn::Zero(d), sum1 = sum0;
      double rest = 0;
      for (int64_t r0 = 0; r0 < axes.repeated0; ++r0) {
        const int64_t begin = first + r0 * row, end = begin + axes.repeated1;
        int64_t i = begin;
        for (; i + 2 * L <= end; i += 2 * L) {
          sum0 = hn::Add(sum0, term<kHasV>(d, in, i));
          sum1 = hn::Add(sum1, term<kHasV>(d, in, i + L));
        }
        for (; i < end; ++i) rest += hn::GetLane(term<kHasV>(one, in, i));
      }
      in.store(to, hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1))) + rest);
    }
}
void reduce_all(float* r, const float* u, const float* v, const BroadcastAxes& axes, double factor,
                bool accumulate) {
  const Reduction in{r, u, v, axes, factor, accumulate};
  if (v) return reduce_of<true>(in);
  reduce_of<false>(in);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(sum_all);
HWY_EXPORT(product_all);
HWY_EXPORT(reduce_all);

namespace {

void sum(const BroadcastSumArgs& args, Context&) {
  // Without b every element meets a zero.
  static const float zero = 0;
  Shape nowhere;
  for (int axis = 0; axis < args.y.shape().rank(); ++axis) nowhere.push_back(1);
  const bool has_b = args.b.defined();
  HWY_DYNAMIC_DISPATCH(sum_all)
  (args.y.data<float>(), args.a.defined() ? args.a.data<float>() : nullptr,
   has_b ? args.b.data<float>() : &zero,
   BroadcastAxes(args.y.shape(), has_b ? args.b.shape() : nowhere),
   static_cast<float>(args.a_factor), static_cast<float>(args.b_factor),
   static_cast<float>(args.constant), args.write == Write::accumulate);
}

void product(const BroadcastProductArgs& args, Context&) {
  HWY_DYNAMIC_DISPATCH(product_all)
  (args.y.data<float>(), args.a.data<float>(), args.b.data<float>(),
   BroadcastAxes(args.y.shape(), args.b.shape()), args.write == Write::accumulate);
}

void reduce(const BroadcastReduceArgs& args, Context&) {
  HWY_DYNAMIC_DISPATCH(reduce_all)
  (args.r.data<float>(), args.u.data<float>(), args.v.defined() ? args.v.data<float>() : nullptr,
   BroadcastAxes(args.u.shape(), args.r.shape()), args.factor, args.write == Write::accumulate);
}

}  // namespace

void register_broadcast_highway(OpRegistry& registry) {
  registry.add<BroadcastSumArgs>(
      {"highway", Device::cpu, [](const BroadcastSumArgs& a) { return a.y.dtype() == DType::f32; },
       sum});
  registry.add<BroadcastProductArgs>(
      {"highway", Device::cpu,
       [](const BroadcastProductArgs& a) { return a.y.dtype() == DType::f32; }, product});
  registry.add<BroadcastReduceArgs>(
      {"highway", Device::cpu,
       [](const BroadcastReduceArgs& a) { return a.u.dtype() == DType::f32; }, reduce});
}

}  // namespace topograd
#endif  // HWY_ONCE
