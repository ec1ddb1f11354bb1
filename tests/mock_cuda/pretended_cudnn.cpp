// A row "cudnn" of fused_conv: one call of another row for each point, as the real one calls cuDNN.
#include "kernels/fused_conv/fused_conv.h"
#include "tests/mock_cuda/mock_cuda.h"

namespace topograd::mock_cuda {

namespace {

bool pretended = false;

void run(const FusedConvArgs& args, Context& context) {
  const auto share = [&](const Tensor& t, int64_t point) {
    if (!t.defined()) return t;
    const int64_t rows = t.dim(0) / args.points;
    return t.rows(point * rows, (point + 1) * rows);
  };
  for (int64_t p = 0; p < args.points; ++p) {
    FusedConvArgs one = args;
    one.y = share(args.y, p);
    if (!args.shares_x()) one.x = share(args.x, p);
    one.w = share(args.w, p);
    one.bias = share(args.bias, p);
    one.residual = share(args.residual, p);
    one.points = 1;
    for (const auto& row : OpRegistry::instance().implementations<FusedConvArgs>())
      if (row.device == Device::cuda && row.name != "cudnn" && row.supports(one)) {
        row.run(one, context);
        break;
      }
  }
}

}  // namespace

void pretend_cudnn(bool there) {
  pretended = there;
}

void register_pretended_cudnn(OpRegistry& registry) {
  registry.add<FusedConvArgs>(
      {"cudnn", Device::cuda, [](const FusedConvArgs&) { return pretended; }, run});
}

}  // namespace topograd::mock_cuda
