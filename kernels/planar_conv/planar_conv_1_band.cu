// y = max(conv2d(x, w) + bias + residual, 0) on the tensor cores, bf16 from end to end.
//
// What the tile loop (kernels/conv2d/forward_tiles.cuh) spends its instructions on is gathering: of
// 186 that a warp issues for 16 products of matrices, 170 find, round, store and fetch operands.
// Here activations lie in planes of eight channels with a border of zeros (planar_images.h), so
// that nothing is left to find: a band of an image is a few runs of memory, copied to shared memory
// once, by copies past the registers; a tap is a fixed distance in it; 16 pixels under a tap are
// one ldmatrix. Filters lie in the order of fragments (fragment_order.h) and go from the caches to
// registers, 16 bytes a lane.
//
// A block computes bands: 8 rows of an image's outputs, all of their width, for 16 to 64 filters.
// Warp (s, f) of it owns 16 neighbouring pixels, strip s, in each of the 8 rows, for the 16 filters
// f: 128 x 16 sums, 64 a lane. Where images are 8 wide, a strip is the same row of two images.
//
//      padded x, 2 planes          one column kx of the filter:
//      row 0  . . . . . .          row r of x meets output rows r, r - 1 and r - 2, with the taps
//      row 1  . x x x x .          kh = 0, 1 and 2: an ldmatrix serves three taps, twice (filters
//      ...      ^ 16 pixels        0-7, 8-15 of sixteen): 10 ldmatrix, 3 loads of filters and
//      row 9  . . . . . .          48 mma for each kx and 16 channels
//
// A step is 16 channels of a band. Two of them lie in shared memory: while one is multiplied, the
// next, of this band or the block's next one, is on its way. One barrier a step.
// The bias is what the first mma adds to; the residual is one tap more, whose filter is the
// identity: two mma a row add what 16 conversions and additions would. Lane l stores channels
// 2 (l % 4) and the next of pixels l / 4 and l / 4 + 8, where it loaded the residual: y may be it.
//
// Work: 2 P N OH OW O KH KW I FLOP, three times that in bf16x3. Bytes: 2 for each number of x (by
// its border 1.13 times as many at 32x32, 1.56 at 8x8; a band's two rows more come from the
// second-level cache), 2 of the residual, 2 of y; twice that in bf16x3. Shared memory: 21,760 bytes
// for 32x32 and 12,800 for 8x8 images, up to 39,168 for strides of 2; twice that in bf16x3.
// Instructions (docs/results/kernel_resources.md): of a step's 242, 144 are mma, and a tensor core
// is busy from one in four on; around a tile's steps stand some 280. By prediction neither bounds
// it, but the bytes do.
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/planar_conv/planar_conv.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kBandRows = 8;
constexpr int kSteps = 2;  // in shared memory, by turns

/// Shape of a band: rows of kWidth outputs, windows of kTaps x kTaps, numbers of kParts parts.
/// Lengths in shared memory are in pixels of a plane, 16 bytes.
template <int kWidth, int kStride_, int kTaps_, int kParts_>
struct Band {
  static constexpr int kStride = kStride_, kTaps = kTaps_, kParts = kParts_;
  static constexpr int kImages = kWidth < 16 ? 16 / kWidth : 1;  // side by side in a strip
  static constexpr int kStrips = kWidth < 16 ? 1 : kWidth / 16;
  static constexpr int kAcross = 16 / kImages;  // neighbours in a strip
  static constexpr int kGroups = 32 / kWidth;   // of 16 filters
  static constexpr int kThreads = kWarp * kStrips * kGroups;
  static constexpr int kRows = kStride * (kBandRows - 1) + kTaps;
  static constexpr int kPitch = kStride * kWidth + 2;
  static constexpr int kYPitch = kWidth + 2;
  static constexpr int kPlane = kRows * kPitch;
  static constexpr int kPart = kImages * 2 * kPlane;
  static constexpr int kStep = kParts * kPart;
  static constexpr int kFirst = kTaps == 1 ? 1 : 0;  // where windows begin in the bordered image
};

/// The operands, and the numbers that lead from a tile to its place in them.
struct Pass {
  const uint4 *x, *w;
  const float* bias;
  const uint32_t* residual;  // may be null
  uint32_t* y;
  int N, chunks, filters;  // images a network; I / 16; O / 16
  int tiles;               // bands of all images and networks, times blocks of filters
  int x_plane, x_part, x_image, y_plane;  // pixels
  int64_t x_step;  // pixels from one network's x to the next one's; 0 if shared
  int64_t w_step;  // 16 bytes each, from one network's filters to the next one's
  bool relu;
  IntDivisor filter_blocks, bands, image_groups;  // a tile's index is their mixed radix
  int filter_blocks_count, bands_count, image_groups_count;
};

