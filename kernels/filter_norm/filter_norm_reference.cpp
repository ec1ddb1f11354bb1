// A sum of squares per segment, in dot's order.
#include <cmath>

#include "kernels/filter_norm/filter_norm.h"
#include "kernels/vector/dot_order.h"

namespace topograd {

namespace {

void run(const FilterNormsArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* x = args.x.data<T>();
    double* norms = args.norms.data<double>();
    for (int64_t i = 0; i < args.count; ++i) {
      const T* segment = x + args.segments[i].offset;
      norms[i] = std::sqrt(dot_in_order(segment, segment, args.segments[i].length));
    }
  });
}

}  // namespace

void register_filter_norm_reference(OpRegistry& registry) {
  registry.add<FilterNormsArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
