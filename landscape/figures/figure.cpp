#include "landscape/figures/figure.h"

#include <algorithm>

#include "kernels/core/check.h"
#include "landscape/figures/canvas.h"

namespace topograd {

void save_figure(const Figure& figure, const std::string& path) {
  drawing::write_page(path, figure.width, figure.height, figure.title, figure.draw);
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
