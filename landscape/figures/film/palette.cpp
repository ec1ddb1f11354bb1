#include "landscape/figures/film/palette.h"

#include <algorithm>
#include <array>

#include "kernels/core/check.h"

namespace topograd::drawing {

namespace {

using Channels = std::array<int, 3>;

constexpr int kDropped = 2;  // low bits of each channel

/// Returns the colour of a bin: black is 0 and white 255.
Channels channels_of(size_t bin) {
  const auto channel = [&](int shift) {
    const auto upper = static_cast<int>((bin >> shift) & 63U);
    return upper << kDropped | upper >> 4;
  };
  return {channel(12), channel(6), channel(0)};
}

int64_t distance(const Channels& a, const Channels& b) {
  int64_t sum = 0;
  for (size_t c = 0; c < 3; ++c) sum += int64_t{a[c] - b[c]} * (a[c] - b[c]);
  return sum;
}

}  // namespace

/// Box of median cut: some of the bins, and how far they spread.
struct Palette::Box {
  std::vector<size_t> bins;
  uint64_t pixels = 0;
  size_t widest = 0;  ///< channel of the largest spread
  double spread = 0;  ///< sum of the pixels' squared distances from the mean along it
  Channels mean = {};

  Box(std::vector<size_t> of, const std::vector<uint32_t>& counts) : bins(std::move(of)) {
    std::array<double, 3> sum = {}, squares = {};
    for (size_t bin : bins) {
      const Channels at = channels_of(bin);
      pixels += counts[bin];
      for (size_t c = 0; c < 3; ++c) {
        sum[c] += static_cast<double>(counts[bin]) * at[c];
        squares[c] += static_cast<double>(counts[bin]) * at[c] * at[c];
      }
    }
    const auto n = static_cast<double>(pixels);
    for (size_t c = 0; c < 3; ++c) {
      mean[c] = static_cast<int>(sum[c] / n + 0.5);
      const double along = squares[c] - sum[c] * sum[c] / n;
      if (along > spread && bins.size() > 1) spread = along, widest = c;
    }
  }

  /// Removes and returns the upper half of the pixels.
  std::vector<size_t> split(const std::vector<uint32_t>& counts) {
    const size_t c = widest;
    std::sort(bins.begin(), bins.end(), [&](size_t a, size_t b) {
      return std::pair(channels_of(a)[c], a) < std::pair(channels_of(b)[c], b);
    });
    size_t lower = 1;
    for (uint64_t below = counts[bins[0]]; lower + 1 < bins.size() && 2 * below < pixels; ++lower)
      below += counts[bins[lower]];
    std::vector<size_t> upper(bins.begin() + static_cast<std::ptrdiff_t>(lower), bins.end());
    bins.resize(lower);
    return upper;
  }
};

size_t Palette::bin_of(uint32_t pixel) {
  const auto channel = [&](int shift) { return (pixel >> (shift + kDropped)) & 63U; };
  return (channel(16) << 12) | (channel(8) << 6) | channel(0);
}

void Palette::count(const std::vector<uint32_t>& pixels) {
  for (uint32_t pixel : pixels) {
    uint32_t& count = counts_[bin_of(pixel)];
    count += count < UINT32_MAX ? 1 : 0;
  }
}

void Palette::choose(size_t colours) {
  require(colours >= 1 && colours <= 256, "a palette of ", colours, " colours: 1 to 256");
  std::vector<size_t> used;
  for (size_t bin = 0; bin < counts_.size(); ++bin)
    if (counts_[bin] > 0) used.push_back(bin);
  require(!used.empty(), "a palette of no pixels");
  std::vector<Box> boxes;
  boxes.emplace_back(used, counts_);
  while (boxes.size() < colours) {
    const auto most = std::max_element(
        boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.spread < b.spread; });
    if (most->spread == 0) break;
    std::vector<size_t> upper = most->split(counts_);
    *most = Box(most->bins, counts_);
    boxes.emplace_back(std::move(upper), counts_);
  }
  std::vector<Channels> means;
  for (const Box& box : boxes) {
    means.push_back(box.mean);
    const auto& m = box.mean;
    colours_.push_back(static_cast<uint32_t>(m[0] << 16 | m[1] << 8 | m[2]));
  }
  nearest_.assign(counts_.size(), 0);
  for (size_t bin : used) {
    const Channels at = channels_of(bin);
    const auto nearest = std::min_element(
        means.begin(), means.end(),
        [&](const Channels& a, const Channels& b) { return distance(a, at) < distance(b, at); });
    nearest_[bin] = static_cast<uint8_t>(nearest - means.begin());
  }
}

}  // namespace topograd::drawing
