// db[c] = sum of dy[row, c] over the rows: one thread per channel, which adds its column from top
// to bottom, as the reference does.
//
// Thread c owns db[c]. At every step a warp reads 32 neighbouring channels of a row, one line.
// Traffic: 4 bytes per element of dy, read once. Work: one addition in double per element.
// Latency bounds it, not bandwidth or arithmetic: a layer has 16 to 1000 channels, so 16 to 1000
// of a GPU's 270,000 threads work, and each waits for its loads. At 131,072 rows, a batch of 128
// images of 32 x 32 pixels, and half a microsecond per load, four of which nvcc keeps under way:
// some 16 ms (predicted), where memory could deliver in 2 us.
#include "kernels/add/add.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    bias_gradient_kernel(float* db, const float* __restrict__ dy, int64_t rows, int64_t C,
                         bool accumulate) {
  for (int64_t c = first_element(); c < C; c += element_step()) {
    double sum = accumulate ? db[c] : 0.0f;
    for (int64_t row = 0; row < rows; ++row) sum += dy[row * C + c];
    db[c] = static_cast<float>(sum);
  }
}

void run(const BiasGradientArgs& args, Context& context) {
  const int64_t C = args.db.size();
  launch(bias_gradient_kernel, grid_for(C, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.db), pointer<float>(args.dy), C == 0 ? 0 : args.dy.size() / C, C,
         args.write == Write::accumulate);
}

}  // namespace

void register_bias_gradient_1_channel(OpRegistry& registry) {
  registry.add<BiasGradientArgs>(
      {"channel", kDevice, [](const BiasGradientArgs& args) { return all_f32(args.dy); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
