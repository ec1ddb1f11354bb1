// Pictures for LaTeX: words that TeX sets, and a picture whose parts are all defined.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>
#include <set>
#include <string>

#include "landscape/figures/canvas/latex_text.h"
#include "landscape/figures/canvas/tikz_canvas.h"
#include "landscape/figures/figure.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::drawing;
using namespace topograd::test;

namespace {

FieldView bowl(size_t points) {
  FieldView field;
  for (size_t i = 0; i < points; ++i)
    field.x.push_back(-1 + 2.0 * static_cast<double>(i) / static_cast<double>(points - 1));
  field.y = field.x;
  for (const double y : field.y)
    for (const double x : field.x) field.values.push_back(0.1 + x * x + 3 * y * y);
  return field;
}

std::string saved(const Figure& figure, const FigureFile& file = {}) {
  const TemporaryFolder folder;
  save_figure(figure, folder.file("f.tex"), file);
  return folder.read("f.tex");
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// Every match of the first group.
std::vector<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
    found.push_back((*at)[1]);
  return found;
}

/// Checks what TeX would complain of.
void check_whole(const std::string& tex) {
  CHECK(count(tex, "\\begin{tikzpicture}") == 1);
  CHECK(tex.ends_with("\\end{tikzpicture}%\n"));
  CHECK(count(tex, "\\begin{scope}") == count(tex, "\\end{scope}"));
  CHECK(count(tex, "\n\n") == 0);  // a paragraph
  CHECK(count(tex, "nan") + count(tex, "inf") == 0);
  int depth = 0, least = 0;
  for (size_t i = 0; i < tex.size(); ++i) {
    if (tex[i] == '\\')
      ++i;
    else
      depth += tex[i] == '{' ? 1 : tex[i] == '}' ? -1 : 0;
    least = std::min(least, depth);
  }
  CHECK(depth == 0);
  CHECK(least == 0);
  const std::vector<std::string> defined = all_matches(tex, R"(\\definecolor\{(c\d+)\})");
  const std::set<std::string> names(defined.begin(), defined.end());
  CHECK(names.size() == defined.size());
  const std::vector<std::string> colours =
      all_matches(tex, R"(\\definecolor\{c\d+\}\{HTML\}\{(\w+)\})");
  CHECK(std::set<std::string>(colours.begin(), colours.end()).size() == colours.size());
  for (const std::string& used : all_matches(tex, R"([\[=](c\d+)[\],])"))
    CHECK(names.contains(used));
  const std::vector<std::string> sizes = all_matches(tex, R"((size\d+)/\.style)");
  const std::set<std::string> styles(sizes.begin(), sizes.end());
  for (const std::string& used : all_matches(tex, R"(\[(size\d+),)")) CHECK(styles.contains(used));
}

}  // namespace

TEST_CASE("latex: its own characters are escaped, and nothing is joined") {
  CHECK(latex_text(R"(50 % of #1_a & $x {y}~^\)") ==
        R"(50 \% of \#1\_a \& \$x \{y\}\textasciitilde{}\textasciicircum{}\textbackslash{})");
  CHECK(latex_text("--same ''a,,b''") == "-{}-same '{}'a,{},b'{}'");
  CHECK(latex_text("say \"hi\" `x`") == R"(say \char34{}hi\char34{} \char96{}x\char96{})");
  CHECK(latex_text("a  b") == "a \\ b");
  CHECK(latex_text("\ttab\nline") == "\\ tab line");
  CHECK(latex_text("|a| < b") == "$|$a$|$ $<$ b");
  CHECK(latex_text("") == "");
}