/// Where a tile lies: first filters (in sixteens), first row of y, first image, network.
struct Place {
  int filter, row, image, point;
};
template <class B>
__device__ Place place_of(const Pass& pass, int tile) {
  const int band = pass.filter_blocks.quotient(tile), group = pass.bands.quotient(band);
  const int point = pass.image_groups.quotient(group);
  return {(tile - band * pass.filter_blocks_count) * B::kGroups,
          (band - group * pass.bands_count) * kBandRows,
          (group - point * pass.image_groups_count) * B::kImages, point};
}

/// A thread's share of copying a block's tiles, 16 channels after 16 channels.
template <class B>
class Copies {
 public:
  __device__ Copies(const Pass& pass, int tile) : pass_(pass), tile_(tile) { find(); }

  /// Begins copying the next 16 channels, of this tile or the block's next; none behind the last.
  __device__ void begin(uint4* step) {
    if (tile_ < pass_.tiles) {
#pragma unroll
      for (int plane = 0; plane < B::kParts * B::kImages * 2; ++plane) {
        // Parts, images, planes; a last image alone stands for two.
        const int part = plane / (2 * B::kImages);
        const uint4* from = (plane / 2 % B::kImages == 0 ? first_ : second_) +
                            (part * pass_.x_part + plane % 2 * pass_.x_plane);
        uint4* to = step + plane * B::kPlane + threadIdx.x;
#pragma unroll
        for (int q = 0; q < B::kPlane; q += B::kThreads)
          if (q + B::kThreads <= B::kPlane || static_cast<int>(threadIdx.x) < B::kPlane - q)
            copy_async_16(to + q, from + q);
      }
      first_ += 2 * pass_.x_plane;
      second_ += 2 * pass_.x_plane;
      if (++chunk_ == pass_.chunks) {
        tile_ += static_cast<int>(gridDim.x);
        find();
      }
    }
    copy_async_commit();  // a group a step, empty behind the last one
  }

 private:
  __device__ void find() {
    const Place place = place_of<B>(pass_, tile_);
    chunk_ = 0;
    first_ = pass_.x + place.point * pass_.x_step + place.image * int64_t{pass_.x_image} +
             (B::kStride * place.row + B::kFirst) * B::kPitch + threadIdx.x;
    second_ = first_ + (place.image + 1 < pass_.N ? pass_.x_image : 0);
  }

  const Pass& pass_;
  int tile_, chunk_ = 0;
  const uint4 *first_, *second_;  // in a strip's images
};

/// Adds the products of 16 channels. If kFirst, sums are those of the bias before.
template <class B, bool kFirst>
__device__ __forceinline__ void multiply(float (&sums)[kBandRows][2][4], const uint4* pixel,
                                         const uint4* w, const float (&bias)[2][4]) {
#pragma unroll
  for (int kx = 0; kx < B::kTaps; ++kx) {
    uint4 filters[B::kParts][B::kTaps];
#pragma unroll
    for (int part = 0; part < B::kParts; ++part)
#pragma unroll
      for (int ky = 0; ky < B::kTaps; ++ky)
        filters[part][ky] = w[((part * B::kTaps + kx) * B::kTaps + ky) * kWarp];
#pragma unroll
    for (int r = 0; r < B::kRows; ++r) {
      if (B::kTaps == 1 && r % B::kStride != 0) continue;  // no window has this row
      uint32_t pixels[B::kParts][4];
#pragma unroll
      for (int part = 0; part < B::kParts; ++part)
        ldmatrix_x4(pixels[part], pixel + part * B::kPart + r * B::kPitch + kx);
        // high * high, low * high, high * low
#pragma unroll
      for (int product = 0; product < (B::kParts == 1 ? 1 : 3); ++product)
#pragma unroll
        for (int ky = 0; ky < B::kTaps; ++ky) {
          const int row = (r - ky) / B::kStride;
          if (r < ky || (r - ky) % B::kStride != 0 || row >= kBandRows) continue;
          const uint4& f = filters[product == 2][ky];
          const uint32_t right[2][2] = {{f.x, f.y}, {f.z, f.w}};
          const bool begins = kFirst && kx == 0 && ky == 0 && product == 0;
#pragma unroll
          for (int n = 0; n < 2; ++n) {
            float(&sum)[4] = sums[row][n];
            if (begins)
              mma_m16n8k16(sum, pixels[product == 1], right[n], bias[n]);
            else
              mma_m16n8k16(sum, pixels[product == 1], right[n], sum);
          }
        }
    }
  }
}

