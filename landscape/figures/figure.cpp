#include "landscape/figures/figure.h"

#include <algorithm>
#include <filesystem>

#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "landscape/figures/canvas/cairo_canvas.h"
#include "landscape/figures/canvas/svg_canvas.h"
#include "landscape/figures/canvas/tikz_canvas.h"

namespace topograd {

using namespace drawing;

namespace {

constexpr int kLeastSide = 120, kLargestSide = 8000;  // px
constexpr int kLargestImage = 30000;                  // pixels: cairo's limit is 32767

double exact_width(const Figure& figure) {
  return figure.exact_width > 0 ? figure.exact_width : figure.width;
}

double exact_height(const Figure& figure) {
  return figure.exact_height > 0 ? figure.exact_height : figure.height;
}

[[noreturn]] void fail_without_format(const std::string& path) {
  fail("cannot tell the format of figure '", path,
       "': end its name in .svg, .pdf, .png, .eps or .tex");
}

}  // namespace

const std::vector<std::string>& figure_types() {
  static const std::vector<std::string> kTypes = {"svg", "pdf", "png", "eps", "tex", "pgf", "tikz"};
  return kTypes;
}

std::string figure_type_of(const std::string& path) {
  const std::string suffix = std::filesystem::path(path).extension().string();
  if (suffix.empty()) return "";
  for (const std::string& type : figure_types())
    if (suffix == "." + type) return type;
  fail_without_format(path);
}

void save_figure(const Figure& figure, const std::string& path, const FigureFile& file) {
  const int width = figure.width, height = figure.height;
  const std::string type = figure_type_of(path);
  if (type.empty()) fail_without_format(path);
  require(width >= kLeastSide && width <= kLargestSide && height >= kLeastSide &&
              height <= kLargestSide,
          "a figure of ", width, " by ", height, " px: choose ", kLeastSide, " to ", kLargestSide,
          " px");
  const double scale = file.dpi / kPxPerInch;
  require(scale * std::max(width, height) <= kLargestImage, "at ", file.dpi, " dpi a figure of ",
          width, " by ", height, " px has a side of more than ", kLargestImage,
          " pixels: lower --dpi");
  write_file_atomically(path, [&](const std::string& temporary) {
    if (type == "svg")
      write_bytes(temporary,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
                      svg_text(width, height, figure.title, figure.draw, "", file.transparent));
    else if (type == "pdf")
      write_pdf(temporary, width, height, figure.title, file.transparent, figure.draw);
    else if (type == "eps")
      write_eps(temporary, width, height, file.dpi, file.transparent, figure.draw);
    else if (type == "png")
      write_png(temporary, width, height, scale, file.transparent, figure.draw);
    else
      write_bytes(temporary, tikz_text(exact_width(figure), exact_height(figure), figure.title,
                                       file.transparent, figure.draw));
  });
}

Figure side_by_side(const std::vector<Figure>& figures, size_t columns) {
  require(!figures.empty(), "no figures to put beside one another");
  if (columns == 0) columns = figures.size();
  Figure page;
  std::vector<drawing::Point> corners;
  int row_top = 0, left = 0;
  for (size_t i = 0; i < figures.size(); ++i) {
    if (i % columns == 0) left = 0, row_top = page.height;
    corners.push_back({static_cast<double>(left), static_cast<double>(row_top)});
    page.exact_width = std::max(page.exact_width, left + exact_width(figures[i]));
    page.exact_height = std::max(page.exact_height, row_top + exact_height(figures[i]));
    left += figures[i].width;
    page.width = std::max(page.width, left);
    page.height = std::max(page.height, row_top + figures[i].height);
    page.title += (i == 0 ? "" : ", ") + figures[i].title;
  }
  page.draw = [figures, corners](drawing::Canvas& canvas) {
    for (size_t i = 0; i < figures.size(); ++i)
      canvas.moved(corners[i], [&] { figures[i].draw(canvas); });
  };
  return page;
}

}  // namespace topograd
