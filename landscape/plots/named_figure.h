// Figures with the ends of their files' names, and how they are written.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/figure.h"

namespace topograd {

struct NamedFigure {
  std::string name;  ///< "contours"
  Figure figure;
};

/// Writes <stem>_<name>.<type> for every figure and type; returns the paths.
std::vector<std::string> save_figures(const std::vector<NamedFigure>& figures,
                                      const std::string& stem,
                                      const std::vector<std::string>& types = {"svg", "png"},
                                      const FigureFile& file = {});

}  // namespace topograd
