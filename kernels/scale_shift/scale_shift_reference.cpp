// The formula, element by element: the oracle.
#include "kernels/scale_shift/scale_shift.h"

namespace topograd {

namespace {

void run(const ScaleShiftArgs& args, Context&) {
  with_real_type(args.y.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.channels(), per_point = args.y.size() / args.points;
    const T* x = args.x.data<T>() + args.first;
    for (int64_t i = 0; i < args.y.size(); ++i) {
      const int64_t channel = i / per_point * C + i % C;
      const int64_t row = (args.shares_x() ? i % per_point : i) / C;
      const double value = x[row * args.x_channels() + i % C];
      const double y = args.scale.data<T>()[channel] * value + args.shift.data<T>()[channel];
      args.y.data<T>()[i] = static_cast<T>(args.relu && y < 0 ? 0.0 : y);
    }
  });
}

}  // namespace

void register_scale_shift_reference(OpRegistry& registry) {
  registry.add<ScaleShiftArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
