// Intel's AMX: eight registers of 16 rows of 64 bytes, and an instruction that multiplies 16 x 32
// numbers of bf16 by 32 x 16 and adds the 16 x 16 results to sums in f32, in 16 cycles.
//
//   outputs' windows: 16 rows,        filters: 32 rows (as 16 of pairs),
//   32 numbers each, in place         16 columns, packed once per version of the weights
//   [ x ... ] one step of all   x     [ w ... ]   =   16 x 16 sums
//
// The windows of neighbouring outputs lie a fixed distance apart, so that a tile is loaded straight
// from the images (TiledImages sees to the border and to narrow images): no matrix of windows is
// written. A window is passed in steps of 32 numbers. Four tiles of sums stay in registers: two of
// outputs by two of filters, or four by one where only 16 filters are left.
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "kernels/conv2d/packed_weights.h"
#include "kernels/tile_conv/amx_kernel.h"
#include "kernels/tile_conv/tile_conv.h"

namespace topograd {

namespace {

constexpr char kLayout = 'a';  // tells this packed form of a w from others

uint16_t* bits(const TiledImages& images, int64_t at) {
  return reinterpret_cast<uint16_t*>(images.at(at));
}

/// A window in steps of 32 numbers: rows of it where images stand alone, pixels where they stand
/// side by side.
std::vector<amx::Step> steps_of(const TileConvArgs& args) {
  const int64_t KH = args.w.dim(1), KW = args.w.dim(2), I = args.x.C;
  const int64_t piece = args.x.side() == 1 ? KW * I : I;  // contiguous in both
  std::vector<amx::Step> steps;
  for (int64_t kh = 0; kh < KH; ++kh)
    for (int64_t i = 0; i < KW * I; i += piece)
      for (int64_t j = 0; j < piece; j += TiledImages::kTileColumns)
        steps.push_back({kh * args.x.row() + i * args.x.side() + j, (kh * KW) * I + i + j,
                         std::min(TiledImages::kTileColumns, piece - j)});
  return steps;
}

int largest_divisor_to_16(int64_t n) {
  int rows = 16;
  while (n % rows != 0) --rows;
  return rows;
}

/// How outputs become tiles' rows.
struct Rows {
  bool together;          ///< images side by side make one row; else each has its own
  int64_t length, count;  ///< outputs in a row; in a tile
  int64_t x_step, y_step;

