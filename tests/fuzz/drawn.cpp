#include "tests/fuzz/drawn.h"

#include <algorithm>
#include <compare>
#include <iterator>
#include <stdexcept>

#include "kernels/core/check.h"
#include "kernels/core/hash.h"
#include "landscape/figures/canvas/svg_canvas.h"
#include "landscape/figures/canvas/tikz_canvas.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/record_json.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

std::vector<double> axis(Source& source, int64_t points) {
  std::vector<double> values;
  for (int64_t i = 0; i < points; ++i) values.push_back(source.number());
  const auto before = [](double a, double b) { return std::strong_order(a, b) < 0; };
  if (source.byte() % 4 != 0) std::sort(values.begin(), values.end(), before);
  return values;
}

/// Returns a number of [0, count) that any change of the bytes changes.
size_t chosen(std::string_view bytes, size_t count) {
  return content_hash(bytes.data(), bytes.size()) % count;
}

}  // namespace

Surface surface_of_bytes(std::string_view bytes) {
  Source source(bytes);
  const std::vector<double> x = axis(source, 1 + source.below(9));
  const std::vector<double> y = axis(source, source.below(9));
  Surface surface(x, y);
  surface.provenance["networks"] = "a 0.5 1";
  for (const char* name : {"train_loss", "train_acc"})
    for (double& value : surface.add_plane(name)) value = source.number();
  for (int64_t point = 0; point < surface.points(); ++point)
    if (source.byte() % 8 != 7) surface.mark_done(point);
  return surface;
}

void draw(const Record& record, PictureKind kind, const PictureOptions& options,
          std::string_view bytes) {
  const bool as_svg = chosen(bytes, 2) == 0;
  try {
    for (const NamedFigure& named : result_figures(record, {kind}, options)) {
      const Figure& figure = named.figure;
      if (every_way || as_svg)
        drawing::svg_text(figure.width, figure.height, figure.title, figure.draw);
      if (every_way || !as_svg)
        drawing::tikz_text(figure.width, figure.height, figure.title, false, figure.draw);
    }
  } catch (const Error&) {
  }
}

void draw_and_write(const Record& record, std::string_view bytes) {
  const PictureKind kinds[] = {PictureKind::contours, PictureKind::lines, PictureKind::heat,
                               PictureKind::slices, PictureKind::curves};
  const size_t one = chosen(bytes.substr(bytes.size() / 2), std::size(kinds));
  for (size_t i = 0; i < std::size(kinds); ++i) {
    if (!every_way && i != one) continue;
    PictureOptions options;
    options.scale = kinds[i] == PictureKind::heat ? Scale::log : Scale::linear;
    if (!every_way) options.look.contour_points = 24;  // most of the time goes to these
    draw(record, kinds[i], options, bytes);
  }
  record.columns();
  const std::string json = json_of(record);
  const std::string again = json_of(record_of_json(json, record.file));
  if (again == json) return;
  const auto differs = std::mismatch(json.begin(), json.end(), again.begin(), again.end()).first;
  const auto from = static_cast<size_t>(std::max<int64_t>(0, differs - json.begin() - 80));
  throw std::logic_error("a record that changes when it is written and read, at the end of: " +
                         json.substr(from, 100));
}

}  // namespace topograd::fuzz
