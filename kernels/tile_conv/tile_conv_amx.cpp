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

int64_t largest_divisor_to_16(int64_t n) {
  int64_t divisor = 16;
  while (n % divisor != 0) --divisor;
  return divisor;
}

/// Convolution as the tiles see it: with 16 filters, a pixel and its right neighbour are taken
/// for one output of 32, whose window is a pixel wider, so that two tiles of filters share what is
/// loaded of the images, and what is loaded lies twice as far apart, each row in a cache line of
/// its own.
struct Geometry {
  bool pairs;
  int64_t KH, KW, I, O;  ///< extents of the filters

  bool together;          ///< images side by side make one row of outputs; else each has its own
  int64_t length, count;  ///< outputs in a row; outputs in a tile
  int64_t x_step, y_step;

  explicit Geometry(const TileConvArgs& args) {
    const TiledImages &x = args.x, &y = args.y;
    const int64_t stride = args.geometry.stride.h;
    pairs = y.C == TiledImages::kTileRows && y.side() == 1 && x.side() == 1 && stride == 1 &&
            y.W % 2 == 0;
    const int64_t width = pairs ? 2 : 1;
    KH = args.w.dim(1);
    KW = args.w.dim(2) + width - 1;
    I = x.C;
    O = width * y.C;
    together = x.side() == y.side() && (stride == 1 || x.side() == 1);
    length = together ? y.W * y.side() / width : y.W;
    count = largest_divisor_to_16(length);
    x_step = width * stride * (together ? x.C : x.pixel());
    y_step = width * (together ? y.C : y.pixel());
  }
  int64_t filter_size() const { return KH * KW * I; }
};

/// Returns a window in steps of 32 numbers: rows of it where images stand alone, pixels where they
/// stand side by side.
std::vector<amx::Step> steps_of(const TiledImages& x, const Geometry& g) {
  const int64_t piece = x.side() == 1 ? g.KW * g.I : g.I;  // contiguous in images and filters
  std::vector<amx::Step> steps;
  for (int64_t kh = 0; kh < g.KH; ++kh)
    for (int64_t i = 0; i < g.KW * g.I; i += piece)
      for (int64_t j = 0; j < piece; j += TiledImages::kTileColumns)
        steps.push_back({kh * x.row() + i * x.side() + j, kh * g.KW * g.I + i + j,
                         std::min(TiledImages::kTileColumns, piece - j)});
  return steps;
}

/// Returns the filters of pairs: each twice, the second time a pixel further right, zeros where
/// that leaves the wider window.
std::vector<float> paired(const TileConvArgs& args, const Geometry& g) {
  std::vector<float> wide(static_cast<size_t>(g.O * g.filter_size()), 0.0F);
  const int64_t row = args.w.dim(2) * g.I;
  const float* w = args.w.data<float>();
  for (int64_t o = 0; o < args.w.dim(0); ++o)
    for (int64_t kh = 0; kh < g.KH; ++kh, w += row)
      for (int64_t second = 0; second < 2; ++second)
        std::copy_n(w, row,
                    wide.data() + (second * args.w.dim(0) + o) * g.filter_size() +
                        (kh * g.KW + second) * g.I);
  return wide;
}

/// Lists all tiles of outputs, filled up to a multiple of four with some that write to `spare`.
void list_tiles(std::vector<amx::Tile>& tiles, const TileConvArgs& args, const Geometry& g,
                uint16_t* spare) {
  const TiledImages &x = args.x, &y = args.y;
  const int64_t stride = args.geometry.stride.h;
  const PerAxis padding = args.geometry.padding;
  const int64_t step = g.together ? y.side() : 1;
  tiles.clear();
  for (int64_t n = 0; n < y.N; n += step)
    for (int64_t oh = 0; oh < y.H; ++oh) {
      const int64_t from = x.image(n) + (oh * stride - padding.h) * x.row() - padding.w * x.pixel();
      const int64_t to = y.image(n) + oh * y.row();
      for (int64_t i = 0; i < g.length; i += g.count) {
        const int64_t at = to + i * g.y_step;
        tiles.push_back({bits(x, from + i * g.x_step), bits(y, at),
                         args.residual.defined() ? bits(args.residual, at) : nullptr});
      }
    }
  while (tiles.size() % 4 != 0)
    tiles.push_back({tiles[0].x, spare, args.residual.defined() ? spare : nullptr});
}

/// A context's lists, so that a call allocates nothing.
struct Lists {
  std::vector<amx::Tile> tiles;
};

void convolve(const TileConvArgs& args, Context& context) {
  if (args.y.N == 0) return;
  const Geometry g(args);
  const std::vector<amx::Step> steps = steps_of(args.x, g);
  const int64_t step_count = static_cast<int64_t>(steps.size());
  // Packed: the filters, and their bias for as many filters.
  const int64_t filters_bytes = 2 * amx::packed_size(g.O, step_count, args.x.parts);
  const int64_t packed_bytes = filters_bytes + g.O * static_cast<int64_t>(sizeof(float));
  // A spare tile's rows, as far apart as those of y.
  const int64_t spare_bytes = 2 * (16 * g.y_step + g.O + args.y.part());
  auto* scratch = static_cast<std::byte*>(context.workspace(packed_bytes + spare_bytes));
  const auto pack = [&](void* to) {
    const std::vector<float> wide = g.pairs ? paired(args, g) : std::vector<float>();
    amx::pack(static_cast<uint16_t*>(to), g.pairs ? wide.data() : args.w.data<float>(), g.O,
              g.filter_size(), steps.data(), step_count, args.x.parts);
    auto* bias = reinterpret_cast<float*>(static_cast<std::byte*>(to) + filters_bytes);
    for (int64_t o = 0; o < g.O; ++o)
      bias[o] = args.bias.defined() ? args.bias.data<float>()[o % args.w.dim(0)] : 0.0F;
  };
  const auto* packed = static_cast<const std::byte*>(context.state<PackedWeights>().get(
      &kLayout, args.w, args.weights_version, packed_bytes, scratch, pack));
  std::vector<amx::Tile>& tiles = context.state<Lists>().tiles;
  list_tiles(tiles, args, g, reinterpret_cast<uint16_t*>(scratch + packed_bytes));
  amx::convolve({.tiles = tiles.data(),
                 .tile_count = static_cast<int64_t>(tiles.size()),
                 .steps = steps.data(),
                 .step_count = step_count,
                 .filters = reinterpret_cast<const uint16_t*>(packed),
                 .bias = reinterpret_cast<const float*>(packed + filters_bytes),
                 .filter_count = g.O,
                 .rows = static_cast<int>(g.count),
                 .x_row = g.x_step,
                 .y_row = g.y_step,
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

/// Whether the processor has what amx_kernel.cpp is compiled for.
bool processor_has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned kAmxBf16 = 1U << 22, kAmxTile = 1U << 24;
  if ((d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  constexpr unsigned kAvx512Bf16 = 1U << 5;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & kAvx512Bf16) != 0 &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/// Whether the tiles may be used: Linux gives the tiles' eight kilobytes of state to processes that
/// ask, since 5.16.
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
