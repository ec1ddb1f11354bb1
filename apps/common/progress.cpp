#include "apps/common/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "kernels/core/format.h"

namespace topograd {

ProgressBar::ProgressBar(int64_t total, int64_t done)
    : total_(std::max<int64_t>(total, 1)), first_(done), terminal_(isatty(STDERR_FILENO)) {}

ProgressBar::~ProgressBar() {
  clear();
}

double ProgressBar::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

double ProgressBar::seconds_left(int64_t done) const {
  if (done <= first_) return NAN;
  return seconds() / static_cast<double>(done - first_) * static_cast<double>(total_ - done);
}

bool ProgressBar::due(int64_t done) const {
  if (!terminal_) return false;
  return !visible_ || done >= total_ || Clock::now() - drawn_ >= std::chrono::milliseconds(200);
}

void ProgressBar::update(int64_t done, const std::string& label, const std::string& detail) {
  if (!due(done)) return;
  drawn_ = Clock::now();
  visible_ = true;
  constexpr int kWidth = 24;
  const int filled = static_cast<int>(kWidth * done / total_);
  std::string bar(static_cast<size_t>(filled), '=');
  bar.resize(kWidth, ' ');
  std::fprintf(stderr, "\r\033[K%s [%s] %3d%%  %s  %s left", label.c_str(), bar.c_str(),
               static_cast<int>(100 * done / total_), detail.c_str(),
               clock_text(seconds_left(done)).c_str());
}

void ProgressBar::clear() {
  if (!visible_) return;
  std::fprintf(stderr, "\r\033[K");
  visible_ = false;
}

}  // namespace topograd
