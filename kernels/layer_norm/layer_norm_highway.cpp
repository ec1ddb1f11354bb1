// Layer normalisation in vector code, vectors running along the channels of a row. A row of some
// hundred floats stays in the L1 cache while its sums are formed and used, so x and dy are read
// from memory once. Sums of a row are in float, of deviations from the row's first element: a large
// common offset costs no digits. Sums over rows are in float for 32 rows, then in double.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/layer_norm/layer_norm.h"
#include "kernels/layer_norm/layer_norm_tangent.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm/layer_norm_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls work(tag, c) for channels c, c + 1, ... as many as the tag has lanes: whole vectors, then
/// vectors of one lane.
template <class Work>
HWY_INLINE void over_channels(int64_t C, const Work& work) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t c = 0;
  for (; c + lanes <= C; c += lanes) work(d, c);
  for (; c < C; ++c) work(one, c);
}

/// Returns the sum over channels [c, end) of value(tag, c).
template <class Value>
HWY_INLINE float sum_over(int64_t c, int64_t end, const Value& value) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sums = hn::Zero(d);
  for (; c + lanes <= end; c += lanes) sums = hn::Add(sums, value(d, c));
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; c < end; ++c) sum += hn::GetLane(value(one, c));
  return sum;
}

/// Returns the mean over the channels of value(tag, c). Rows as long as an image are summed in
/// float over some thousand elements at a time, and in double over these.
template <class Value>
HWY_INLINE float mean_over(int64_t C, const Value& value) {
  constexpr int64_t kBlock = 4096;
  if (C <= kBlock) return sum_over(0, C, value) / static_cast<float>(C);
  double sum = 0;
  for (int64_t begin = 0; begin < C; begin += kBlock)
    sum += sum_over(begin, std::min(begin + kBlock, C), value);
  return static_cast<float>(sum / static_cast<double>(C));
}

/// One row's xhat = ((x - first) - offset) inverse.
struct Row {
  const float* x;
  float first, offset, inverse;

  HWY_INLINE Row(const float* row, int64_t C, double epsilon) : x(row), first(row[0]) {
    offset = mean_over(C, [&](auto d, int64_t c)
                              HWY_ATTR { return hn::Sub(hn::LoadU(d, x + c), hn::Set(d, first)); });
    const float variance = mean_over(C, [&](auto d, int64_t c) HWY_ATTR {
      const auto v = deviation(d, c);
      return hn::Mul(v, v);
    });
    inverse = static_cast<float>(1 / std::sqrt(variance + epsilon));
  }
  template <class D>
  HWY_INLINE hn::Vec<D> deviation(D d, int64_t c) const {
    return hn::Sub(hn::Sub(hn::LoadU(d, x + c), hn::Set(d, first)), hn::Set(d, offset));
  }
  template <class D>
  HWY_INLINE hn::Vec<D> xhat(D d, int64_t c) const {
    return hn::Mul(deviation(d, c), hn::Set(d, inverse));
  }
};

/// One row with xhat, and xhat' = inverse (x' - a - xhat b).
struct MovingRow : Row {
  const float* x_tangent;
  float a, b;

  HWY_INLINE MovingRow(const float* row, const float* tangent, int64_t C, double epsilon)
      : Row(row, C, epsilon), x_tangent(tangent) {
    a = mean_over(C, [&](auto d, int64_t c) HWY_ATTR { return hn::LoadU(d, x_tangent + c); });
    b = mean_over(C, [&](auto d, int64_t c)
                         HWY_ATTR { return hn::Mul(hn::LoadU(d, x_tangent + c), xhat(d, c)); });
  }
  template <class D>
  HWY_INLINE hn::Vec<D> xhat_tangent(D d, int64_t c) const {
    const auto centred = hn::Sub(hn::LoadU(d, x_tangent + c), hn::Set(d, a));
    return hn::Mul(hn::Set(d, inverse), hn::NegMulAdd(xhat(d, c), hn::Set(d, b), centred));
  }
};

