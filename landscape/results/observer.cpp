#include "landscape/results/observer.h"

namespace topograd {

void Observer::begin(const std::string&, int64_t, int64_t) {}
void Observer::advance(int64_t, const std::function<std::string()>&) {}
void Observer::end() {}
void Observer::note(const std::string&) {}
void Observer::report(const std::string&) {}
bool Observer::stop_requested() {
  return false;
}

void stop_if_requested(Observer& observer, const std::string& saved) {
  if (observer.stop_requested()) throw Interrupted(saved);
}

}  // namespace topograd
