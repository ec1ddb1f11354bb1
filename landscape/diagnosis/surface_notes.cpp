#include "landscape/diagnosis/surface_notes.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "landscape/diagnosis/chance.h"

namespace topograd {

namespace {

constexpr double kPlateau = 0.9;  // share of the points

/// Returns the number of the point at the origin; -1 if there is none.
int64_t centre_of(const Surface& surface) {
  const auto zero = [](const std::vector<double>& axis) {
    return static_cast<int64_t>(std::find(axis.begin(), axis.end(), 0.0) - axis.begin());
  };
  const int64_t ix = zero(surface.x()), iy = surface.is_line() ? 0 : zero(surface.y());
  return ix < surface.nx() && iy < surface.ny() ? surface.index(ix, iy) : -1;
}

class Notes {
 public:
  Notes(const Surface& surface, const std::string& set, double chance)
      : surface_(surface), set_(set), chance_(chance), centre_(centre_of(surface)) {}

  std::vector<std::string> run() {
    if (surface_.has_plane(set_ + "_loss")) examine_holes(surface_.plane(set_ + "_loss"));
    if (surface_.has_plane(set_ + "_n")) examine_target(surface_.plane(set_ + "_n"));
    if (surface_.has_plane(set_ + "_acc")) examine_accuracy(surface_.plane(set_ + "_acc"));
    if (surface_.has_plane(set_ + "_loss_se"))
      examine_variation(surface_.plane(set_ + "_loss"), surface_.plane(set_ + "_loss_se"));
    return notes_;
  }

 private:
  bool done(size_t point) const { return surface_.done(static_cast<int64_t>(point)); }

  /// Says how many points have no finite loss, and what that comes of.
  void examine_holes(const std::vector<double>& loss) {
    int64_t holes = 0;
    for (size_t point = 0; point < loss.size(); ++point)
      holes += done(point) && !std::isfinite(loss[point]) ? 1 : 0;
    if (holes == 0) return;
    const bool states =
        value_of(surface_.provenance, "dir_type") == "states" &&
        value_of(surface_.provenance, "bn_mode").find("recompute") == std::string::npos;
    notes_.push_back(text(
        "at ", holes, " of ", surface_.points(), " points the ", set_, " loss is not finite: ",
        states ? "moved along the direction, BatchNorm's variances become negative there; --bn "
                 "recompute, with another --output, estimates them anew"
               : "weights so far out overflow; choose a narrower range"));
  }

  /// Says how many images --target-se took, and where they were not enough.
  void examine_target(const std::vector<double>& counts) {
    const double target = std::strtod(value_of(surface_.provenance, "target_se").c_str(), nullptr);
    if (target <= 0 || !surface_.has_plane(set_ + "_loss_se")) return;
    const std::vector<double>& errors = surface_.plane(set_ + "_loss_se");
    std::vector<double> images;
    int64_t missed = 0;
    for (size_t point = 0; point < counts.size(); ++point) {
      if (!done(point)) continue;
      images.push_back(counts[point]);
      missed += errors[point] <= target ? 0 : 1;
    }
    if (images.empty()) return;
    std::sort(images.begin(), images.end());
    notes_.push_back(text("points took ", images.front(), " to ", images.back(), " ", set_,
                          " images, ", images[images.size() / 2], " in the median",
                          missed > 0 ? text("; at ", missed, " of ", images.size(),
                                            " all of them were too few for --target-se ", target)
                                     : ""));
  }

  void examine_accuracy(const std::vector<double>& accuracy) {
    if (centre_ < 0 || chance_ <= 0 || chance_ > 50) return;
    const double images = std::strtod(value_of(surface_.provenance, "images").c_str(), nullptr);
    const std::string note =
        note_on_chance(set_, accuracy[static_cast<size_t>(centre_)], chance_, images);
    if (!note.empty()) {
      notes_.push_back(note);
      return;
    }
    int64_t lost = 0;
    double reach = 0;
    for (int64_t point = 0; point < surface_.points(); ++point) {
      if (!(accuracy[static_cast<size_t>(point)] > 1.5 * chance_)) {
        ++lost;
        continue;
      }
      const double x = surface_.x()[static_cast<size_t>(point % surface_.nx())];
      const double y =
          surface_.is_line() ? 0 : surface_.y()[static_cast<size_t>(point / surface_.nx())];
      reach = std::max({reach, std::abs(x), std::abs(y)});
    }
    if (static_cast<double>(lost) < kPlateau * static_cast<double>(surface_.points())) return;
    notes_.push_back(text("at ", lost, " of ", surface_.points(), " points the ", set_,
                          " accuracy is chance: the picture is mostly that plateau; ",
                          reach > 0 ? text("the rest lies within -", significant(reach, 2), ':',
                                           significant(reach, 2), " of both axes")
                                    : "only the network itself is not on it"));
  }

  void examine_variation(const std::vector<double>& loss, std::vector<double> errors) {
    const auto [least, most] = std::minmax_element(loss.begin(), loss.end());
    if (loss.size() < 3 || !std::isfinite(*least) || !std::isfinite(*most)) return;
    std::nth_element(errors.begin(),
                     errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2), errors.end());
    const double error = errors[errors.size() / 2];
    if (*most - *least > 0.1 * error) return;
    notes_.push_back(
        text("the ", set_, " loss varies by ", significant(*most - *least, 2),
             ", a tenth of its standard error ", significant(error, 2),
             " or less: these directions hardly move the network; choose a wider range"));
  }

  const Surface& surface_;
  const std::string& set_;
  double chance_;
  int64_t centre_;
  std::vector<std::string> notes_;
};

}  // namespace

std::vector<std::string> notes_on(const Surface& surface, double chance) {
  std::vector<std::string> notes;
  if (surface.done_count() < surface.points()) return notes;
  for (const std::string set : {"train", "test"}) {
    if (!surface.has_plane(set + "_loss")) continue;
    const auto found = Notes(surface, set, chance).run();
    notes.insert(notes.end(), found.begin(), found.end());
  }
  return notes;
}

}  // namespace topograd
