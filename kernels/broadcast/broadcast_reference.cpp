// The formulas, element by element over four axes: the oracle.
#include "kernels/broadcast/broadcast.h"

namespace topograd {

namespace {

/// Calls f(element of the larger tensor, element of the smaller one) for all of the larger one's,
/// in order.
template <class F>
void for_each_pair(const Shape& whole, const Shape& small, const F& f) {
  int64_t extents[4] = {1, 1, 1, 1}, strides[4] = {0, 0, 0, 0}, stride = 1;
  for (int axis = whole.rank() - 1, to = 3; axis >= 0; --axis, --to) {
    extents[to] = whole[axis];
    strides[to] = small[axis] == 1 ? 0 : stride;
    stride *= small[axis];
  }
  int64_t i = 0;
  for (int64_t n = 0; n < extents[0]; ++n)
    for (int64_t h = 0; h < extents[1]; ++h)
      for (int64_t w = 0; w < extents[2]; ++w)
        for (int64_t c = 0; c < extents[3]; ++c)
          f(i++, n * strides[0] + h * strides[1] + w * strides[2] + c * strides[3]);
}

void sum(const BroadcastSumArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* a = args.a.defined() ? args.a.data<T>() : nullptr;
    const T* b = args.b.defined() ? args.b.data<T>() : nullptr;
    T* y = args.y.data<T>();
    for_each_pair(args.y.shape(), b ? args.b.shape() : args.y.shape(), [&](int64_t i, int64_t j) {
      const double value =
          (a ? args.a_factor * a[i] : 0.0) + (b ? args.b_factor * b[j] : 0.0) + args.constant;
      y[i] = static_cast<T>(args.write == Write::accumulate ? y[i] + value : value);
    });
  });
}

void product(const BroadcastProductArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const T *a = args.a.data<T>(), *b = args.b.data<T>();
    T* y = args.y.data<T>();
    for_each_pair(args.y.shape(), args.b.shape(), [&](int64_t i, int64_t j) {
      const T value = a[i] * b[j];
      y[i] = args.write == Write::accumulate ? y[i] + value : value;
    });
  });
}

void reduce(const BroadcastReduceArgs& args, Context&) {
  with_real_type(args.u.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* u = args.u.data<T>();
    const T* v = args.v.defined() ? args.v.data<T>() : nullptr;
    T* r = args.r.data<T>();
    std::vector<double> sums(static_cast<size_t>(args.r.size()), 0.0);
    for_each_pair(args.u.shape(), args.r.shape(), [&](int64_t i, int64_t j) {
      sums[static_cast<size_t>(j)] += v ? static_cast<double>(u[i]) * v[i] : u[i];
    });
    for (int64_t j = 0; j < args.r.size(); ++j) {
      const double value = args.factor * sums[static_cast<size_t>(j)];
      r[j] = static_cast<T>(args.write == Write::accumulate ? r[j] + value : value);
    }
  });
}

}  // namespace

void register_broadcast_reference(OpRegistry& registry) {
  registry.add<BroadcastSumArgs>({"reference", Device::cpu, supports_all, sum});
  registry.add<BroadcastProductArgs>({"reference", Device::cpu, supports_all, product});
  registry.add<BroadcastReduceArgs>({"reference", Device::cpu, supports_all, reduce});
}

}  // namespace topograd
