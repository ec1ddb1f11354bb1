#include "landscape/figures/canvas/colour_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "kernels/core/check.h"

namespace topograd {

namespace {

using Table = std::array<uint32_t, 33>;  // 0xRRGGBB

constexpr Table kViridis = {0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086,
                            0x3f4989, 0x3b528b, 0x375a8d, 0x33638d, 0x2f6a8e, 0x2c728e, 0x297a8e,
                            0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685, 0x28ae80,
                            0x31b57b, 0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f,
                            0xabdc32, 0xc0df24, 0xd5e21a, 0xeae51a, 0xfde725};
constexpr Table kMagma = {0x000004, 0x030311, 0x0a0822, 0x130d33, 0x1d1146, 0x28115a, 0x36106a,
                          0x430f76, 0x50127c, 0x5d177f, 0x691c81, 0x762181, 0x822681, 0x8f2a81,
                          0x9c2e7f, 0xa9327d, 0xb63779, 0xc33b75, 0xcf4170, 0xdb486a, 0xe65163,
                          0xee5c5e, 0xf5695c, 0xf9785d, 0xfb8761, 0xfd9668, 0xfea571, 0xfeb47b,
                          0xfec387, 0xfed194, 0xfde0a2, 0xfceeb0, 0xfcfdbf};
constexpr Table kCividis = {0x00224e, 0x00285b, 0x002e6a, 0x043371, 0x1a386f, 0x273e6e, 0x32436d,
                            0x3b496c, 0x434e6c, 0x4b546c, 0x52596d, 0x5a5f6e, 0x61656f, 0x686a71,
                            0x6f7073, 0x757676, 0x7c7b78, 0x848179, 0x8b8778, 0x938d78, 0x9b9376,
                            0xa39a75, 0xaba072, 0xb3a670, 0xbbad6c, 0xc3b469, 0xccba64, 0xd4c15f,
                            0xddc958, 0xe6d051, 0xefd748, 0xf8df3c, 0xfee838};

constexpr Table kPlasma = {0x0d0887, 0x220690, 0x310597, 0x3f049c, 0x4c02a1, 0x5901a5, 0x6600a7,
                           0x7201a8, 0x7e03a8, 0x8a09a5, 0x9511a1, 0xa01a9c, 0xaa2395, 0xb32c8e,
                           0xbc3587, 0xc43e7f, 0xcc4778, 0xd24f71, 0xd9586a, 0xdf6263, 0xe56b5d,
                           0xeb7556, 0xf07f4f, 0xf48948, 0xf89441, 0xfb9f3a, 0xfdab33, 0xfeb72d,
                           0xfdc328, 0xfcd025, 0xf9dd25, 0xf5eb27, 0xf0f921};
constexpr Table kGreys = {0x1b1b1b, 0x212121, 0x272727, 0x2d2d2d, 0x323232, 0x393939, 0x3f3f3f,
                          0x454545, 0x4b4b4b, 0x525252, 0x585858, 0x5f5f5f, 0x666666, 0x6c6c6c,
                          0x737373, 0x7a7a7a, 0x818181, 0x888888, 0x8f8f8f, 0x969696, 0x9e9e9e,
                          0xa5a5a5, 0xacacac, 0xb4b4b4, 0xbbbbbb, 0xc3c3c3, 0xcacaca, 0xd2d2d2,
                          0xdadada, 0xe2e2e2, 0xe9e9e9, 0xf1f1f1, 0xf9f9f9};
constexpr Table kCoolwarm = {0x3b4cc0, 0x445acc, 0x4d68d7, 0x5775e1, 0x6282ea, 0x6c8ef1, 0x779af7,
                             0x82a5fb, 0x8db0fe, 0x98b9ff, 0xa3c2ff, 0xaec9fd, 0xb8d0f9, 0xc2d5f4,
                             0xccd9ee, 0xd5dbe6, 0xdddddd, 0xe5d8d1, 0xecd3c5, 0xf1ccb9, 0xf5c4ad,
                             0xf7bba0, 0xf7b194, 0xf7a687, 0xf49a7b, 0xf18d6f, 0xec7f63, 0xe57058,
                             0xde604d, 0xd55042, 0xcb3e38, 0xc0282f, 0xb40426};

/// Map with its name and what this program does with it.
struct MapEntry {
  const char* name;
  ColourMap map;
  const Table& table;
  double darkest;  ///< where lightness (L*) reaches about 20
  Colour off_scale;
};
constexpr Colour kPink{0.85, 0.55, 0.50}, kSteel{0.55, 0.68, 0.78}, kOlive{0.62, 0.72, 0.30};
constexpr MapEntry kMaps[] = {
    {"viridis", ColourMap::viridis, kViridis, 0.08, kPink},
    {"magma", ColourMap::magma, kMagma, 0.22, kSteel},  // the pink is one of its own colours
    {"plasma", ColourMap::plasma, kPlasma, 0.05, kSteel},
    {"cividis", ColourMap::cividis, kCividis, 0.07, kPink},
    {"greys", ColourMap::greys, kGreys, 0.12, kPink},
    {"coolwarm", ColourMap::coolwarm, kCoolwarm, 0, kOlive},
};

const MapEntry& entry_of(ColourMap map) {
  for (const MapEntry& entry : kMaps)
    if (entry.map == map) return entry;
  fail("no such colour map");
}

Colour unpacked(uint32_t rgb) {
  return {(rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0, 1};
}

}  // namespace

std::vector<std::string> colour_map_names() {
  std::vector<std::string> names;
  for (const MapEntry& entry : kMaps) names.emplace_back(entry.name);
  return names;
}

ColourMap colour_map_named(const std::string& name) {
  std::string known;
  for (const MapEntry& entry : kMaps) {
    if (name == entry.name) return entry.map;
    known += text(known.empty() ? "" : ", ", entry.name);
  }
  fail("unknown colours '", name, "': choose ", known);
}

bool diverges(ColourMap map) {
  return map == ColourMap::coolwarm;
}

double darkest(ColourMap map) {
  return entry_of(map).darkest;
}

Colour colour_at(ColourMap map, double t) {
  const MapEntry& entry = entry_of(map);
  const Table& table = entry.table;
  const double on_map =
      std::lerp(entry.darkest, 1.0, std::isnan(t) ? 0.0 : std::clamp(t, 0.0, 1.0));
  const double place = on_map * (table.size() - 1);
  const size_t i = std::min(static_cast<size_t>(place), table.size() - 2);
  return mixed(unpacked(table[i + 1]), unpacked(table[i]), place - static_cast<double>(i));
}

Colour off_scale(ColourMap map) {
  return entry_of(map).off_scale;
}

double lightness(const Colour& colour) {
  const auto linear = [](double channel) {
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
  };
  const double y =
      0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
  return y > 216.0 / 24389 ? 116 * std::cbrt(y) - 16 : y * 24389 / 27;
}

Colour ink_on(const Colour& ground) {
  return lightness(ground) < 56 ? kWhite : Colour{0.13, 0.13, 0.15};
}

Colour mixed(const Colour& a, const Colour& b, double share) {
  const auto mix = [&](double p, double q) { return share * p + (1 - share) * q; };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue), mix(a.opacity, b.opacity)};
}

uint32_t packed(const Colour& colour) {
  const auto byte = [&](double channel) {
    return static_cast<uint32_t>(std::lround(255 * channel * colour.opacity));
  };
  return byte(1) << 24 | byte(colour.red) << 16 | byte(colour.green) << 8 | byte(colour.blue);
}

}  // namespace topograd
