// A computation's progress bars and notes on a terminal; Ctrl-C stops it.
#pragma once

#include <optional>
#include <string>

#include "apps/common/progress.h"
#include "landscape/results/observer.h"

namespace topograd::cli {

class TerminalObserver : public Observer {
 public:
  /// Makes SIGINT and SIGTERM ask computations to stop. `program` stands before notes.
  explicit TerminalObserver(std::string program);

  void begin(const std::string& stage, int64_t total, int64_t done) override;
  void advance(int64_t done, const std::function<std::string()>& detail) override;
  void end() override;
  /// Prints the line behind the program's name.
  void note(const std::string& line) override;
  /// Prints the line on stdout.
  void report(const std::string& line) override;
  bool stop_requested() override;

 protected:
  /// Removes the progress bar, so that a line can be printed; the next advance() draws it again.
  void clear_bar();

 private:
  std::string program_, stage_;
  std::optional<ProgressBar> bar_;
};

/// Runs a computation and what follows it; returns what `body` returns. If it was interrupted, says
/// what is saved and returns kInterruptedStatus.
int run_interruptible(const std::string& program, const std::function<int()>& body);

}  // namespace topograd::cli
