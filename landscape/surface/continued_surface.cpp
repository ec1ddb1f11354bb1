#include "landscape/surface/continued_surface.h"

#include <algorithm>

#include "kernels/core/check.h"
#include "kernels/core/output_claim.h"
#include "landscape/results/resumable_file.h"

namespace topograd {

void continue_or_begin(Surface& surface, const std::string& output,
                       const std::vector<std::string>& keys, Observer& observer) {
  if (!is_there(output)) {
    surface.save(output);
    return;
  }
  const OwnOutputScope own;
  Surface saved = Surface::load(output);
  std::vector<std::string> reasons;
  if (!saved.same_points(surface)) reasons.push_back("the grid is another one");
  require_same_command(output, saved.provenance, surface.provenance, keys, reasons);
  // Files of earlier versions lack facts: save() adds them even if all points are done.
  const bool says_less =
      std::any_of(surface.provenance.begin(), surface.provenance.end(),
                  [&](const auto& fact) { return !saved.provenance.contains(fact.first); });
  saved.provenance = surface.provenance;
  surface = saved;
  if (surface.done_count() > 0)
    observer.note(text("continuing ", output, ": ", surface.done_count(), " of ", surface.points(),
                       " points are done"));
  if (says_less || surface.done_count() < surface.points()) surface.save(output);
}

}  // namespace topograd
