// A pixel has 256 values: the normalisation becomes a table per channel, and each output row a run
// of look-ups between two margins. The table holds the reference's values, so the bits are the
// same.
#include <algorithm>
#include <tuple>
#include <utility>

#include "kernels/augment/augment.h"

namespace topograd {

namespace {

constexpr int64_t kValues = 256;  // that a pixel can have

/// Returns table[c * 256 + p], the normalised value of pixel p in channel c.
const float* make_table(const AugmentArgs& args, Context& context) {
  const int64_t C = args.y.dim(3);
  auto* table =
      static_cast<float*>(context.workspace(C * kValues * static_cast<int64_t>(sizeof(float))));
  for (int64_t c = 0; c < C; ++c)
    for (int64_t p = 0; p < kValues; ++p)
      table[c * kValues + p] =
          static_cast<float>((static_cast<double>(p) / 255.0 - args.mean[c]) / args.std[c]);
  return table;
}

/// Writes pixels [begin, end) of an output row, all black.
void write_black(float* row, int64_t begin, int64_t end, int64_t C, const float* table) {
  for (int64_t w = begin; w < end; ++w)
    for (int64_t c = 0; c < C; ++c) row[w * C + c] = table[c * kValues];
}

/// Writes pixels [begin, end) of an output row, from the pixel at `source` on, `step` bytes apart.
void write_pixels(float* row, int64_t begin, int64_t end, int64_t C, const uint8_t* source,
                  int64_t step, const float* table) {
  for (int64_t w = begin; w < end; ++w, source += step)
    for (int64_t c = 0; c < C; ++c) row[w * C + c] = table[c * kValues + source[c]];
}

void run(const AugmentArgs& args, Context& context) {
  const int64_t H = args.y.dim(1), W = args.y.dim(2), C = args.y.dim(3);
  const float* table = make_table(args, context);
  float* row = args.y.data<float>();
  for (int64_t n = 0; n < args.y.dim(0); ++n) {
    const bool flip = args.flips.defined() && args.flips.data<int32_t>()[n] != 0;
    const int32_t* offset = args.offsets.defined() ? args.offsets.data<int32_t>() + 2 * n : nullptr;
    const int64_t down = offset ? offset[0] - args.padding : 0;
    const int64_t right = offset ? offset[1] - args.padding : 0;
    // Output columns [begin, end) come from source columns inside the image.
    int64_t begin = std::clamp<int64_t>(-right, 0, W);
    int64_t end = std::clamp<int64_t>(W - right, begin, W);
    if (flip) std::tie(begin, end) = std::pair(W - end, W - begin);
    const uint8_t* image =
        args.images.data<uint8_t>() + args.indices.data<int32_t>()[n] * H * W * C;
    for (int64_t h = 0; h < H; ++h, row += W * C) {
      const int64_t source_h = h + down;
      if (begin == end || source_h < 0 || source_h >= H) {
        write_black(row, 0, W, C, table);
        continue;
      }
      const int64_t source_w = (flip ? W - 1 - begin : begin) + right;
      write_black(row, 0, begin, C, table);
      write_pixels(row, begin, end, C, image + (source_h * W + source_w) * C, flip ? -C : C, table);
      write_black(row, end, W, C, table);
    }
  }
}

}  // namespace

void register_augment_table(OpRegistry& registry) {
  registry.add<AugmentArgs>({"table", Device::cpu,
                             [](const AugmentArgs& a) {
                               return a.y.dtype() == DType::f32 && a.images.dtype() == DType::u8;
                             },
                             run});
}

}  // namespace topograd
