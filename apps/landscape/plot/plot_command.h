// landscape plot: figures of computed results.
#pragma once

#include "apps/common/command.h"
#include "apps/landscape/plot/plot_flags.h"
#include "landscape/plots/named_figure.h"

namespace topograd {

class PlotCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options&) override { flags_.check(); }
  int run(const std::string& typed) override;

 private:
  std::vector<NamedFigure> figures() const;
  void require_place_for(size_t figures) const;
  void save(const std::vector<NamedFigure>& pages) const;
  /// Writes the numbers behind the figures to --data-out.
  void save_data(const std::vector<NamedFigure>& figures) const;

  PlotFlags flags_;
};

}  // namespace topograd