TEST_CASE("latex: numbers of axes, Greek letters and powers are math") {
  CHECK(latex_text("0.5") == "$0.5$");
  CHECK(latex_text("−0.5") == "$-0.5$");
  CHECK(latex_text("2.5×10⁻¹³") == "$2.5\\times 10^{-13}$");
  CHECK(latex_text("−10⁵") == "$-10^{5}$");
  CHECK(latex_text("∞") == "$\\infty $");
  CHECK(latex_text("> 30") == "$>$ 30");
  CHECK(latex_text("θ*: 0.12") == "$\\theta ^{*}$: 0.12");
  CHECK(latex_text("minimum: 0.1 at (0.04, −0.2).") == "minimum: 0.1 at (0.04, $-0.2$).");
  CHECK(latex_text("±1 standard error…") == "$\\pm 1$ standard error\\ldots{}");
  CHECK(latex_text("loss (×10³⁰⁷)") == "loss ($\\times 10^{307}$)");
  CHECK(latex_text("* 2 * 3") == "* 2 * 3");
  CHECK(latex_text("résumé, 損失") == "résumé, 損失");
}

TEST_CASE(
    "latex: names of coordinates are letters where they are words, and where that is asked for") {
  const auto symbols = [](const char* words) { return latex_text(words, GreekWords::as_symbols); };
  CHECK(symbols("alpha (random direction)") == "$\\alpha $ (random direction)");
  CHECK(symbols("along beta at alpha −1") == "along $\\beta $ at $\\alpha $ $-1$");
  CHECK(symbols("theta*") == "$\\theta ^{*}$");
  CHECK(symbols("1/|theta|") == "1/$|\\theta |$");
  CHECK(symbols("alpha.h5, alpha-net, alphabet, my_beta, runs/alpha") ==
        "alpha.h5, alpha-net, alphabet, my\\_beta, runs/alpha");
  CHECK(symbols("at alpha.") == "at $\\alpha $.");
  CHECK(latex_text("alpha") == "alpha");
}

TEST_CASE("latex: what is no UTF-8 is a question mark") {
  CHECK(latex_text("a\xff"
                   "b") == "a?b");
  CHECK(latex_text("a\xc3") == "a?");
  CHECK(latex_text("\xe2\x88") == "??");
  CHECK(latex_text("\xc0\xaf") == "??");
}

TEST_CASE("tikz: every figure is whole, its colours defined once, its size the one asked for") {
  const double column = 8.5 / 2.54 * kPxPerInch;
  FieldView field = bowl(9);
  field.values[7] = std::numeric_limits<double>::quiet_NaN();
  field.to_do = std::vector<uint8_t>(81, 0);
  field.to_do[80] = 1;
  FigureOptions options{.title = "a_b & 50 %",
                        .subtitle = "cross-entropy",
                        .x_label = "alpha (filter-normalised)",
                        .y_label = "beta (filter-normalised)",
                        .footer = "Topograd",
                        .clip_max = 3,
                        .width = column,
                        .height = 0.78 * column,
                        .zoom = 7 / 8.25};
  options.marks.path = {{0.8, 0.6}, {0.4, 0.1}, {0, 0}};
  options.marks.epochs = {"0", "1", "2"};
  options.marks.networks = {{{0.5, -0.5}, "other"}};
  const CurveView curves{
      .x = {0, 1, 2, 3},
      .series = {{.name = "loss", .values = {3, 2, 1, 1}, .errors = {1, 1, 1, 1}},
                 {.name = "rate", .values = {1, 2, 3, 4}, .axis = Series::Axis::right}}};
  for (const Figure& figure : {heat_map_figure(field, options), contour_figure(field, options),
                               surface_figure(field, options), curve_figure(curves, options)}) {
    const std::string tex = saved(figure);
    check_whole(tex);
    CHECK(count(tex, "\\useasboundingbox (0,0) rectangle (240.94,") == 1);
    CHECK(count(tex, "a\\_b \\& 50 \\%") == 1);
    CHECK(count(tex, "{$") > 5);  // numbers of axes
    CHECK(count(tex, "DejaVu") + count(tex, "includegraphics") == 0);
  }
  const Figure pair =
      side_by_side({heat_map_figure(field, options), contour_figure(field, options)});
  CHECK(count(saved(pair), "rectangle (482.44,") == 1);  // the first is 322 whole px wide
}

