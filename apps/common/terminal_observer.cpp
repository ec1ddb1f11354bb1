#include "apps/common/terminal_observer.h"

#include <iostream>
#include <utility>

#include "apps/common/cli.h"

namespace topograd::cli {

TerminalObserver::TerminalObserver(std::string program, Notes notes)
    : program_(std::move(program)), notes_(notes) {
  catch_interruption();
}

void TerminalObserver::begin(const std::string& stage, int64_t total, int64_t done) {
  stage_ = stage;
  bar_.emplace(total, done);
}

void TerminalObserver::advance(int64_t done, const std::function<std::string()>& detail) {
  if (bar_ && bar_->due(done)) bar_->update(done, stage_, detail());
}

void TerminalObserver::end() {
  bar_.reset();
}

void TerminalObserver::clear_bar() {
  if (bar_) bar_->clear();
}

void TerminalObserver::note(const std::string& line) {
  if (notes_ == Notes::are_results) return report(line);
  clear_bar();
  cli::say(program_, ": ", line);
}

void TerminalObserver::report(const std::string& line) {
  clear_bar();
  std::cout << line << std::endl;  // at once, for whoever follows it through a pipe
}

bool TerminalObserver::stop_requested() {
  return interrupted();
}

}  // namespace topograd::cli
