// Pictures in a terminal, read back from their escape sequences.
#include "kernels/core/numbers.h"
#include "landscape/figures/terminal/terminal_picture.h"

#include <doctest/doctest.h>

using namespace topograd;
using drawing::ValueScale;

namespace {

/// A character with the parameters of the colours that it is written in.
struct Cell {
  std::string letter;
  std::string colours;
};

/// The characters of a line; `left` is what is in force behind it.
std::vector<Cell> cells_of(const std::string& line, std::string* left = nullptr) {
  std::vector<Cell> cells;
  std::string colours;
  for (size_t i = 0; i < line.size();) {
    if (line[i] == '\033') {
      REQUIRE(line[i + 1] == '[');
      const size_t end = line.find('m', i);
      REQUIRE(end != line.npos);
      colours = line.substr(i + 2, end - i - 2);
      if (colours == "0") colours.clear();
      i = end + 1;
      continue;
    }
    size_t end = i + 1;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) ++end;
    cells.push_back({line.substr(i, end - i), colours});
    i = end;
  }
  if (left) *left = colours;
  return cells;
}

TerminalField field_of(size_t nx, size_t ny, std::vector<double> values) {
  TerminalField field;
  for (size_t i = 0; i < nx; ++i) field.x.push_back(static_cast<double>(i));
  for (size_t i = 0; i < ny; ++i) field.y.push_back(static_cast<double>(i));
  field.done.assign(values.size(), 1);
  field.values = std::move(values);
  return field;
}

std::vector<std::string> drawn(const TerminalField& field, TerminalColours colours,
                               TerminalSize size, const FigureOptions& options = {}) {
  return terminal_picture(field, ValueScale(field.values, options), ColourMap::viridis, colours,
                          size);
}

constexpr const char* kLow = "72;30;112";  // ends of viridis as it is drawn
constexpr const char* kHigh = "253;231;37";

std::string pair(const std::string& above, const std::string& below) {
  return "0;38;2;" + above + ";48;2;" + below;
}

}  // namespace

TEST_CASE("terminal picture: a character holds two points, y upwards") {
  const auto lines = drawn(field_of(2, 2, {0, 1, 1, 0}), TerminalColours::full, {2, 1});
  REQUIRE(lines.size() == 1);
  std::string left = "something";
  const auto cells = cells_of(lines[0], &left);
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].letter == "▀");
  CHECK(cells[0].colours == pair(kHigh, kLow));
  CHECK(cells[1].colours == pair(kLow, kHigh));
  CHECK(left == "");
}

TEST_CASE("terminal picture: of an odd number of rows the lowest has nothing under it") {
  const auto lines =
      drawn(field_of(3, 3, {0, 0, 0, 1, 1, 1, 0, 0, 0}), TerminalColours::full, {3, 24});
  REQUIRE(lines.size() == 2);
  for (const Cell& cell : cells_of(lines[0])) CHECK(cell.colours == pair(kLow, kHigh));
  for (const Cell& cell : cells_of(lines[1])) CHECK(cell.colours == std::string("0;38;2;") + kLow);
}

TEST_CASE("terminal picture: it is as large as it may be, in proportion") {
  const TerminalField square = field_of(5, 5, std::vector<double>(25, 1));
  const auto size_of = [](const std::vector<std::string>& lines) {
    return std::pair{cells_of(lines[0]).size(), lines.size()};
  };
  for (const TerminalColours colours :
       {TerminalColours::none, TerminalColours::palette, TerminalColours::full}) {
    CHECK(size_of(drawn(square, colours, {100, 20})) == std::pair<size_t, size_t>{40, 20});
    CHECK(size_of(drawn(square, colours, {30, 99})) == std::pair<size_t, size_t>{30, 15});
    CHECK(size_of(drawn(square, colours, {1, 1})) == std::pair<size_t, size_t>{1, 1});
    CHECK(size_of(drawn(square, colours, {0, -3})) == std::pair<size_t, size_t>{1, 1});
  }
  // Ranges that differ by more than three take the room there is.
  const TerminalField flat = field_of(9, 2, std::vector<double>(18, 1));
  CHECK(size_of(drawn(flat, TerminalColours::full, {31, 7})) == std::pair<size_t, size_t>{31, 7});
}