template <class D>
HWY_INLINE void write_to(D d, float* to, hn::Vec<D> value, bool accumulate) {
  hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, to), value) : value, d, to);
}

void forward(float* y, const float* x, const float* gamma, const float* beta, int64_t rows,
             int64_t C, double epsilon) {
  for (int64_t r = 0; r < rows; ++r, x += C, y += C) {
    const Row row(x, C, epsilon);
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      hn::StoreU(hn::MulAdd(hn::LoadU(d, gamma + c), row.xhat(d, c), hn::LoadU(d, beta + c)), d,
                 y + c);
    });
  }
}

void backward(float* dx, const float* dy, const float* x, const float* gamma, int64_t rows,
              int64_t C, double epsilon, bool accumulate) {
  for (int64_t r = 0; r < rows; ++r, x += C, dy += C, dx += C) {
    const Row row(x, C, epsilon);
    const auto g = [&](auto d, int64_t c)
                       HWY_ATTR { return hn::Mul(hn::LoadU(d, gamma + c), hn::LoadU(d, dy + c)); };
    const float m = mean_over(C, g);
    const float q =
        mean_over(C, [&](auto d, int64_t c) HWY_ATTR { return hn::Mul(g(d, c), row.xhat(d, c)); });
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      const auto v = hn::NegMulAdd(row.xhat(d, c), hn::Set(d, q), hn::Sub(g(d, c), hn::Set(d, m)));
      write_to(d, dx + c, hn::Mul(hn::Set(d, row.inverse), v), accumulate);
    });
  }
}

/// Adds partial[0 .. C) += sum of dy xhat, partial[C .. 2 C) += sum of dy.
void backward_sums(float* partial, const float* dy, const float* x, int64_t rows, int64_t C,
                   double epsilon) {
  for (int64_t r = 0; r < rows; ++r, x += C, dy += C) {
    const Row row(x, C, epsilon);
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      const auto gradient = hn::LoadU(d, dy + c);
      write_to(d, partial + c, hn::Mul(gradient, row.xhat(d, c)), true);
      write_to(d, partial + C + c, gradient, true);
    });
  }
}

void tangent(float* y_tangent, const float* x_tangent, const float* x, const float* gamma,
             const float* gamma_tangent, const float* beta_tangent, int64_t rows, int64_t C,
             double epsilon) {
  for (int64_t r = 0; r < rows; ++r, x += C, x_tangent += C, y_tangent += C) {
    const MovingRow row(x, x_tangent, C, epsilon);
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      const auto v = hn::MulAdd(hn::LoadU(d, gamma_tangent + c), row.xhat(d, c),
                                hn::LoadU(d, beta_tangent + c));
      hn::StoreU(hn::MulAdd(hn::LoadU(d, gamma + c), row.xhat_tangent(d, c), v), d, y_tangent + c);
    });
  }
}

