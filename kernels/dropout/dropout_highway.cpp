// Dropout in vector code. Words are drawn into a buffer of one vector code's own Philox, as many
// counters side by side as there are lanes; factors follow by a comparison, and meet the elements in
// a second loop over the same few kilobytes. The bits are the reference's.
#include <algorithm>

#include "kernels/dropout/dropout_mask.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dropout/dropout_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kBuffer = 1024;  // units: a multiple of four times the lanes of any vector

#if HWY_TARGET != HWY_SCALAR
/// Returns the high halves of the products of 32 by 32 bits.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V high_product(D d, V a, uint32_t b) {
  const hn::Repartition<uint64_t, D> wide;
  const V factor = hn::Set(d, b);
  const auto even = hn::MulEven(a, factor);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), factor);
  return hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
}
#endif

/// Sets factors[4 i + k] for the groups `group` + i, i < groups: what DropoutMask::factors() gives.
void draw_factors(float* factors, const DropoutMask& mask, uint64_t group, int64_t groups) {
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<uint32_t> d;
  const hn::RebindToFloat<decltype(d)> df;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  // Vectors whose counters have one upper half, and thresholds below 2^32.
  const auto in_one = [&](uint64_t first) {
    return (first >> 32) == ((first + static_cast<uint64_t>(lanes) - 1) >> 32);
  };
  if (mask.threshold <= 0xFFFFFFFF)
    for (; i + lanes <= groups && in_one(group + static_cast<uint64_t>(i)); i += lanes) {
      const uint64_t first = group + static_cast<uint64_t>(i);
      const auto [counter, key] = mask.random.block(first);
      auto c0 = hn::Iota(d, counter[0]), c1 = hn::Set(d, counter[1]);
      auto c2 = hn::Set(d, counter[2]), c3 = hn::Set(d, counter[3]);
      uint32_t k0 = key[0], k1 = key[1];
      for (int round = 0; round < 10; ++round) {
        const auto high0 = high_product(d, c0, 0xD2511F53), high1 = high_product(d, c2, 0xCD9E8D57);
        const auto low0 = hn::Mul(c0, hn::Set(d, uint32_t{0xD2511F53}));
        const auto low1 = hn::Mul(c2, hn::Set(d, uint32_t{0xCD9E8D57}));
        c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(d, k0));
        c1 = low1;
        c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(d, k1));
        c3 = low0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
      }
      const auto threshold = hn::Set(d, static_cast<uint32_t>(mask.threshold));
      const auto scale = hn::Set(df, mask.scale);
      const auto factor = [&](auto word) HWY_ATTR {
        return hn::IfThenElseZero(hn::RebindMask(df, hn::Lt(word, threshold)), scale);
      };
      hn::StoreInterleaved4(factor(c0), factor(c1), factor(c2), factor(c3), df, factors + 4 * i);
    }
#endif
  for (; i < groups; ++i) {
    const auto four = mask.factors(group + static_cast<uint64_t>(i));
    std::copy(four.begin(), four.end(), factors + 4 * i);
  }
}

/// y[i] = x[i] factors[i], or adds it.
HWY_INLINE void multiply(float* y, const float* x, const float* factors, int64_t n,
                         bool accumulate) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto step = [&](auto tag, int64_t i) HWY_ATTR {
    auto value = hn::Mul(hn::LoadU(tag, x + i), hn::LoadU(tag, factors + i));
    if (accumulate) value = hn::Add(hn::LoadU(tag, y + i), value);
    hn::StoreU(value, tag, y + i);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) step(d, i);
  for (; i < n; ++i) step(hn::CappedTag<float, 1>(), i);
}

void drop_elements(float* y, const float* x, int64_t n, const DropoutMask& mask, bool accumulate) {
  HWY_ALIGN float factors[kBuffer];
  uint64_t group = mask.first / 4;
  int64_t skipped = static_cast<int64_t>(mask.first % 4);
  for (int64_t done = 0; done < n;) {
    const int64_t count = std::min(n - done, kBuffer - skipped);
    draw_factors(factors, mask, group, (skipped + count + 3) / 4);
    multiply(y + done, x + done, factors + skipped, count, accumulate);
    done += count;
    group += kBuffer / 4;
    skipped = 0;
  }
}

/// Rows of `length` elements share their factor (units are images), or have one per element.
void drop_rows(float* y, const float* x, int64_t rows, int64_t length, const float* factors,
               bool shared, bool accumulate) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t row = 0; row < rows; ++row, y += length, x += length) {
    if (!shared) {
      multiply(y, x, factors, length, accumulate);
      continue;
    }
    const auto step = [&](auto tag, int64_t i) HWY_ATTR {
      auto value = hn::Mul(hn::LoadU(tag, x + i), hn::Set(tag, *factors));
      if (accumulate) value = hn::Add(hn::LoadU(tag, y + i), value);
      hn::StoreU(value, tag, y + i);
    };
    int64_t i = 0;
    for (; i + lanes <= length; i += lanes) step(d, i);
    for (; i < length; ++i) step(hn::CappedTag<float, 1>(), i);
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(drop_elements);
HWY_EXPORT(drop_rows);

namespace {

void run(const DropoutArgs& args, Context& context) {
  const DropoutMask mask(args);
  const bool accumulate = args.write == Write::accumulate;
  float* y = args.y.data<float>();
  const float* x = args.x.data<float>();
  if (args.x.size() == 0) return;
  if (args.unit == DropoutUnit::element) {
    HWY_DYNAMIC_DISPATCH(drop_elements)(y, x, args.x.size(), mask, accumulate);
    return;
  }
  const bool channels = args.unit == DropoutUnit::channel;
  const int64_t images = args.x.dim(0), size = args.x.size() / images;
  const int64_t units = channels ? args.x.dim(args.x.shape().rank() - 1) : 1;
  auto* factors =
      static_cast<float*>(context.workspace(units * static_cast<int64_t>(sizeof(float))));
  for (int64_t n = 0; n < images; ++n, y += size, x += size) {
    for (int64_t u = 0; u < units; ++u) factors[u] = mask.factor_of(n * units + u);
    HWY_DYNAMIC_DISPATCH(drop_rows)
    (y, x, channels ? size / units : 1, channels ? units : size, factors, !channels, accumulate);
  }
}

}  // namespace

void register_dropout_highway(OpRegistry& registry) {
  registry.add<DropoutArgs>({"highway", Device::cpu,
                             [](const DropoutArgs& a) { return a.x.dtype() == DType::f32; }, run});
}

}  // namespace topograd
#endif  // HWY_ONCE
