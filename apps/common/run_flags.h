// The options that say where a command computes: --device, --threads, --impl.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/options.h"
#include "kernels/core/thread_pool.h"

namespace topograd::cli {

struct RunFlags {
  std::optional<std::string>
      device;                       ///< cpu, cuda or simt; empty: cuda where there is one, else cpu
  int threads = 0;                  ///< CPU threads; 0: one per processor
  std::vector<std::string> forced;  ///< "operation=implementation"

  /// Declares the three options in the group "Run"; `several_processes` may share the work.
  void add_to(Options& options, bool several_processes = false);

  /// Returns the device. Throws Error if it is absent.
  Device chosen_device() const;
  /// Returns the threads, or the one that drives the device, with the forced implementations. A
  /// nonzero `all_threads`, a process's share of the processors, replaces --threads 0.
  std::unique_ptr<ThreadPool> pool(int all_threads = 0) const;
  /// Returns pairs {operation, implementation}. Throws Error for a word without "=", and, listing
  /// the choices, for an operation or an implementation that the device does not have.
  std::vector<std::pair<std::string, std::string>> forced_implementations() const;
};

}  // namespace topograd::cli
