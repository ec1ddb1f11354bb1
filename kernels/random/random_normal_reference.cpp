// The formula, element by element: the oracle.
#include "kernels/random/random_normal.h"

namespace topograd {

namespace {

void run(const RandomNormalArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    T* y = args.y.data<T>();
    for (int64_t i = 0; i < args.y.size(); ++i)
      y[i] = static_cast<T>(args.scale * args.random.normal(args.first + static_cast<uint64_t>(i)));
  });
}

}  // namespace

void register_random_normal_reference(OpRegistry& registry) {
  registry.add<RandomNormalArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
