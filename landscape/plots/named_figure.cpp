#include "landscape/plots/named_figure.h"

namespace topograd {

std::vector<std::string> save_figures(const std::vector<NamedFigure>& figures,
                                      const std::string& stem,
                                      const std::vector<std::string>& types,
                                      const FigureFile& file) {
  std::vector<std::string> paths;
  for (const NamedFigure& named : figures)
    for (const std::string& type : types) {
      paths.push_back(stem + "_" + named.name + "." + type);
      save_figure(named.figure, paths.back(), file);
    }
  return paths;
}

}  // namespace topograd
