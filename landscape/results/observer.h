// How a long computation speaks to whoever started it.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace topograd {

/// Watches a computation, and may stop it. This one is silent and never does. Calls come from one
/// thread at a time.
class Observer {
 public:
  virtual ~Observer() = default;

  /// Announces a stage of `total` items, of which `done` are there already (a continued run).
  virtual void begin(const std::string& stage, int64_t total, int64_t done = 0);
  /// Tells how many items are done; `detail` is called only where somebody looks.
  virtual void advance(int64_t done, const std::function<std::string()>& detail);
  /// Ends the stage.
  virtual void end();
  /// Hands on a line that the user should know: "continuing s.h5: 12 of 961 points are done", or
  /// "note: ..." for what may surprise.
  virtual void note(const std::string& line);
  /// Hands on a line of the results, which come one after the other: "curve: epoch 3 of 10, ...".
  virtual void report(const std::string& line);
  /// Whether the computation should save what is finished and throw Interrupted.
  virtual bool stop_requested();
};

/// A stage of an observer, from here to the end of the scope.
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

/// Thrown by a computation that its observer stopped. What was finished is saved: repeating the
/// command continues.
class Interrupted : public std::exception {
 public:
  /// `saved` says what is where: "12 of 961 points are saved in s.h5".
  explicit Interrupted(std::string saved) : saved_(std::move(saved)) {}
  const char* what() const noexcept override { return saved_.c_str(); }

 private:
  std::string saved_;
};

/// Throws Interrupted, saying what is `saved`, where the observer asks to stop.
void stop_if_requested(Observer& observer, const std::string& saved);

}  // namespace topograd
