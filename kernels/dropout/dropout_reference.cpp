// The definition, element by element.
#include "kernels/dropout/dropout_mask.h"

namespace topograd {

namespace {

void run(const DropoutArgs& args, Context&) {
  const DropoutMask mask(args);
  const int64_t images = args.x.dim(0), size = images == 0 ? 0 : args.x.size() / images;
  const int64_t C = args.x.dim(args.x.shape().rank() - 1);
  const auto unit_of = [&](int64_t n, int64_t i) {
    if (args.unit == DropoutUnit::element) return n * size + i;
    return args.unit == DropoutUnit::channel ? n * C + i % C : n;
  };
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    for (int64_t n = 0; n < images; ++n)
      for (int64_t i = 0; i < size; ++i, ++x, ++y) {
        const T value = *x * static_cast<T>(mask.factor_of(unit_of(n, i)));
        *y = args.write == Write::accumulate ? *y + value : value;
      }
  });
}

}  // namespace

void register_dropout_reference(OpRegistry& registry) {
  registry.add<DropoutArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
