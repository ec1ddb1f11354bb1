#include "apps/landscape/watch/watched_surface.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "kernels/core/check.h"
#include "landscape/kinds/result_kind.h"

namespace topograd {

Surface load_watched(const std::string& path) {
  const ResultKind& kind = kind_of_result(path);
  require(kind.name != "trajectory", path,
          " is a trajectory: watch its surface, which lies beside it as <name>_surface.h5");
  require(kind.name == "surface", path, " is ", kind.phrase,
          ": only surfaces, lines and maps can be watched; landscape plot draws the others");
  return Surface::load(path);
}

WatchedSurface::WatchedSurface(std::string path, Load load)
    : path_(std::move(path)), load_(std::move(load)) {}

std::optional<WatchedSurface::Identity> WatchedSurface::identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    require(errno == ENOENT, path, " cannot be looked at: ", std::strerror(errno));
    return std::nullopt;
  }
  return Identity{status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                  status.st_mtim.tv_nsec};
}

bool WatchedSurface::look(double now) {
  const std::optional<Identity> identity = identity_of(path_);
  const bool came_or_went = there_ != identity.has_value();
  there_ = identity.has_value();
  if (!identity || identity == read_) return came_or_went;
  std::optional<Surface> surface;
  try {
    surface = load_(path_);
  } catch (const Error&) {
    if (identity_of(path_) != identity) return came_or_went;  // the next look reads the new one
    if (failed_ != identity) failures_ = 0;
    failed_ = identity;
    if (++failures_ >= kPatience) throw;
    return came_or_went;
  }
  take(std::move(*surface), *identity, now);
  return true;
}

void WatchedSurface::take(Surface surface, const Identity& identity, double now) {
  if (surface_ && !surface.same_points(*surface_)) progress_ = {};
  // The file's time, not `now`, is when its points were done: it may be long ago.
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const double written =
      static_cast<double>(identity.seconds) + 1e-9 * static_cast<double>(identity.nanoseconds);
  const double age = std::chrono::duration<double>(wall).count() - written;
  progress_.observe(now - std::max(age, 0.0), surface.done_count());
  surface_ = std::make_shared<const Surface>(std::move(surface));
  read_ = identity;
  ++version_;
}

}  // namespace topograd
