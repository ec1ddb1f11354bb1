#include "kernels/tile_conv/amx_kernel.h"

#include <immintrin.h>

namespace topograd::amx {

namespace {

constexpr int64_t kTileFilters = 16, kStepNumbers = 32;

/// Operand of LDTILECFG. All eight tiles are alike: `rows` rows of 64 bytes.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

/// Configures the tiles: 0 to 5 hold `rows` outputs; 6 and 7 hold filters, 16 rows always.
void configure(int rows) {
  TileConfig config;
  for (int i = 0; i < 8; ++i) {
    config.row_bytes[i] = 64;
    config.rows[i] = static_cast<uint8_t>(i < 6 ? rows : 16);
  }
  _tile_loadconfig(&config);
}

__m512 widened(const uint16_t* from) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

__m512 widened(__m256bh bits) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(bits)), 16));
}

void store(uint16_t* to, __m256bh bits) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(bits));
}

/// Returns the rest of v after its first part; 0 for an infinity.
__m256bh second_part(__m512 v, __m256bh hi) {
  const __m512 first = widened(hi);
  const __mmask16 finite =
      _mm512_cmp_ps_mask(_mm512_abs_ps(first), _mm512_set1_ps(__builtin_inff()), _CMP_NEQ_UQ);
  return _mm512_cvtneps_pbh(_mm512_maskz_sub_ps(finite, v, first));
}

/// Four tiles of sums, [4][16][16], and their outputs and filters.
struct Block {
  const float* sums;
  const Tile* tiles[4];
  int64_t filters[4];  // first filter of each tile
};
constexpr int kBlockRows = 4 * 16, kBlockSize = kBlockRows * kTileFilters;

/// Turns rows [begin, end) of a block's sums into outputs.
template <int kParts, bool kResidual>
inline void finish(const Block& block, int64_t begin, int64_t end, const Conv& conv) {
  const __m512 lowest = _mm512_set1_ps(conv.relu ? 0.0F : -__builtin_inff());
  while (begin < end) {
    const int64_t tile = begin / 16, row = begin % 16, filter = block.filters[tile];
    const __m512 bias = _mm512_loadu_ps(conv.bias + filter);
    const int64_t at = row * conv.y_row + filter;
    uint16_t* y = block.tiles[tile]->y + at;
    const uint16_t* residual = kResidual ? block.tiles[tile]->residual + at : nullptr;
    const float* sums = block.sums + begin * kTileFilters;
    const int64_t next = (tile + 1) * 16 < end ? (tile + 1) * 16 : end;
    const int64_t rows = row + (next - begin) < conv.rows ? next - begin : conv.rows - row;
    for (int64_t i = 0; i < rows; ++i, sums += kTileFilters, y += conv.y_row) {
      __m512 v = _mm512_add_ps(_mm512_load_ps(sums), bias);
      if constexpr (kResidual) {
        v = _mm512_add_ps(v, widened(residual));
        if constexpr (kParts == 2) v = _mm512_add_ps(v, widened(residual + conv.y_part));
        residual += conv.y_row;
      }
      v = _mm512_max_ps(lowest, v);  // v where one of them is NaN
      const __m256bh hi = _mm512_cvtneps_pbh(v);
      store(y, hi);
      if constexpr (kParts == 2) store(y + conv.y_part, second_part(v, hi));
    }
    begin = next;
  }
}

void clear_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

void store_sums(float* sums) {
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + 256, 64);
  _tile_stored(2, sums + 512, 64);
  _tile_stored(3, sums + 768, 64);
}

