// A surface's file that another process is writing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "apps/landscape/watch/watch_progress.h"
#include "kernels/core/version.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Calls Surface::load(). The Error for a file of another kind says which kind it is.
Surface load_watched(const std::string& path);

/// Watches a file for newer contents, from one thread at a time.
class WatchedSurface {
 public:
  using Load = std::function<Surface(const std::string&)>;
  explicit WatchedSurface(std::string path, Load load = load_watched);

  /// Reads the file if it has changed since the last look; `now` in seconds of a steady clock.
  /// Returns whether something is new: a surface, or that the file has appeared or disappeared.
  ///
  /// Throws the Error of reading once an unchanged file has failed at kPatience looks: a file that
  /// is being replaced or copied is only not complete yet.
  bool look(double now);
  static constexpr int kPatience = 3;

  const std::string& path() const { return path_; }
  /// Returns whether the file existed at the last look.
  bool there() const { return there_; }
  /// Returns the newest surface read, null before the first. It stays if the file disappears.
  const std::shared_ptr<const Surface>& surface() const { return surface_; }
  /// Returns how many surfaces were read.
  int64_t version() const { return version_; }
  const ProgressEstimate& progress() const { return progress_; }

 private:
  /// Identity of a file, to tell it from one that replaces it.
  struct Identity {
    uint64_t device, inode;
    int64_t size, seconds, nanoseconds;  // the last two: time of change
    bool operator==(const Identity&) const = default;
  };
  static std::optional<Identity> identity_of(const std::string& path);
  void take(Surface surface, const Identity& identity, double now);

  std::string path_;
  Load load_;
  bool there_ = false;
  std::optional<Identity> read_;    // file that surface_ was read from
  std::optional<Identity> failed_;  // file that could not be read
  int failures_ = 0;
  std::shared_ptr<const Surface> surface_;
  int64_t version_ = 0;
  ProgressEstimate progress_;
};

}  // namespace topograd