TEST_CASE("terminal picture: axes of one point, and axes that fall") {
  const auto row = drawn(field_of(3, 1, {0, 1, 0}), TerminalColours::full, {3, 2});
  REQUIRE(row.size() == 2);
  CHECK(cells_of(row[0])[1].colours == pair(kHigh, kHigh));
  const auto column = drawn(field_of(1, 2, {0, 1}), TerminalColours::full, {2, 1});
  CHECK(cells_of(column[0])[0].colours == pair(kHigh, kLow));
  CHECK(drawn(field_of(1, 1, {3}), TerminalColours::full, {2, 2}).size() == 2);
  TerminalField falling = field_of(2, 2, {0, 1, 0, 1});
  falling.x = {1, 0};
  CHECK(cells_of(drawn(falling, TerminalColours::full, {2, 1})[0])[1].colours ==
        pair(kHigh, kHigh));
}

TEST_CASE("terminal picture: to do, NaN and infinity are three different patterns") {
  TerminalField field = field_of(4, 1, {1, kNaN, kInfinity, kNaN});
  field.done[3] = 0;
  for (const TerminalColours colours : {TerminalColours::palette, TerminalColours::full}) {
    const auto cells = cells_of(drawn(field, colours, {4, 1})[0]);
    REQUIRE(cells.size() == 4);
    for (size_t i = 0; i < 4; ++i)
      for (size_t j = 0; j < i; ++j) CHECK(cells[i].colours != cells[j].colours);
  }
  CHECK(drawn(field, TerminalColours::none, {4, 1}) == std::vector<std::string>{" ?!·"});
  const auto key = [&](TerminalColours colours, int columns) {
    return terminal_key(field, ValueScale(field.values, {}), ColourMap::viridis, colours, columns);
  };
  CHECK(key(TerminalColours::none, 80) == "· to do  ? NaN  ! infinite  ");
  CHECK(key(TerminalColours::none, 20) == "· to do  ? NaN  ");
  CHECK(cells_of(key(TerminalColours::full, 80)).size() == 28);
  CHECK(key(TerminalColours::none, 3) == "");
  const TerminalField whole = field_of(2, 2, {0, 1, 2, 3});
  CHECK(terminal_key(whole, ValueScale(whole.values, {}), ColourMap::viridis, TerminalColours::full,
                     80) == "");
}

TEST_CASE("terminal picture: nothing done, and nothing finite") {
  TerminalField field = field_of(3, 2, std::vector<double>(6, kNaN));
  for (const TerminalColours colours :
       {TerminalColours::none, TerminalColours::palette, TerminalColours::full}) {
    CHECK(!drawn(field, colours, {10, 10}).empty());
    CHECK(terminal_colour_bar(ValueScale(field.values, {}), ColourMap::viridis, colours, 40) == "");
  }
  field.done.assign(6, 0);
  CHECK(drawn(field, TerminalColours::none, {3, 1}) == std::vector<std::string>{"···"});
}

TEST_CASE("terminal picture: several points on one of the picture are their mean") {
  std::vector<double> values(64, 0);
  for (size_t i = 1; i < 64; i += 2) values[i] = 1;
  TerminalField field = field_of(8, 8, values);
  const auto mean = drawn(field, TerminalColours::full, {4, 2});
  const Cell cell = cells_of(mean[0])[0];
  CHECK(cell.colours == pair("31;154;138", "31;154;138"));
  // What is to do beside them does not count, and does not hide them.
  for (size_t i = 0; i < 64; i += 2) field.done[i] = 0;
  CHECK(cells_of(drawn(field, TerminalColours::full, {4, 2})[0])[0].colours == pair(kHigh, kHigh));
}

