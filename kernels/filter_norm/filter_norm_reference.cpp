// A sum of squares per segment, in order.
#include <cmath>

#include "kernels/filter_norm/filter_norm.h"

namespace topograd {

namespace {

void run(const FilterNormsArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* x = args.x.data<T>();
    double* norms = args.norms.data<double>();
    for (int64_t i = 0; i < args.count; ++i) {
      const auto [offset, length] = args.segments[i];
      double sum = 0;
      for (int64_t j = offset; j < offset + length; ++j) sum += static_cast<double>(x[j]) * x[j];
      norms[i] = std::sqrt(sum);
    }
  });
}

}  // namespace

void register_filter_norm_reference(OpRegistry& registry) {
  registry.add<FilterNormsArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
