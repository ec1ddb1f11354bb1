#include "landscape/figures/terminal/terminal_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "kernels/core/check.h"
#include "landscape/figures/cells.h"
#include "landscape/figures/frame.h"

namespace topograd {

using drawing::ValueScale;

namespace {

constexpr std::string_view kRamp = " .:-=+*#%@";  // from low to high, without colours
constexpr std::array<const char*, 8> kEighths = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

enum class Kind { number, above, to_do, nan, infinite };
constexpr std::array<Kind, 4> kSpecial = {Kind::to_do, Kind::nan, Kind::infinite, Kind::above};

/// Point of the picture.
struct Sample {
  Kind kind = Kind::to_do;
  double fraction = 0;  ///< place of a number between the scale's ends
};

/// Map from the picture's points along an axis to the axis's points.
class PictureAxis {
 public:
  PictureAxis(std::vector<double> axis, bool& even) : axis_(std::move(axis)) {
    const bool rises =
        std::adjacent_find(axis_.begin(), axis_.end(), std::greater_equal<>()) == axis_.end();
    if (!rises) std::iota(axis_.begin(), axis_.end(), 0.0);
    even = even && rises && axis_.size() > 1;
    borders_ = drawing::cell_borders(axis_);
  }

  double extent() const { return borders_.back() - borders_.front(); }

  /// Returns the first and last point of the axis under place `i` of `count`; if points are further
  /// apart than places, the one in whose cell the place's middle lies.
  std::pair<size_t, size_t> under(int i, int count) const {
    const auto at = [&](double place) {
      return std::lerp(borders_.front(), borders_.back(), place / count);
    };
    const auto first = std::lower_bound(axis_.begin(), axis_.end(), at(i));
    const auto end = std::lower_bound(axis_.begin(), axis_.end(), at(i + 1.0));
    if (end - first < 2) {
      const size_t nearest = drawing::interval(borders_, at(i + 0.5));
      return {nearest, nearest};
    }
    return {static_cast<size_t>(first - axis_.begin()),
            static_cast<size_t>(end - axis_.begin()) - 1};
  }

 private:
  std::vector<double> axis_;
  std::vector<double> borders_;
};

/// Field sampled at the points of a picture of `width` by `height`.
class Samples {
 public:
  Samples(const TerminalField& field, const ValueScale& scale)
      : field_(field),
        scale_(scale),
        x_(field.x, equal_units_),
        y_(field.y.empty() ? std::vector<double>{0} : field.y, equal_units_) {
    const size_t points = field.x.size() * std::max<size_t>(field.y.size(), 1);
    require(!field.x.empty() && field.values.size() == points && field.done.size() == points,
            "a picture's values do not fit its axes");
    const double ratio = y_.extent() / x_.extent();
    equal_units_ = equal_units_ && ratio <= drawing::kMaxUneven && ratio >= 1 / drawing::kMaxUneven;
  }

  /// Returns the largest size in `most` that keeps the axes' proportion, for points `aspect` times
  /// as high as wide.
  TerminalSize fitted(TerminalSize most, double aspect) const {
    if (!equal_units_) return most;
    const double unit = std::min(most.columns / x_.extent(), aspect * most.rows / y_.extent());
    const auto whole = [](double length, int longest) {
      return std::clamp(static_cast<int>(std::lround(length)), 1, longest);
    };
    return {whole(unit * x_.extent(), most.columns), whole(unit * y_.extent() / aspect, most.rows)};
  }

  /// Returns a point of the picture; row 0 is at the bottom.
  Sample at(int column, int row, TerminalSize size) const {
    const auto columns = x_.under(column, size.columns), rows = y_.under(row, size.rows);
    std::array<int, 5> found{};
    double sum = 0;
    for (size_t j = rows.first; j <= rows.second; ++j)
      for (size_t i = columns.first; i <= columns.second; ++i) {
        const Sample point = sample(j * field_.x.size() + i);
        ++found[static_cast<size_t>(point.kind)];
        sum += point.fraction;
      }
    // Numbers come first, then the rarest of the other kinds.
    const int numbers = found[static_cast<size_t>(Kind::number)];
    if (numbers > 0) return {Kind::number, sum / numbers};
    for (const Kind kind : {Kind::above, Kind::infinite, Kind::nan})
      if (found[static_cast<size_t>(kind)] > 0) return {kind, 0};
    return {};
  }

  /// Returns a point of the field.
  Sample sample(size_t point) const {
    const double value = field_.values[point];
    if (!field_.done[point]) return {Kind::to_do, 0};
    if (std::isnan(value)) return {Kind::nan, 0};
    if (std::isinf(value)) return {Kind::infinite, 0};
    if (value > scale_.high()) return {Kind::above, 0};
    return {Kind::number, scale_.fraction(value)};
  }

