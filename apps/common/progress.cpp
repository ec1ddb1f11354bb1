#include "apps/common/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "kernels/core/format.h"

namespace topograd {

namespace {

/// Returns whether the terminal understands the sequences that erase a line.
bool terminal_erases() {
  const char* const term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string(term) != "dumb";
}

/// Returns the columns of the terminal on stderr, asked anew: windows change.
int terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Returns the number of characters of UTF-8: one column each, in all that the programs print.
int columns_of(const std::string& text) {
  return static_cast<int>(text.size() - static_cast<size_t>(std::count_if(text.begin(), text.end(),
                                                                          continues_character)));
}

/// Cuts a text to so many columns, its last three dots.
std::string cut(const std::string& text, int columns) {
  if (columns_of(text) <= columns) return text;
  const int kept = std::max(columns - 3, 0);
  size_t end = 0;
  for (int count = 0; end < text.size(); ++end)
    if (!continues_character(text[end]) && count++ == kept) break;
  return text.substr(0, end) + std::string("...").substr(0, static_cast<size_t>(columns - kept));
}

}  // namespace

std::string progress_line(const Progress& progress, int columns) {
  columns = std::max(columns, 0);
  char percent[8];
  std::snprintf(percent, sizeof percent, "%3d%%", static_cast<int>(100 * progress.share));
  const auto line = [&](const std::string& bar, const std::string& detail) {
    return progress.label + bar + ' ' + percent + "  " + detail + (detail.empty() ? "" : "  ") +
           progress.left + " left";
  };
  for (const int width : {24, 16, 8}) {
    std::string bar(static_cast<size_t>(width * progress.share), '=');
    bar.resize(static_cast<size_t>(width), ' ');
    const std::string whole = line(" [" + bar + "]", progress.detail);
    if (columns_of(whole) <= columns) return whole;
  }
  const int room = columns - columns_of(line("", "")) - 2;
  const bool fits = room >= std::min(4, columns_of(progress.detail));
  return cut(line("", fits ? cut(progress.detail, room) : ""), columns);
}

ProgressBar::ProgressBar(int64_t total, int64_t done)
    : total_(std::max<int64_t>(total, 1)),
      first_(done),
      terminal_(isatty(STDERR_FILENO)),
      erases_(terminal_erases()) {}

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
  const auto since = Clock::now() - drawn_;
  if (!erases_) return since >= std::chrono::seconds(10);
  return !visible_ || done >= total_ || since >= std::chrono::milliseconds(200);
}

void ProgressBar::update(int64_t done, const std::string& label, const std::string& detail) {
  if (!due(done)) return;
  drawn_ = Clock::now();
  const double share = std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0., 1.);
  const Progress progress{label, share, detail, clock_text(seconds_left(done))};
  // The last column stays free: some terminals go on to the next line there.
  const std::string line = progress_line(progress, terminal_columns() - 1);
  if (erases_)
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  visible_ = erases_;
}

void ProgressBar::clear() {
  if (!visible_) return;
  std::fprintf(stderr, "\r\033[K");
  visible_ = false;
}

}  // namespace topograd
