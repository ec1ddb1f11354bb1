// What the device can do at best, as the figures beside which the others stand: copies and
// products.
#include "kernels/gemm/gemm.h"
#include "kernels/vector/vector.h"
#include "tests/gpu/bench.h"

namespace topograd::bench {

namespace {

/// The driver's own copy: the ceiling of everything that is bound by memory. It reads and writes.
void bench_device_copy(Bench& bench) {
  const Options& options = bench.options();
  Inputs inputs(bench.blocks());
  const Shape shape{options.size(int64_t{1} << 28, 1 << 10)};
  const Tensor from = inputs.normal(shape), to = inputs.normal(shape);
  const DeviceDriver& driver = driver_of(options.device);
  Context context(options.device);
  const Timing t = time_work(
      options, context, [&] { driver.copy_within(to.raw(), from.raw(), to.bytes()); }, false);
  bench.add({"ceilings", text(to.bytes() >> 20, " MiB")}, "copy", "the driver's", t,
            static_cast<double>(inputs.bytes()));
}

void bench_gemm(Bench& bench, int64_t M, int64_t N, int64_t K, const std::string& what) {
  const double flop =
      2.0 * static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K);
  const std::string shape = text(what, "M=", M, " N=", N, " K=", K);
  const auto make = [=](Precision precision) {
    return [=](Inputs& in) {
      return GemmArgs{.c = in.normal({M, N}),
                      .a = in.normal({M, K}),
                      .b = in.normal({K, N}),
                      .precision = precision};
    };
  };
  bench.implementations<GemmArgs>({"products", shape, flop}, make(Precision::f32));
  bench.implementations<GemmArgs>({"products", shape + ", bf16x3", flop}, make(Precision::bf16x3),
                                  true);
  bench.implementations<GemmArgs>({"products", shape + ", bf16", flop}, make(Precision::bf16),
                                  true);
}

}  // namespace

void bench_ceilings(Bench& bench) {
  const Options& options = bench.options();
  bench_device_copy(bench);
  const int64_t n = options.size(int64_t{1} << 28, 1 << 10);
  bench.implementations<CopyArgs>({"ceilings", text(n >> 18, " MiB")}, [&](Inputs& in) {
    return CopyArgs{.y = in.normal({n}), .x = in.normal({n})};
  });
  const int64_t side = options.size(4096, 48);
  bench_gemm(bench, side, side, side, "");
  if (options.quick) return;
  bench_gemm(bench, 128, 256, 4096, "VGG-9's linear, ");
  bench_gemm(bench, 128, 10, 64, "ResNet-56's linear, ");
}

}  // namespace topograd::bench