 private:
  const TerminalField& field_;
  const ValueScale& scale_;
  bool equal_units_ = true;  // before the axes, whose construction may clear it
  PictureAxis x_, y_;
};

/// Returns two tones of a pattern, for a kind that has no place on the scale.
std::pair<Colour, Colour> tones(Kind kind, ColourMap map) {
  const auto grey = [](double level) { return Colour{level, level, level}; };
  switch (kind) {
    case Kind::to_do:
      return {grey(28 / 255.0), grey(48 / 255.0)};
    case Kind::nan:
      return {grey(98 / 255.0), grey(148 / 255.0)};
    case Kind::infinite:
      return {{0.84, 0, 0}, {0.53, 0, 0}};
    default:
      return {off_scale(map), off_scale(map)};
  }
}

Colour colour_of(const Sample& sample, ColourMap map, int column, int row) {
  if (sample.kind == Kind::number) return colour_at(map, sample.fraction);
  const auto pattern = tones(sample.kind, map);
  return (column + row) % 2 == 0 ? pattern.first : pattern.second;
}

/// Returns a kind's character, for use without colours or half blocks.
const char* letter_of(Kind kind) {
  switch (kind) {
    case Kind::nan:
      return "?";
    case Kind::infinite:
      return "!";
    case Kind::above:
      return "^";
    default:
      return "·";
  }
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::nan:
      return "NaN";
    case Kind::infinite:
      return "infinite";
    case Kind::above:
      return "above the scale";
    default:
      return "to do";
  }
}

std::string ramp_letter(double fraction) {
  const auto last = static_cast<double>(kRamp.size() - 1);
  return std::string(1, kRamp[static_cast<size_t>(std::lround(fraction * last))]);
}

std::vector<std::string> letters(const Samples& samples, TerminalSize most) {
  const TerminalSize size = samples.fitted(most, 2);
  std::vector<std::string> lines;
  for (int row = size.rows - 1; row >= 0; --row) {
    std::string line;
    for (int column = 0; column < size.columns; ++column) {
      const Sample sample = samples.at(column, row, size);
      line += sample.kind == Kind::number ? ramp_letter(sample.fraction) : letter_of(sample.kind);
    }
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> half_blocks(const Samples& samples, ColourMap map, TerminalColours colours,
                                     TerminalSize most) {
  const TerminalSize size = samples.fitted({most.columns, 2 * most.rows}, 1);
  std::vector<std::string> lines;
  for (int top = size.rows - 1; top >= 0; top -= 2) {
    TerminalLine line(colours);
    for (int column = 0; column < size.columns; ++column) {
      const auto colour = [&](int row) {
        return colour_of(samples.at(column, row, size), map, column, row);
      };
      // The lowest of an odd number of rows has nothing under it.
      line.write("▀", colour(top), top > 0 ? std::optional(colour(top - 1)) : std::nullopt);
    }
    lines.push_back(line.take());
  }
  return lines;
}

/// Returns the character at `row` of a column filled up to `eighths`; row 0 is at the bottom.
const char* block(int eighths, int row) {
  const int here = std::clamp(eighths - 8 * row, 0, 8);
  return here == 0 ? " " : kEighths[static_cast<size_t>(here - 1)];
}

std::vector<std::string> curve(const Samples& samples, ColourMap map, TerminalColours colours,
                               TerminalSize size) {
  std::vector<std::string> lines;
  for (int row = size.rows - 1; row >= 0; --row) {
    TerminalLine line(colours);
    for (int column = 0; column < size.columns; ++column) {
      const Sample sample = samples.at(column, 0, {size.columns, 1});
      const bool number = sample.kind == Kind::number;
      if (number || sample.kind == Kind::above) {
        // The smallest value keeps an eighth, to be seen too.
        const double share = number ? sample.fraction : 1;
        const int eighths = 1 + static_cast<int>(std::lround(share * (8 * size.rows - 1)));
        line.write(block(eighths, row), colour_of(sample, map, 0, 0));
      } else if (row == (sample.kind == Kind::infinite ? size.rows - 1 : 0)) {
        line.write(letter_of(sample.kind), tones(sample.kind, map).second);
      } else {
        line.write(" ");
      }
    }
    lines.push_back(line.take());
  }
  return lines;
}

}  // namespace

std::vector<std::string> terminal_picture(const TerminalField& field, const ValueScale& scale,
                                          ColourMap map, TerminalColours colours,
                                          TerminalSize size) {
  size = {std::max(size.columns, 1), std::max(size.rows, 1)};
  const Samples samples(field, scale);
  if (field.y.empty()) return curve(samples, map, colours, size);
  if (colours == TerminalColours::none) return letters(samples, size);
  return half_blocks(samples, map, colours, size);
}

std::string terminal_colour_bar(const ValueScale& scale, ColourMap map, TerminalColours colours,
                                int columns) {
  if (scale.empty()) return "";
  const std::string low = drawing::format_number(scale.low(), 4) + " ";
  const std::string high =
      text(" ", drawing::format_number(scale.high(), 4), scale.scale() == Scale::log ? " log" : "");
  const int width = columns - columns_of(low) - columns_of(high);
  if (width < 2) return shortened(low + "to" + high, columns);
  TerminalLine line(colours);
  line.write(low);
  for (int i = 0; i < width; ++i) {
    const double place = i / (width - 1.0);
    if (colours == TerminalColours::none)
      line.write(ramp_letter(place));
    else
      line.write("▀", colour_at(map, place), colour_at(map, place));
  }
  line.write(high);
  return line.take();
}

std::string terminal_key(const TerminalField& field, const ValueScale& scale, ColourMap map,
                         TerminalColours colours, int columns) {
  std::array<bool, 5> found{};
  const Samples samples(field, scale);
  for (size_t point = 0; point < field.values.size(); ++point)
    found[static_cast<size_t>(samples.sample(point).kind)] = true;
  TerminalLine line(colours);
  int left = columns;
  for (const Kind kind : kSpecial) {
    if (!found[static_cast<size_t>(kind)]) continue;
    const std::string words = text(" ", name_of(kind), "  ");
    if (1 + columns_of(words) > left) break;
    left -= 1 + columns_of(words);
    const bool letter =
        colours == TerminalColours::none || (field.y.empty() && kind != Kind::above);
    const auto pattern = tones(kind, map);
    if (letter)
      line.write(letter_of(kind), pattern.second);
    else
      line.write("▀", pattern.first, pattern.second);
    line.write(words);
  }
  return line.take();
}

}  // namespace topograd
