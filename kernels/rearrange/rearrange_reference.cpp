// The definition, element by element.
#include "kernels/rearrange/rearrange.h"

namespace topograd {

namespace {

void forward(const RearrangeArgs& args, Context&) {
  const std::vector<int64_t> table = args.map.table();
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t images = args.x.dim(0), size = images == 0 ? 0 : args.x.size() / images;
    T* y = args.y.data<T>();
    for (int64_t n = 0; n < images; ++n)
      for (int64_t element : table)
        *y++ = element < 0 ? T(0) : args.x.data<T>()[n * size + element];
  });
}

void backward(const RearrangeBackwardArgs& args, Context&) {
  const std::vector<int64_t> table = args.map.table();
  if (args.write == Write::overwrite) args.dx.fill_zero();
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t images = args.dx.dim(0), size = images == 0 ? 0 : args.dx.size() / images;
    const T* dy = args.dy.data<T>();
    for (int64_t n = 0; n < images; ++n)
      for (int64_t element : table) {
        if (element >= 0) args.dx.data<T>()[n * size + element] += *dy;
        ++dy;
      }
  });
}

}  // namespace

void register_rearrange_reference(OpRegistry& registry) {
  registry.add<RearrangeArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<RearrangeBackwardArgs>({"reference", Device::cpu, supports_all, backward});
}

}  // namespace topograd
