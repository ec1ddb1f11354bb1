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

const Table& table_of(ColourMap map) {
  switch (map) {
    case ColourMap::viridis:
      return kViridis;
    case ColourMap::magma:
      return kMagma;
    case ColourMap::cividis:
      return kCividis;
  }
  fail("no such colour map");
}

Colour unpacked(uint32_t rgb) {
  return {(rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0, 1};
}

}  // namespace

ColourMap colour_map_named(const std::string& name) {
  if (name == "viridis") return ColourMap::viridis;
  if (name == "magma") return ColourMap::magma;
  if (name == "cividis") return ColourMap::cividis;
  fail("unknown colours '", name, "': choose viridis, magma or cividis");
}

Colour colour_at(ColourMap map, double t) {
  const Table& table = table_of(map);
  const double place = (std::isnan(t) ? 0.0 : std::clamp(t, 0.0, 1.0)) * (table.size() - 1);
  const size_t i = std::min(static_cast<size_t>(place), table.size() - 2);
  return mixed(unpacked(table[i + 1]), unpacked(table[i]), place - static_cast<double>(i));
}

Colour light_colour_at(ColourMap map, double t) {
  return mixed(colour_at(map, t), kWhite, 0.5);
}

Colour off_scale(ColourMap map) {
  // magma itself has the pink that stands out from the others.
  return map == ColourMap::magma ? Colour{0.55, 0.68, 0.78} : Colour{0.85, 0.55, 0.50};
}

Colour light_off_scale(ColourMap map) {
  return mixed(off_scale(map), kWhite, 0.5);
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
