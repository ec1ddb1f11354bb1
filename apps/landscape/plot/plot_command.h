// landscape plot: figures of computed results.
#pragma once

#include <optional>
#include <vector>

#include "apps/common/command.h"
#include "apps/landscape/plot/plot_flags.h"
#include "landscape/plots/named_figure.h"
#include "landscape/results/record.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Results of a file; the surface, if it is one.
struct PlotInput {
  Record record;
  std::optional<Surface> surface;
};

class PlotCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options& options) override { flags_.check(options); }
  int run(const std::string& typed) override;

 private:
  std::vector<NamedFigure> figures() const;
  std::vector<NamedFigure> figures_of(const PlotInput& input, const PictureOptions& options) const;
  void require_place_for(size_t figures) const;
  void save(const std::vector<NamedFigure>& pages) const;
  /// Writes the numbers behind the figures to --data-out.
  void save_data(const std::vector<NamedFigure>& figures) const;

  PlotFlags flags_;
};

}  // namespace topograd
