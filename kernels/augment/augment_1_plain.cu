// Images picked, cropped, mirrored and normalised: the formula, one thread per element of the
// batch.
//
// Thread i owns elements i, i + step, ... of y. Channels are innermost, and a crop's row is a run
// of the image's: a warp writes one line and reads one or two pieces of 32 bytes, backwards in
// mirrored images. Lanes that fall outside the image read nothing. Traffic: 4 bytes written and 1
// read per element (4 of images in f32). Work: two divisions in double, some 25 instructions for the double units, and
// some 90 more for indices. Neither keeps up with memory, which on an H200 delivers four elements
// per clock to a multiprocessor: with 64 double units it takes 0.4 clocks per element, on a GPU
// with 2 of them 12 (predicted).
#include "kernels/augment/augment_source.h"
#include "kernels/core/divisor.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

template <class Pixel>
__global__ void __launch_bounds__(kThreads)
    augment_kernel(float* __restrict__ y, Source<Pixel> source, Statistics statistics, int64_t size,
                   Divisor C, Divisor W, Divisor H) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [place, c] = C.divide(i);
    const auto [row, w] = W.divide(place);
    const auto [n, h] = H.divide(row);
    const Placement<Pixel> from = source.placement(n);
    y[i] = from.image ? normalised(source.pixel(from, h, w, c), c, statistics) : NAN;
  }
}

template <class Pixel>
void run_on(const AugmentArgs& args, Context& context) {
  const int64_t size = args.y.size();
  const Source<Pixel> source(args);
  launch(augment_kernel<Pixel>, grid_for(size, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), source, Statistics(args), size, Divisor(source.C),
         Divisor(source.W), Divisor(source.H));
}

void run(const AugmentArgs& args, Context& context) {
  if (args.images.dtype() == DType::u8)
    run_on<uint8_t>(args, context);
  else
    run_on<float>(args, context);
}

}  // namespace

void register_augment_1_plain(OpRegistry& registry) {
  registry.add<AugmentArgs>({"plain", kDevice, supports_augment, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
