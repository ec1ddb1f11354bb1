// A surface's file, while another process writes it.
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

/// Surface::load, with an Error that says what a file of another kind is.
Surface load_watched(const std::string& path);

/// Looks for newer contents. HDF5 takes one thread at a time: so does look().
class WatchedSurface {
 public:
  using Load = std::function<Surface(const std::string&)>;
  explicit WatchedSurface(std::string path, Load load = load_watched);

  /// Reads the file if it is another than at the last look; `now` in seconds of a clock that does
  /// not go back. True if something is new: a surface, or that the file has come or gone.
  ///
  /// Throws the Error of reading once a file has failed at kPatience looks and stayed the same: one
  /// that is replaced or still being copied is not wrong, only not there yet.
  bool look(double now);
  static constexpr int kPatience = 3;

  const std::string& path() const { return path_; }
  /// Whether there was a file at the last look.
  bool there() const { return there_; }
  /// The newest that was read; null before the first. It stays when the file goes.
  const std::shared_ptr<const Surface>& surface() const { return surface_; }
  /// Counts the surfaces that were read.
  int64_t version() const { return version_; }
  const ProgressEstimate& progress() const { return progress_; }

 private:
  /// What tells a file from the one that replaces it.
  struct Identity {
    uint64_t device, inode;
    int64_t size, seconds, nanoseconds;  // the last two: of its last change
    bool operator==(const Identity&) const = default;
  };
  static std::optional<Identity> identity_of(const std::string& path);
  void take(Surface surface, const Identity& identity, double now);

  std::string path_;
  Load load_;
  bool there_ = false;
  std::optional<Identity> read_;    // of the file that surface_ was read from
  std::optional<Identity> failed_;  // of the one that could not be read
  int failures_ = 0;
  std::shared_ptr<const Surface> surface_;
  int64_t version_ = 0;
  ProgressEstimate progress_;
};

}  // namespace topograd
