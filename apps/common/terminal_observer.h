// A computation's progress bars and notes on a terminal; Ctrl-C stops it.
#pragma once

#include <optional>
#include <string>

#include "apps/common/console.h"
#include "apps/common/progress.h"

namespace topograd::cli {

class TerminalObserver : public Observer {
 public:
  /// Makes SIGINT and SIGTERM ask computations to stop. `program` stands before notes.
  TerminalObserver(std::string program, Notes notes);

  void begin(const std::string& stage, int64_t total, int64_t done) override;
  void advance(int64_t done, const std::function<std::string()>& detail) override;
  void end() override;
  void note(const std::string& line) override;
  /// Prints the line on stdout.
  void report(const std::string& line) override;
  bool stop_requested() override;

 private:
  /// Removes the progress bar, so that a line can be printed; the next advance() draws it again.
  void clear_bar();

  std::string program_, stage_;
  Notes notes_;
  std::optional<ProgressBar> bar_;
};

}  // namespace topograd::cli
