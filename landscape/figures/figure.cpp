#include "landscape/figures/figure.h"

#include <algorithm>

#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "landscape/figures/canvas/cairo_canvas.h"
#include "landscape/figures/canvas/svg_canvas.h"

namespace topograd {

using namespace drawing;

void save_figure(const Figure& figure, const std::string& path) {
  const int width = figure.width, height = figure.height;
  const bool svg = path.ends_with(".svg"), pdf = path.ends_with(".pdf");
  require(svg || pdf || path.ends_with(".png"), "cannot tell the format of figure '", path,
          "': end its name in .svg, .pdf or .png");
  require(width >= 400 && width <= 8000 && height >= 300 && height <= 8000, "a figure of ", width,
          " by ", height, " px: choose 400 to 8000 by 300 to 8000");
  write_file_atomically(path, [&](const std::string& temporary) {
    if (svg)
      write_bytes(temporary, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
                                 svg_text(figure.width, figure.height, figure.title, figure.draw));
    else if (pdf)
      write_pdf(temporary, figure.width, figure.height, figure.title, figure.draw);
    else
      write_png(temporary, figure.width, figure.height, figure.draw);
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