void tangent_backward(float* dx_tangent, const float* dy_tangent, const float* dy,
                      const float* x_tangent, const float* x, const float* gamma,
                      const float* gamma_tangent, int64_t rows, int64_t C, double epsilon,
                      bool accumulate) {
  for (int64_t r = 0; r < rows; ++r) {
    const MovingRow row(x, x_tangent, C, epsilon);
    const auto g = [&](auto d, int64_t c)
                       HWY_ATTR { return hn::Mul(hn::LoadU(d, gamma + c), hn::LoadU(d, dy + c)); };
    const auto g_tangent = [&](auto d, int64_t c) HWY_ATTR {
      return hn::MulAdd(hn::LoadU(d, gamma + c), hn::LoadU(d, dy_tangent + c),
                        hn::Mul(hn::LoadU(d, gamma_tangent + c), hn::LoadU(d, dy + c)));
    };
    const float m = mean_over(C, g), m_tangent = mean_over(C, g_tangent);
    const float q =
        mean_over(C, [&](auto d, int64_t c) HWY_ATTR { return hn::Mul(g(d, c), row.xhat(d, c)); });
    const float q_tangent = mean_over(C, [&](auto d, int64_t c) HWY_ATTR {
      return hn::MulAdd(g(d, c), row.xhat_tangent(d, c), hn::Mul(g_tangent(d, c), row.xhat(d, c)));
    });
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      const auto xhat = row.xhat(d, c);
      const auto dx = hn::Mul(hn::Set(d, row.inverse),
                              hn::NegMulAdd(xhat, hn::Set(d, q), hn::Sub(g(d, c), hn::Set(d, m))));
      auto v = hn::Sub(g_tangent(d, c), hn::Set(d, m_tangent));
      v = hn::NegMulAdd(row.xhat_tangent(d, c), hn::Set(d, q), v);
      v = hn::NegMulAdd(xhat, hn::Set(d, q_tangent), v);
      v = hn::NegMulAdd(dx, hn::Set(d, row.b), v);
      write_to(d, dx_tangent + c, hn::Mul(hn::Set(d, row.inverse), v), accumulate);
    });
    x += C, x_tangent += C, dy += C, dy_tangent += C, dx_tangent += C;
  }
}

