// Plain loops that the compiler vectorises; memory bounds all three.
#include <algorithm>

#include "kernels/add/add.h"

namespace topograd {

namespace {

void run_add(const AddArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* a = args.a.data<T>();
    const T* b = args.b.data<T>();
    T* y = args.y.data<T>();
    for (int64_t i = 0; i < args.y.size(); ++i) y[i] = a[i] + b[i];
  });
}

void run_add_bias(const AddBiasArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.bias.size();
    const T* bias = args.bias.data<T>();
    T* y = args.y.data<T>();
    for (int64_t row = 0; row < args.y.size(); row += C)
      for (int64_t c = 0; c < C; ++c) y[row + c] += bias[c];
  });
}

void run_bias_gradient(const BiasGradientArgs& args, Context& context) {
  with_real_type(args.db.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.db.size();
    const T* dy = args.dy.data<T>();
    T* db = args.db.data<T>();
    auto* sums = static_cast<double*>(context.workspace(C * static_cast<int64_t>(sizeof(double))));
    for (int64_t c = 0; c < C; ++c) sums[c] = args.write == Write::accumulate ? db[c] : 0.0;
    for (int64_t row = 0; row < args.dy.size(); row += C)
      for (int64_t c = 0; c < C; ++c) sums[c] += dy[row + c];
    for (int64_t c = 0; c < C; ++c) db[c] = static_cast<T>(sums[c]);
  });
}

}  // namespace

void register_add_reference(OpRegistry& registry) {
  registry.add<AddArgs>({"reference", Device::cpu, supports_all, run_add});
  registry.add<AddBiasArgs>({"reference", Device::cpu, supports_all, run_add_bias});
  registry.add<BiasGradientArgs>({"reference", Device::cpu, supports_all, run_bias_gradient});
}

}  // namespace topograd
