#include "apps/common/console.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include "apps/common/terminal_observer.h"

namespace topograd::cli {

namespace {

class Terminal : public Console {
 public:
  std::ostream& out() override { return std::cout; }
  /// Writes the line at once: lines of several processes do not mix.
  void say(const std::string& line) override { std::cerr << printable(line) + '\n'; }
  std::unique_ptr<Observer> observer(const std::string& program, Notes notes) override {
    return std::make_unique<TerminalObserver>(program, notes);
  }
  bool is_watched() const override { return ::isatty(STDERR_FILENO) != 0; }
};

Console& terminal() {
  static Terminal terminal;
  return terminal;
}

thread_local Console* of_this_thread = nullptr;

}  // namespace

Console& console() {
  return of_this_thread != nullptr ? *of_this_thread : terminal();
}

ConsoleScope::ConsoleScope(Console& console) : before_(std::exchange(of_this_thread, &console)) {}

ConsoleScope::~ConsoleScope() {
  of_this_thread = before_;
}

}  // namespace topograd::cli