/// Does one step of four tiles of outputs and one of filters.
template <int kParts>
inline void multiply_4x1(const Tile* tiles, int64_t at, const uint16_t* filters, const Conv& conv) {
  const int64_t stride = conv.x_row * 2, lo = at + conv.x_part;
  _tile_loadd(6, filters, 64);
  if constexpr (kParts == 1) {
    _tile_loadd(4, tiles[0].x + at, stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, tiles[1].x + at, stride);
    _tile_dpbf16ps(1, 5, 6);
    _tile_loadd(4, tiles[2].x + at, stride);
    _tile_dpbf16ps(2, 4, 6);
    _tile_loadd(5, tiles[3].x + at, stride);
    _tile_dpbf16ps(3, 5, 6);
  } else {
    _tile_loadd(7, filters + kTileSize, 64);
    _tile_loadd(4, tiles[0].x + at, stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, tiles[1].x + at, stride);
    _tile_dpbf16ps(1, 5, 6);
    _tile_dpbf16ps(0, 4, 7);
    _tile_dpbf16ps(1, 5, 7);
    _tile_loadd(4, tiles[2].x + at, stride);
    _tile_dpbf16ps(2, 4, 6);
    _tile_loadd(5, tiles[3].x + at, stride);
    _tile_dpbf16ps(3, 5, 6);
    _tile_dpbf16ps(2, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
    _tile_loadd(4, tiles[0].x + lo, stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, tiles[1].x + lo, stride);
    _tile_dpbf16ps(1, 5, 6);
    _tile_loadd(4, tiles[2].x + lo, stride);
    _tile_dpbf16ps(2, 4, 6);
    _tile_loadd(5, tiles[3].x + lo, stride);
    _tile_dpbf16ps(3, 5, 6);
  }
}

/// Does one step of two tiles of outputs and two of filters: each is loaded for two products.
template <int kParts>
inline void multiply_2x2(const Tile* tiles, int64_t at, const uint16_t* filters, const Conv& conv) {
  const int64_t stride = conv.x_row * 2, lo = at + conv.x_part;
  _tile_loadd(4, tiles[0].x + at, stride);
  _tile_loadd(6, filters, 64);
  _tile_dpbf16ps(0, 4, 6);
  _tile_loadd(7, filters + kTileSize, 64);
  _tile_dpbf16ps(1, 4, 7);
  _tile_loadd(5, tiles[1].x + at, stride);
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
  if constexpr (kParts == 2) {
    _tile_loadd(6, filters + 2 * kTileSize, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    _tile_loadd(7, filters + 3 * kTileSize, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
    _tile_loadd(6, filters, 64);
    _tile_loadd(4, tiles[0].x + lo, stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, tiles[1].x + lo, stride);
    _tile_dpbf16ps(2, 5, 6);
    _tile_loadd(7, filters + kTileSize, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
  }
}

/// Computes all outputs of kTileFilters * kWidth filters. While the tile unit works on one block,
/// the vector unit finishes the one before, a few rows a step: neither waits for the other.
template <int kParts, bool kResidual, int kWidth>
void convolve_filters(int64_t first_filter, const uint16_t* packed, const Conv& conv) {
  constexpr int kTiles = 4 / kWidth;  // tiles of outputs in a block
  alignas(64) float sums[2][kBlockSize];
  Block before{};
  const int64_t rows_a_step = (kBlockRows + conv.step_count - 1) / conv.step_count;
  for (int64_t t = 0; t < conv.tile_count; t += kTiles) {
    float* here = sums[t / kTiles % 2];
    clear_sums();
    int64_t finished = t == 0 ? kBlockRows : 0;
    for (int64_t k = 0; k < conv.step_count; ++k) {
      const uint16_t* filters = packed + k * kWidth * kParts * kTileSize;
      if constexpr (kWidth == 2)
        multiply_2x2<kParts>(conv.tiles + t, conv.steps[k].x, filters, conv);
      else
        multiply_4x1<kParts>(conv.tiles + t, conv.steps[k].x, filters, conv);
      const int64_t next =
          finished + rows_a_step < kBlockRows ? finished + rows_a_step : kBlockRows;
      finish<kParts, kResidual>(before, finished, next, conv);
      finished = next;
    }
    store_sums(here);
    before.sums = here;
    for (int i = 0; i < 4; ++i) {
      before.tiles[i] = conv.tiles + t + i / kWidth;
      before.filters[i] = first_filter + i % kWidth * kTileFilters;
    }
  }
  finish<kParts, kResidual>(before, 0, kBlockRows, conv);
}

template <int kParts, bool kResidual>
void convolve_all(const Conv& conv) {
  const int64_t tile_filters = conv.step_count * kParts * kTileSize;
  int64_t o = 0;
  for (; o + 2 * kTileFilters <= conv.filter_count; o += 2 * kTileFilters)
    convolve_filters<kParts, kResidual, 2>(o, conv.filters + o / kTileFilters * tile_filters, conv);
  if (o < conv.filter_count)
    convolve_filters<kParts, kResidual, 1>(o, conv.filters + o / kTileFilters * tile_filters, conv);
}

}  // namespace

int64_t packed_size(int64_t filters, int64_t steps, int parts) {
  return filters / kTileFilters * steps * parts * kTileSize;
}

void pack(uint16_t* packed, const float* w, int64_t filters, int64_t filter_size, const Step* steps,
          int64_t step_count, int parts) {
  const __m512i rows =
      _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                         _mm512_set1_epi32(16));
  for (int64_t block = 0; block < filters;) {
    const int64_t tiles = block + 2 * kTileFilters <= filters ? 2 : 1;
    for (int64_t k = 0; k < step_count; ++k) {
      const uint32_t mask = steps[k].count == kStepNumbers ? ~0U : (1U << steps[k].count) - 1;
      for (int64_t o = 0; o < tiles * kTileFilters; ++o) {
        const float* from = w + (block + o) * filter_size + steps[k].w;
        const __m512 a = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from);
        const __m512 b = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), from + 16);
        const __m512bh hi = _mm512_cvtne2ps_pbh(b, a);  // 16 pairs
        uint16_t* tile = packed + o / kTileFilters * kTileSize;
        _mm512_i32scatter_epi32(tile + o % kTileFilters * 2, rows, reinterpret_cast<__m512i>(hi),
                                4);
        if (parts == 1) continue;
        const __m256bh lo[2] = {second_part(a, _mm512_cvtneps_pbh(a)),
                                second_part(b, _mm512_cvtneps_pbh(b))};
        const __m512i both =
            _mm512_inserti64x4(_mm512_castsi256_si512(reinterpret_cast<__m256i>(lo[0])),
                               reinterpret_cast<__m256i>(lo[1]), 1);
        _mm512_i32scatter_epi32(tile + tiles * kTileSize + o % kTileFilters * 2, rows, both, 4);
      }
      packed += tiles * parts * kTileSize;
    }
    block += tiles * kTileFilters;
  }
}