__device__ inline uint32_t bits_of(__nv_bfloat162 pair) {
  return *reinterpret_cast<uint32_t*>(&pair);
}

/// Adds the residual, and stores a warp's sums as y.
template <class B>
__device__ __forceinline__ void store(const Pass& pass, const Place& place, int strip, int filter,
                                      float (&sums)[kBandRows][2][4]) {
  // A lane's words, of two channels: l % 4 of pixels l / 4 (h = 0) and l / 4 + 8, or of the strip's
  // two images; of the filters' two planes n.
  const int lane = static_cast<int>(threadIdx.x) % kWarp, plane = pass.y_plane * 4;
  const int part_step = 2 * pass.filters * plane, image_step = B::kParts * part_step;
  const int64_t first = (int64_t{place.point} * pass.N + place.image) * image_step +
                        2 * filter * plane +
                        ((place.row + 1) * B::kYPitch + strip * 16 + lane / 4 + 1) * 4 + lane % 4;
  const int second = B::kImages == 1 ? 8 * 4 : image_step;
  const bool exists[2] = {true, B::kImages == 1 || place.image + 1 < pass.N};
  uint32_t* y[B::kParts][2][2];
  const uint32_t* residual[B::kParts][2][2];
#pragma unroll
  for (int part = 0; part < B::kParts; ++part)
#pragma unroll
    for (int n = 0; n < 2; ++n)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int64_t at = first + part * part_step + n * plane + h * second;
        y[part][n][h] = pass.y + at;
        residual[part][n][h] = pass.residual + at;
      }
  // The identity, 8 x 8 and zeros below or above it: bf16's 1 where channel and filter are one.
  const uint32_t one = lane % 4 == lane / 8 ? (lane / 4 % 2 == 0 ? 0x00003f80U : 0x3f800000U) : 0;
  const uint32_t identity[2][2] = {{one, 0}, {0, one}};
  const float least = pass.relu ? 0.0F : -INFINITY;
#pragma unroll
  for (int r = 0; r < kBandRows; ++r) {
    const int at = r * B::kYPitch * 4;
    if (pass.residual) {
#pragma unroll
      for (int part = 0; part < B::kParts; ++part) {
        uint32_t pixels[4];
#pragma unroll
        for (int i = 0; i < 4; ++i)
          pixels[i] = exists[i % 2] ? residual[part][i / 2][i % 2][at] : 0;
#pragma unroll
        for (int n = 0; n < 2; ++n) mma_m16n8k16(sums[r][n], pixels, identity[n], sums[r][n]);
      }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int n = i / 2, h = i % 2;
      if (!exists[h]) continue;
      float a = sums[r][n][2 * h], b = sums[r][n][2 * h + 1];
      if constexpr (B::kParts == 1) {
        y[0][n][h][at] =
            bits_of(__hmax2_nan(__floats2bfloat162_rn(a, b), __floats2bfloat162_rn(least, least)));
      } else {
        a = a < least ? least : a;  // a NaN stays one
        b = b < least ? least : b;
        const __nv_bfloat162 high = __floats2bfloat162_rn(a, b);
        y[0][n][h][at] = bits_of(high);
        y[B::kParts - 1][n][h][at] =
            bits_of(__floats2bfloat162_rn(a - __low2float(high), b - __high2float(high)));
      }
    }
  }
}

template <class B>
__global__ void __launch_bounds__(B::kThreads) planar_conv_kernel(Pass pass) {
  // Warp (strip, group): 16 pixels of each row and 16 filters of the block's tiles.
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int strip = static_cast<int>(threadIdx.x) / kWarp % B::kStrips;
  const int group = static_cast<int>(threadIdx.x) / (kWarp * B::kStrips);
  auto* steps = dynamic_shared<uint4>();
  // This lane's row of ldmatrix: a pixel of the strip, in the first or second of two planes.
  const int across = strip * 16 + lane % B::kAcross, image = lane % 16 / B::kAcross;
  const int pixel = (image * 2 + lane / 16) * B::kPlane + B::kStride * across + B::kFirst;

  Copies<B> copies(pass, static_cast<int>(blockIdx.x));
  copies.begin(steps);
  int stage = 0;  // where the step lies that is multiplied next; 0 or kStep
  for (int tile = static_cast<int>(blockIdx.x); tile < pass.tiles;
       tile += static_cast<int>(gridDim.x)) {
    const Place place = place_of<B>(pass, tile);
    const int filter = place.filter + group;
    const float* b = pass.bias + (place.point * pass.filters + filter) * 16 + lane % 4 * 2;
    const float bias[2][4] = {{b[0], b[1], b[0], b[1]}, {b[8], b[9], b[8], b[9]}};
    constexpr int kFragments = B::kParts * B::kTaps * B::kTaps * kWarp;  // of 16 channels
    const uint4* w =
        pass.w + place.point * pass.w_step + int64_t{filter} * pass.chunks * kFragments + lane;
    float sums[kBandRows][2][4];
    for (int chunk = 0; chunk < pass.chunks; ++chunk) {
      copy_async_wait<0>();  // this thread's part of the step has come
      __syncthreads();       // all threads' parts have; and all have read the stage refilled now
      copies.begin(steps + (B::kStep - stage));
      const uint4* from = steps + stage + pixel;
      if (chunk == 0)
        multiply<B, true>(sums, from, w, bias);
      else
        multiply<B, false>(sums, from, w + chunk * kFragments, bias);
      stage = B::kStep - stage;
    }
    store<B>(pass, place, strip, filter, sums);
  }
}

