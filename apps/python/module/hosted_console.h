// The console of commands that a Python program runs.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "apps/common/console.h"

namespace topograd::python {

/// Where a computation is.
struct HostedProgress {
  std::string stage;  ///< "s.h5"; empty between stages
  int64_t done = 0, total = 0;
  std::string detail;  ///< "12/2601 points  1200 images/s"
  friend bool operator==(const HostedProgress&, const HostedProgress&) = default;
};

/// Keeps what a command says. The command runs in one thread, its observer is called by others, and
/// the interpreter's thread looks at it meanwhile.
class HostedConsole : public cli::Console {
 public:
  std::ostream& out() override { return results_; }
  void say(const std::string& line) override;
  std::unique_ptr<Observer> observer(const std::string& program, cli::Notes notes) override;
  bool is_watched() const override { return false; }

  /// Returns what was printed. The command must have ended.
  std::string results() const { return results_.str(); }

  // Functions below may be called from any thread.

  /// Returns where the computation is.
  HostedProgress progress() const;
  /// Returns the lines said since the last call.
  std::vector<std::string> take_lines();
  /// Makes the computation save what is finished and end.
  void ask_to_stop() { stop_ = true; }

 private:
  class HostedObserver;

  TextWriter results_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  HostedProgress progress_;
  std::vector<std::string> lines_;
};

}  // namespace topograd::python