/// Adds partial[0 .. C) += sum of dy' xhat + dy xhat', partial[C .. 2 C) += sum of dy'.
void tangent_sums(float* partial, const float* dy_tangent, const float* dy, const float* x_tangent,
                  const float* x, int64_t rows, int64_t C, double epsilon) {
  for (int64_t r = 0; r < rows; ++r, x += C, x_tangent += C, dy += C, dy_tangent += C) {
    const MovingRow row(x, x_tangent, C, epsilon);
    over_channels(C, [&](auto d, int64_t c) HWY_ATTR {
      const auto moved = hn::LoadU(d, dy_tangent + c);
      const auto product =
          hn::MulAdd(hn::LoadU(d, dy + c), row.xhat_tangent(d, c), hn::Mul(moved, row.xhat(d, c)));
      write_to(d, partial + c, product, true);
      write_to(d, partial + C + c, moved, true);
    });
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(forward);
HWY_EXPORT(backward);
HWY_EXPORT(backward_sums);
HWY_EXPORT(tangent);
HWY_EXPORT(tangent_backward);
HWY_EXPORT(tangent_sums);

/// The rows of a tensor [..., C].
struct Rows {
  int64_t count, C;
  explicit Rows(const Tensor& x)
      : count(x.size() / x.dim(x.shape().rank() - 1)), C(x.dim(x.shape().rank() - 1)) {}
};

/// A vector of parameters; where there is none, one of `otherwise`.
class Parameters {
 public:
  Parameters(const Tensor& given, int64_t C, float otherwise) : given_(given) {
    if (!given.defined()) constant_.assign(static_cast<size_t>(C), otherwise);
  }
  const float* data() const { return given_.defined() ? given_.data<float>() : constant_.data(); }

 private:
  const Tensor& given_;
  std::vector<float> constant_;
};

void run(const LayerNormArgs& args, Context&) {
  const Rows rows(args.x);
  const Parameters gamma(args.gamma, rows.C, 1), beta(args.beta, rows.C, 0);
  HWY_DYNAMIC_DISPATCH(forward)
  (args.y.data<float>(), args.x.data<float>(), gamma.data(), beta.data(), rows.count, rows.C,
   args.epsilon);
}

void run(const LayerNormBackwardArgs& args, Context&) {
  const Rows rows(args.x);
  const Parameters gamma(args.gamma, rows.C, 1);
  HWY_DYNAMIC_DISPATCH(backward)
  (args.dx.data<float>(), args.dy.data<float>(), args.x.data<float>(), gamma.data(), rows.count,
   rows.C, args.epsilon, args.write == Write::accumulate);
}

void run(const LayerNormTangentArgs& args, Context&) {
  const Rows rows(args.x);
  const Parameters gamma(args.gamma, rows.C, 1), gamma_tangent(args.gamma_tangent, rows.C, 0),
      beta_tangent(args.beta_tangent, rows.C, 0);
  HWY_DYNAMIC_DISPATCH(tangent)
  (args.y_tangent.data<float>(), args.x_tangent.data<float>(), args.x.data<float>(), gamma.data(),
   gamma_tangent.data(), beta_tangent.data(), rows.count, rows.C, args.epsilon);
}

void run(const LayerNormTangentBackwardArgs& args, Context&) {
  const Rows rows(args.x);
  const Parameters gamma(args.gamma, rows.C, 1), gamma_tangent(args.gamma_tangent, rows.C, 0);
  HWY_DYNAMIC_DISPATCH(tangent_backward)
  (args.dx_tangent.data<float>(), args.dy_tangent.data<float>(), args.dy.data<float>(),
   args.x_tangent.data<float>(), args.x.data<float>(), gamma.data(), gamma_tangent.data(),
   rows.count, rows.C, args.epsilon, args.write == Write::accumulate);
}

/// Sets dgamma and dbeta from sum_block(partial, first row, rows), which adds up to 32 rows in
/// float.
template <class SumBlock>
void sum_rows_of(const Tensor& dgamma, const Tensor& dbeta, Write write, const Rows& rows,
                 const SumBlock& sum_block) {
  constexpr int64_t kBlock = 32;
  std::vector<double> sums(static_cast<size_t>(2 * rows.C), 0.0);
  std::vector<float> partial(sums.size());
  for (int64_t first = 0; first < rows.count; first += kBlock) {
    std::fill(partial.begin(), partial.end(), 0.0F);
    sum_block(partial.data(), first, std::min(kBlock, rows.count - first));
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += partial[i];
  }
  for (int64_t i = 0; i < 2 * rows.C; ++i) {
    float& target = (i < rows.C ? dgamma : dbeta).data<float>()[i % rows.C];
    const double sum = sums[static_cast<size_t>(i)];
    target = static_cast<float>(write == Write::accumulate ? target + sum : sum);
  }
}

void run(const LayerNormBackwardSumsArgs& args, Context&) {
  const Rows rows(args.x);
  sum_rows_of(args.dgamma, args.dbeta, args.write, rows,
              [&](float* partial, int64_t first, int64_t count) {
                HWY_DYNAMIC_DISPATCH(backward_sums)
                (partial, args.dy.data<float>() + first * rows.C,
                 args.x.data<float>() + first * rows.C, count, rows.C, args.epsilon);
              });
}

void run(const LayerNormTangentSumsArgs& args, Context&) {
  const Rows rows(args.x);
  sum_rows_of(args.dgamma_tangent, args.dbeta_tangent, args.write, rows,
              [&](float* partial, int64_t first, int64_t count) {
                const int64_t i = first * rows.C;
                HWY_DYNAMIC_DISPATCH(tangent_sums)
                (partial, args.dy_tangent.data<float>() + i, args.dy.data<float>() + i,
                 args.x_tangent.data<float>() + i, args.x.data<float>() + i, count, rows.C,
                 args.epsilon);
              });
}

template <class Args>
void add(OpRegistry& registry) {
  registry.add<Args>(
      {"highway", Device::cpu, [](const Args& args) { return args.x.dtype() == DType::f32; }, run});
}

}  // namespace

void register_layer_norm_highway(OpRegistry& registry) {
  add<LayerNormArgs>(registry);
  add<LayerNormBackwardArgs>(registry);
  add<LayerNormBackwardSumsArgs>(registry);
  add<LayerNormTangentArgs>(registry);
  add<LayerNormTangentBackwardArgs>(registry);
  add<LayerNormTangentSumsArgs>(registry);
}

}  // namespace topograd
#endif  // HWY_ONCE
