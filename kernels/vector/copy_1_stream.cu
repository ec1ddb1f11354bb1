// y = x, byte for byte.
//
// Thread i owns words i, i + step, ...: of four bytes, or of one where the elements are bytes.
// Traffic: every byte is read once and written once. Memory bounds it.
#include "kernels/core/launch.h"
#include "kernels/vector/vector.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

template <class Word>
__global__ void __launch_bounds__(kThreads) copy_kernel(Word* y, const Word* x, int64_t n) {
  // This thread owns words first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step()) y[i] = x[i];
}

void run(const CopyArgs& args, Context& context) {
  const int64_t bytes = args.y.bytes();
  if (args.y.dtype() == DType::u8) {
    launch(copy_kernel<uint8_t>, grid_for(bytes, kThreads), dim3(kThreads), 0, context,
           pointer<uint8_t>(args.y), pointer<uint8_t>(args.x), bytes);
    return;
  }
  require(args.y.device() == kDevice && args.x.device() == kDevice, "copy on ", name_of(kDevice),
          ": a tensor lies elsewhere");
  const int64_t words = bytes / static_cast<int64_t>(sizeof(uint32_t));
  launch(copy_kernel<uint32_t>, grid_for(words, kThreads), dim3(kThreads), 0, context,
         static_cast<uint32_t*>(args.y.raw()), static_cast<const uint32_t*>(args.x.raw()), words);
}

}  // namespace

void register_copy_1_stream(OpRegistry& registry) {
  registry.add<CopyArgs>({"stream", kDevice, supports_all, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