TEST_CASE("terminal picture: without colours there is no escape, and high is dense") {
  const auto lines = drawn(field_of(2, 2, {0, 1, 2, 3}), TerminalColours::none, {4, 2});
  CHECK(lines == std::vector<std::string>{"**@@", "  --"});
}

TEST_CASE("terminal picture: values above the scale") {
  const TerminalField field = field_of(2, 2, {0, 1, 2, 3});
  const FigureOptions options{.clip_max = 2, .level_max = 2};
  CHECK(drawn(field, TerminalColours::none, {4, 2}, options)[0] == "@@^^");
  const Colour off = off_scale(ColourMap::viridis);
  TerminalLine line(TerminalColours::full);
  line.write("x", off, off);
  CHECK(cells_of(drawn(field, TerminalColours::full, {4, 2}, options)[0])[3].colours ==
        cells_of(line.take())[0].colours);
}

TEST_CASE("terminal picture: a logarithmic scale") {
  const TerminalField field = field_of(3, 1, {0.01, 0.1, 1});
  CHECK(drawn(field, TerminalColours::full, {3, 1}, {.scale = Scale::log})[0] ==
        drawn(field_of(3, 1, {0, 0.5, 1}), TerminalColours::full, {3, 1})[0]);
}

TEST_CASE("terminal picture: the palette's colours are 16 to 255, the nearest") {
  CHECK(palette_index({0, 0, 0}) == 16);
  CHECK(palette_index({1, 1, 1}) == 231);
  CHECK(palette_index({1, 0, 0}) == 196);
  CHECK(palette_index({0x30 / 255.0, 0x30 / 255.0, 0x30 / 255.0}) == 236);
  CHECK(palette_index({0.5, 0.5, 0.5}) == 244);
  for (const Cell& cell :
       cells_of(drawn(field_of(2, 2, {0, 1, 2, 3}), TerminalColours::palette, {2, 1})[0])) {
    CHECK(cell.colours.starts_with("0;38;5;"));
    CHECK(cell.colours.find(";48;5;") != std::string::npos);
  }
}

TEST_CASE("terminal picture: a line is a curve of blocks") {
  TerminalField line = field_of(4, 0, {0, 1, 0.5, kNaN});
  line.done[3] = 0;
  const auto letters = drawn(line, TerminalColours::none, {4, 2});
  CHECK(letters == std::vector<std::string>{" █▁ ", "▁██·"});
  line.done[3] = 1;
  CHECK(drawn(line, TerminalColours::none, {4, 2})[1] == "▁██?");
  line.values[3] = kInfinity;
  CHECK(drawn(line, TerminalColours::none, {4, 2})[0] == " █▁!");
  const auto coloured = drawn(line, TerminalColours::full, {8, 3});
  REQUIRE(coloured.size() == 3);
  for (const std::string& row : coloured) CHECK(cells_of(row).size() == 8);
  CHECK(cells_of(coloured[2])[0].colours == std::string("0;38;2;") + kLow);
  CHECK(drawn(field_of(1, 0, {5}), TerminalColours::none, {3, 1}).size() == 1);
}

TEST_CASE("terminal picture: the scale has its ends, in the room there is") {
  const ValueScale scale({0.01, 10}, {.scale = Scale::log});
  const auto bar = [&](TerminalColours colours, int columns) {
    return terminal_colour_bar(scale, ColourMap::viridis, colours, columns);
  };
  CHECK(bar(TerminalColours::none, 22) == "0.01  .:-=+*#%@ 10 log");
  const auto cells = cells_of(bar(TerminalColours::full, 40));
  REQUIRE(cells.size() == 40);
  CHECK(cells[5].colours == pair(kLow, kLow));
  CHECK(cells[32].colours == pair(kHigh, kHigh));
  CHECK(cells[39].colours == "");
  CHECK(columns_of(bar(TerminalColours::full, 7)) == 7);
  CHECK(shortened("−1.5", 2) == "−1");
}
