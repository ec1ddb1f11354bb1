#include "landscape/surface/continued_surface.h"

#include <algorithm>

#include "kernels/core/check.h"
#include "kernels/core/output_claim.h"
#include "landscape/results/resumable_file.h"

namespace topograd {

std::optional<Surface> saved_surface(const Surface& surface, const std::string& output,
                                     const std::vector<std::string>& keys) {
  if (!is_there(output)) return std::nullopt;
  const OwnOutputScope own;
  Surface saved = Surface::load(output);
  std::vector<std::string> reasons;
  if (!saved.same_points(surface)) reasons.push_back("the grid is another one");
  require_same_command(output, saved.provenance, surface.provenance, keys, reasons);
  return saved;
}

void continue_or_begin(Surface& surface, const std::string& output,
                       const std::vector<std::string>& keys, Observer& observer) {
  std::optional<Surface> saved = saved_surface(surface, output, keys);
  if (!saved) {
    surface.save(output);
    return;
  }
  const OwnOutputScope own;
  // Files of earlier versions lack facts: save() adds them even if all points are done.
  const bool says_less =
      std::any_of(surface.provenance.begin(), surface.provenance.end(),
                  [&](const auto& fact) { return !saved->provenance.contains(fact.first); });
  saved->provenance = surface.provenance;
  surface = *saved;
  if (surface.done_count() > 0)
    observer.note(text("continuing ", output, ": ", surface.done_count(), " of ", surface.points(),
                       " points are done"));
  if (says_less || surface.done_count() < surface.points()) surface.save(output);
}

}  // namespace topograd
