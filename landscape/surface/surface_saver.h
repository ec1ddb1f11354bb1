// SurfaceSaver: writes a surface while others go on computing it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "landscape/surface/surface.h"

namespace topograd {

/// A thread that writes copies of a surface to its file. HDF5 takes one thread at a time: no other
/// may read or write HDF5 files while a saver lives.
class SurfaceSaver {
 public:
  /// Writes no more often than every `seconds`.
  SurfaceSaver(std::string path, double seconds);
  /// Waits for the writing under way; a failure that nobody was told of is dropped.
  ~SurfaceSaver();
  SurfaceSaver(const SurfaceSaver&) = delete;
  SurfaceSaver& operator=(const SurfaceSaver&) = delete;

  /// Copies the surface to be written, if it is time for it and no other copy waits: nobody waits
  /// for the disk. Throws what went wrong in writing an earlier copy.
  void offer(const Surface& surface);
  /// Writes the surface and returns when it is written. Throws what went wrong.
  void save(const Surface& surface);

 private:
  using Clock = std::chrono::steady_clock;
  void work();
  void rethrow_failure();

  std::string path_;
  double seconds_;
  Clock::time_point offered_ = Clock::now();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Surface> waiting_;
  bool writing_ = false;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace topograd
