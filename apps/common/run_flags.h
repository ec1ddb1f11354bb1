// Where a command computes: --device, --threads, --impl.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/options.h"
#include "kernels/core/thread_pool.h"
#include "kernels/softmax_xent/softmax_xent.h"

namespace topograd::cli {

struct RunFlags {
  std::optional<std::string>
      device;                       ///< cpu, cuda or simt; empty: cuda where there is one, else cpu
  int threads = 0;                  ///< of the CPU; 0: one per processor
  std::vector<std::string> forced;  ///< "operation=implementation"

  /// Declares the three in the group "Run"; `several_processes`: whether these may share the work.
  void add_to(Options& options, bool several_processes = false);

  /// Throws Error where the device is not there.
  Device chosen_device() const;
  /// The threads, or the one that drives the device, with the forced implementations. `all_threads`
  /// stands for --threads 0 where it is not 0 itself: a process's share of the processors.
  std::unique_ptr<ThreadPool> pool(int all_threads = 0) const;
  /// {operation, implementation}. Throws Error for a word without "=".
  std::vector<std::pair<std::string, std::string>> forced_implementations() const;
};

/// Declares --loss of one kind in the group "Data".
void add_loss_option(Options& options, LossKind& loss);
/// Declares --loss of one kind or several, none twice, in the group "Data".
void add_losses_option(Options& options, std::vector<LossKind>& losses);

}  // namespace topograd::cli