template <class B>
void launch_bands(const PlanarConvArgs& args, Context& context) {
  const int filters = static_cast<int>(args.filters[0] / 16);
  const int64_t N = args.images(), blocks = filters / B::kGroups, bands = args.y.H / kBandRows;
  const int64_t image_groups = ceil_div(N, B::kImages);
  const int64_t chunks = args.x.planes() / 2;
  const int64_t tiles = blocks * bands * image_groups * args.points;
  if (tiles == 0) return;
  const Pass pass{.x = reinterpret_cast<const uint4*>(pointer<Bf16>(args.x.data)),
                  .w = reinterpret_cast<const uint4*>(pointer<Bf16>(args.w)),
                  .bias = pointer<float>(args.bias),
                  .residual = args.residual.defined() ? reinterpret_cast<const uint32_t*>(
                                                            pointer<Bf16>(args.residual.data))
                                                      : nullptr,
                  .y = reinterpret_cast<uint32_t*>(pointer<Bf16>(args.y.data)),
                  .N = static_cast<int>(N),
                  .chunks = static_cast<int>(chunks),
                  .filters = filters,
                  .tiles = static_cast<int>(tiles),
                  .x_plane = static_cast<int>(args.x.plane()),
                  .x_part = static_cast<int>(args.x.planes() * args.x.plane()),
                  .x_image = static_cast<int>(args.x.image()),
                  .y_plane = static_cast<int>(args.y.plane()),
                  .x_step = args.shares_x() ? 0 : N * args.x.image(),
                  .w_step = filters * chunks * B::kParts * B::kTaps * B::kTaps * kWarp,
                  .relu = args.relu,
                  .filter_blocks = IntDivisor(blocks),
                  .bands = IntDivisor(bands),
                  .image_groups = IntDivisor(image_groups),
                  .filter_blocks_count = static_cast<int>(blocks),
                  .bands_count = static_cast<int>(bands),
                  .image_groups_count = static_cast<int>(image_groups)};
  constexpr int64_t kResident = 132 * 8;  // blocks that an H100 or H200 runs at once
  const auto grid = static_cast<unsigned>(std::min({tiles, kResident, kMaxBlocks}));
  launch(planar_conv_kernel<B>, dim3(grid), dim3(B::kThreads), kSteps * B::kStep * sizeof(uint4),
         context, pass);
}

template <int kParts>
void launch_as(const PlanarConvArgs& args, Context& context) {
  const bool pixels = args.filters[1] == 1, strided = args.geometry.stride.h == 2;
  switch (args.y.W) {
    case 8:
      if (pixels) return launch_bands<Band<8, 2, 1, kParts>>(args, context);
      if (strided) return launch_bands<Band<8, 2, 3, kParts>>(args, context);
      return launch_bands<Band<8, 1, 3, kParts>>(args, context);
    case 16:
      if (pixels) return launch_bands<Band<16, 2, 1, kParts>>(args, context);
      if (strided) return launch_bands<Band<16, 2, 3, kParts>>(args, context);
      return launch_bands<Band<16, 1, 3, kParts>>(args, context);
    default:
      return launch_bands<Band<32, 1, 3, kParts>>(args, context);
  }
}

void run(const PlanarConvArgs& args, Context& context) {
  args.x.parts == 1 ? launch_as<1>(args, context) : launch_as<2>(args, context);
}

bool supports(const PlanarConvArgs& args) {
  constexpr int64_t kMostTiles = int64_t{1} << 30;
  return args.y.N * args.y.H * args.filters[0] < kMostTiles;
}

}  // namespace

void register_planar_conv_1_band(OpRegistry& registry) {
  registry.add<PlanarConvArgs>({"band", kDevice, supports, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