  explicit Rows(const TileConvArgs& args) {
    const TiledImages &x = args.x, &y = args.y;
    together = x.side() == y.side() && (args.geometry.stride == 1 || x.side() == 1);
    length = together ? y.W * y.side() : y.W;
    count = largest_divisor_to_16(length);
    x_step = together ? args.geometry.stride * x.C : args.geometry.stride * x.pixel();
    y_step = together ? y.C : y.pixel();
  }
};

/// All tiles of outputs; filled up to a multiple of four with some that write to `spare`.
void list_tiles(std::vector<amx::Tile>& tiles, const TileConvArgs& args, const Rows& rows,
                uint16_t* spare) {
  const TiledImages &x = args.x, &y = args.y;
  const int64_t stride = args.geometry.stride, padding = args.geometry.padding;
  const int64_t step = rows.together ? y.side() : 1;
  tiles.clear();
  for (int64_t n = 0; n < y.N; n += step)
    for (int64_t oh = 0; oh < y.H; ++oh) {
      const int64_t from = x.image(n) + (oh * stride - padding) * x.row() - padding * x.pixel();
      const int64_t to = y.image(n) + oh * y.row();
      for (int64_t i = 0; i < rows.length; i += rows.count) {
        const int64_t at = to + i * rows.y_step;
        tiles.push_back({bits(x, from + i * rows.x_step), bits(y, at),
                         args.residual.defined() ? bits(args.residual, at) : nullptr});
      }
    }
  while (tiles.size() % 4 != 0)
    tiles.push_back({tiles[0].x, spare, args.residual.defined() ? spare : nullptr});
}

struct Lists {
  std::vector<amx::Tile> tiles;
};

void convolve(const TileConvArgs& args, Context& context) {
  if (args.y.N == 0) return;
  const std::vector<amx::Step> steps = steps_of(args);
  const int64_t step_count = static_cast<int64_t>(steps.size());
  const int64_t O = args.w.dim(0), filter_size = args.w.size() / O;
  const int64_t packed_bytes = 2 * amx::packed_size(O, step_count, args.x.parts);
  const Rows rows(args);
  // A spare tile's rows, as far apart as those of y.
  const int64_t spare_bytes = 2 * (16 * rows.y_step + O + args.y.part());
  auto* scratch = static_cast<std::byte*>(context.workspace(packed_bytes + spare_bytes));
  auto* spare = reinterpret_cast<uint16_t*>(scratch + packed_bytes);
  const void* filters = context.state<PackedWeights>().get(
      &kLayout, args.w, args.weights_version, packed_bytes, scratch, [&](void* packed) {
        amx::pack(static_cast<uint16_t*>(packed), args.w.data<float>(), O, filter_size,
                  steps.data(), step_count, args.x.parts);
      });
  std::vector<amx::Tile>& tiles = context.state<Lists>().tiles;
  list_tiles(tiles, args, rows, spare);
  amx::convolve({.tiles = tiles.data(),
                 .tile_count = static_cast<int64_t>(tiles.size()),
                 .steps = steps.data(),
                 .step_count = step_count,
                 .filters = static_cast<const uint16_t*>(filters),
                 .bias = args.bias.defined() ? args.bias.data<float>() : nullptr,
                 .filter_count = O,
                 .rows = static_cast<int>(rows.count),
                 .x_row = rows.x_step,
                 .y_row = rows.y_step,
                 .x_part = args.x.part(),
                 .y_part = args.y.part(),
                 .parts = args.x.parts,
                 .relu = args.relu});
}

/// Calls f(tiled offset, plain offset, numbers) for every contiguous piece.
template <class F>
void for_each_piece(const TiledImages& images, F f) {
  const int64_t piece = images.side() == 1 ? images.W * images.C : images.C;
  const int64_t pieces = images.W * images.C / piece;
  int64_t plain = 0;
  for (int64_t n = 0; n < images.N; ++n)
    for (int64_t h = 0; h < images.H; ++h)
      for (int64_t i = 0; i < pieces; ++i, plain += piece)
        f(images.image(n) + h * images.row() + i * images.pixel(), plain, piece);
}

void tile(const TileImagesArgs& args, Context&) {
  const float* x = args.x.data<float>();
  for_each_piece(args.y, [&](int64_t at, int64_t plain, int64_t count) {
    amx::split(bits(args.y, at), bits(args.y, at) + args.y.part(), x + plain, count, args.y.parts);
  });
}

void untile(const UntileImagesArgs& args, Context&) {
  float* y = args.y.data<float>();
  for_each_piece(args.x, [&](int64_t at, int64_t plain, int64_t count) {
    amx::join(y + plain, bits(args.x, at), bits(args.x, at) + args.x.part(), count, args.x.parts);
  });
}

/// What amx_kernel.cpp is compiled for.
bool processor_has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned kAmxBf16 = 1U << 22, kAmxTile = 1U << 24;
  if ((d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  constexpr unsigned kAvx512Bf16 = 1U << 5;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & kAvx512Bf16) != 0 &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/// Linux gives the tiles' eight kilobytes of state to processes that ask, since 5.16.
bool tiles_granted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // asm/prctl.h
  static const bool granted =
      processor_has_amx() && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return granted;
}

template <class Args>
bool supports(const Args&) {
  return tiles_granted();
}

}  // namespace

void register_tile_conv_amx(OpRegistry& registry) {
  registry.add<TileImagesArgs>({"amx", Device::cpu, supports, tile});
  registry.add<UntileImagesArgs>({"amx", Device::cpu, supports, untile});
  registry.add<TileConvArgs>({"amx", Device::cpu, supports, convolve});
}

}  // namespace topograd
