#include "tests/fuzz/drawn.h"

#include <algorithm>
#include <compare>
#include <stdexcept>

#include "kernels/core/check.h"
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

void draw(const Record& record, const std::vector<PictureKind>& kinds,
          const PictureOptions& options) {
  try {
    for (const NamedFigure& named : result_figures(record, kinds, options)) {
      const Figure& figure = named.figure;
      drawing::svg_text(figure.width, figure.height, figure.title, figure.draw);
      drawing::tikz_text(figure.width, figure.height, figure.title, false, figure.draw);
    }
  } catch (const Error&) {
  }
}

void draw_and_write(const Record& record) {
  for (const PictureKind kind : {PictureKind::contours, PictureKind::lines, PictureKind::heat,
                                 PictureKind::slices, PictureKind::curves}) {
    PictureOptions options;
    options.scale = kind == PictureKind::heat ? Scale::log : Scale::linear;
    draw(record, {kind}, options);
  }
  record.columns();
  const std::string json = json_of(record);
  if (json_of(record_of_json(json, record.file)) != json)
    throw std::logic_error("a record that changes when it is written and read");
}

}  // namespace topograd::fuzz
