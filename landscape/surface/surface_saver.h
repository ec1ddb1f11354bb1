// SurfaceSaver: writes a surface in the background while it is computed.
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

/// A thread that writes copies of a surface to its file. HDF5 is not thread-safe: no other thread
/// may read or write HDF5 files while a saver lives.
class SurfaceSaver {
 public:
  /// Starts the thread; offer() writes to `path` at most once every `seconds`.
  SurfaceSaver(std::string path, double seconds);
  /// Waits for the current write; a failure that was not yet thrown is dropped.
  ~SurfaceSaver();
  SurfaceSaver(const SurfaceSaver&) = delete;
  SurfaceSaver& operator=(const SurfaceSaver&) = delete;

  /// Copies the surface for the thread to write if `seconds` have passed and no other copy waits;
  /// does not wait for the disk. Rethrows the failure of an earlier write.
  void offer(const Surface& surface);
  /// Writes the surface and returns when it is written. Rethrows a failure.
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
  std::thread thread_;  // last: it uses the other members
};

}  // namespace topograd
