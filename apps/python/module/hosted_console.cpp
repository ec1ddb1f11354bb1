#include "apps/python/module/hosted_console.h"

#include <chrono>
#include <utility>

namespace topograd::python {

/// Hands on to the console what a computation tells.
class HostedConsole::HostedObserver : public Observer {
 public:
  explicit HostedObserver(HostedConsole& console) : console_(console) {}

  void begin(const std::string& stage, int64_t total, int64_t done) override {
    const std::lock_guard lock(console_.mutex_);
    console_.progress_ = {stage, done, total, ""};
    told_ = {};
  }
  void advance(int64_t done, const std::function<std::string()>& detail) override {
    // The detail is for people: forming it for every point would cost more than some points do.
    const bool due = Clock::now() - told_ > std::chrono::milliseconds(50);
    const std::string text = due ? detail() : std::string();
    const std::lock_guard lock(console_.mutex_);
    console_.progress_.done = done;
    if (!due) return;
    console_.progress_.detail = text;
    told_ = Clock::now();
  }
  void end() override {
    const std::lock_guard lock(console_.mutex_);
    console_.progress_ = {};
  }
  void note(const std::string& line) override { console_.say(line); }
  void report(const std::string& line) override { console_.say(line); }
  bool stop_requested() override { return console_.stop_; }

 private:
  using Clock = std::chrono::steady_clock;

  HostedConsole& console_;
  Clock::time_point told_{};
};

void HostedConsole::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  lines_.push_back(line);
}

std::unique_ptr<Observer> HostedConsole::observer(const std::string&, cli::Notes) {
  return std::make_unique<HostedObserver>(*this);
}

HostedProgress HostedConsole::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::vector<std::string> HostedConsole::take_lines() {
  const std::lock_guard lock(mutex_);
  return std::exchange(lines_, {});
}

}  // namespace topograd::python