TEST_CASE("tikz: sizes of letters and lines are points, texts stand where they are anchored") {
  const auto tex = [](double factor, const TextStyle& style) {
    return tikz_text(100, 50, "", true, [&](Canvas& canvas) {
      canvas.moved({10, 0}, [&] {
        canvas.scaled(factor, [&] {
          canvas.text({4, 8}, "x", style);
          canvas.stroke({{{{0, 0}, {4, 0}}, false}}, {.colour = {}, .width = 2, .dashes = {4, 2}});
        });
      });
    });
  };
  const std::string plain = tex(1, {.size = 12, .align = 0});
  CHECK(count(plain, R"(\fontsize{9}{10.8}\selectfont)") == 1);
  CHECK(count(plain, "anchor=west] at (10.5,6) {x};") == 1);
  CHECK(count(plain, "line width=1.5pt,dash pattern=on 3pt off 1.5pt] (7.5,0)--(10.5,0);") == 1);
  const std::string large =
      tex(2, {.size = 12, .align = 1, .angle = -std::acos(0.0), .bold = true});
  CHECK(count(large, R"(\bfseries\boldmath\fontsize{18}{21.6})") == 1);
  CHECK(count(large, "anchor=east,rotate=90] at (13.5,12) {x};") == 1);
  CHECK(count(large, "line width=3pt") == 1);
}

TEST_CASE("tikz: white is behind a figure unless that is to be transparent") {
  const Figure figure = heat_map_figure(bowl(3), {});
  const std::string white = R"(\\fill\[c1\] \(0,0\)--\((525),0\)--)";
  CHECK(all_matches(saved(figure), white).size() == 1);
  CHECK(all_matches(saved(figure, {.transparent = true}), white).empty());
}

TEST_CASE("tikz: a heat map has a rectangle for each cell, fewer where neighbours are alike") {
  const auto rectangles = [](const FieldView& field) {
    return count(saved(heat_map_figure(field, {})), ")rectangle(");
  };
  const size_t of_the_bar = rectangles(bowl(3)) - 9;
  CHECK(of_the_bar > 200);
  CHECK(rectangles(bowl(11)) == 121 + of_the_bar);
  FieldView halves = bowl(11);
  for (size_t i = 0; i < 121; ++i) halves.values[i] = i % 11 < 6 ? 1 : 2;
  CHECK(rectangles(halves) == 2 + of_the_bar);
  const std::string tex = saved(heat_map_figure(bowl(51), {}));
  CHECK(count(tex, "\\definecolor") < 280);
  CHECK(tex.size() < 200000);
}

TEST_CASE(
    "tikz: a relief is facets from behind to the front, without hidden ones, its levels lines on "
    "them") {
  const std::string tex = saved(surface_figure(bowl(21), {.elevation = 30}));
  check_whole(tex);
  const size_t facets = all_matches(tex, R"(\n(\\F) [0-9A-F]{6} )").size();
  CHECK(facets > 3000);
  CHECK(facets < 8000);  // of 90 times 90: the front wall of a bowl hides some
  CHECK(all_matches(tex, R"(\n(\\L) [0-9A-F]{6} )").size() > 500);
  CHECK(tex.size() < 600000);
}

TEST_CASE("tikz: .pgf and .tikz are the same as .tex") {
  const TemporaryFolder folder;
  const Figure figure =
      curve_figure({.x = {0, 1}, .series = {{.name = "a", .values = {1, 2}}}}, {});
  for (const char* name : {"f.tex", "f.pgf", "f.tikz"}) save_figure(figure, folder.file(name));
  CHECK(folder.read("f.tex").find("\\begin{tikzpicture}") != std::string::npos);
  CHECK(folder.read("f.pgf") == folder.read("f.tex"));
  CHECK(folder.read("f.tikz") == folder.read("f.tex"));
}
