// Plain loops; memory bounds all of them.
#include <cstring>

#include "kernels/vector/dot_order.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

void run_axpy(const AxpyArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    for (int64_t i = 0; i < args.y.size(); ++i) y[i] = static_cast<T>(y[i] + args.a * x[i]);
  });
}

void run_scale(const ScaleArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    T* y = args.y.data<T>();
    for (int64_t i = 0; i < args.y.size(); ++i) y[i] = static_cast<T>(args.a * y[i]);
  });
}

void run_dot(const DotArgs& args, Context&) {
  with_real_type(args.a.dtype(), [&](auto real) {
    using T = decltype(real);
    args.result.data<double>()[0] = dot_in_order(args.a.data<T>(), args.b.data<T>(), args.a.size());
  });
}

void run_sum_rows(const SumRowsArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t rows = args.x.dim(0);
    const int64_t n = args.x.dim(1);
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    for (int64_t i = 0; i < n; ++i) {
      double sum = args.write == Write::accumulate ? y[i] : 0.0;
      for (int64_t row = 0; row < rows; ++row) sum += x[row * n + i];
      y[i] = static_cast<T>(sum);
    }
  });
}

}  // namespace

void register_vector_reference(OpRegistry& registry) {
  registry.add<CopyArgs>(
      {"reference", Device::cpu, supports_all, [](const CopyArgs& args, Context&) {
         if (args.y.size() > 0 && args.y.raw() != args.x.raw())
           std::memcpy(args.y.raw(), args.x.raw(), static_cast<size_t>(args.y.bytes()));
       }});
  registry.add<AxpyArgs>({"reference", Device::cpu, supports_all, run_axpy});
  registry.add<ScaleArgs>({"reference", Device::cpu, supports_all, run_scale});
  registry.add<DotArgs>({"reference", Device::cpu, supports_all, run_dot});
  registry.add<SumRowsArgs>({"reference", Device::cpu, supports_all, run_sum_rows});
}

}  // namespace topograd