void convolve(const Conv& conv) {
  configure(conv.rows);
  const bool residual = conv.tile_count > 0 && conv.tiles[0].residual != nullptr;
  if (conv.parts == 1)
    residual ? convolve_all<1, true>(conv) : convolve_all<1, false>(conv);
  else
    residual ? convolve_all<2, true>(conv) : convolve_all<2, false>(conv);
  _tile_release();
}

void split(uint16_t* hi, uint16_t* lo, const float* x, int64_t count, int parts) {
  for (int64_t i = 0; i < count; i += 16) {
    const int64_t left = count - i;
    const __mmask16 mask = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1U << left) - 1);
    const __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
    const __m256bh first = _mm512_cvtneps_pbh(v);
    _mm256_mask_storeu_epi16(hi + i, mask, reinterpret_cast<__m256i>(first));
    if (parts == 2)
      _mm256_mask_storeu_epi16(lo + i, mask, reinterpret_cast<__m256i>(second_part(v, first)));
  }
}

void join(float* y, const uint16_t* hi, const uint16_t* lo, int64_t count, int parts) {
  const auto load = [](const uint16_t* from, __mmask16 mask) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from)), 16));
  };
  for (int64_t i = 0; i < count; i += 16) {
    const int64_t left = count - i;
    const __mmask16 mask = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1U << left) - 1);
    __m512 v = load(hi + i, mask);
    if (parts == 2) v = _mm512_add_ps(v, load(lo + i, mask));
    _mm512_mask_storeu_ps(y + i, mask, v);
  }
}

}  // namespace topograd::amx
