// Observer: receives the progress and messages of a long computation, and may stop it.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace topograd {

/// Observes a computation, and may stop it; this base class ignores everything and never stops it.
/// Calls come from one thread at a time.
class Observer {
 public:
  virtual ~Observer() = default;

  /// Begins a stage of `total` items, of which `done` are finished already (a continued run).
  virtual void begin(const std::string& stage, int64_t total, int64_t done = 0);
  /// Reports how many items are done; `detail` is called only if it is shown.
  virtual void advance(int64_t done, const std::function<std::string()>& detail);
  /// Ends the stage.
  virtual void end();
  /// Reports a line for the user: "continuing s.h5: 12 of 961 points are done", or "note: ..." for
  /// what may surprise.
  virtual void note(const std::string& line);
  /// Reports a line of intermediate results: "curve: epoch 3 of 10, ...".
  virtual void report(const std::string& line);
  /// Returns whether the computation should save what is finished and throw Interrupted.
  virtual bool stop_requested();
};

/// Scope of an observer's stage: begin() on construction, end() on destruction.
class Stage {
 public:
  Stage(Observer& observer, const std::string& name, int64_t total, int64_t done = 0)
      : observer_(observer) {
    observer_.begin(name, total, done);
  }
  ~Stage() { observer_.end(); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

 private:
  Observer& observer_;
};

/// Exception of a computation that its observer stopped. What was finished is saved: repeating the
/// command continues.
class Interrupted : public std::exception {
 public:
  /// Takes a message of what is saved: "12 of 961 points are saved in s.h5".
  explicit Interrupted(std::string saved) : saved_(std::move(saved)) {}
  const char* what() const noexcept override { return saved_.c_str(); }

 private:
  std::string saved_;
};

/// Throws Interrupted with the message `saved` if the observer asks to stop.
void stop_if_requested(Observer& observer, const std::string& saved);

}  // namespace topograd
