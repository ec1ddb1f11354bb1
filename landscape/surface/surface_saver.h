// SurfaceSaver: writes a surface in the background while it is computed.
#pragma once

#include <memory>
#include <string>

#include "landscape/surface/surface.h"

namespace topograd {

/// A thread that writes copies of a surface to its file, for the command of the thread that made it
/// (kernels/core/output_claim.h). Calls come from one thread at a time. In a child of fork(), where
/// that thread is missing, a saver can only be destroyed.
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
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace topograd
