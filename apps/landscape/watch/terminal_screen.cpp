#include "apps/landscape/watch/terminal_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>

namespace topograd {

namespace {

std::atomic<bool> stop_asked = false;  // the handler runs on any thread
termios before{};                      // global: signal handlers have no object

void note_stop(int) {
  stop_asked = true;
}

void note_resize(int) {}  // interrupts wait(): the next frame has the new size

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

int positive(const std::string& digits, int otherwise) {
  const int value = std::atoi(digits.c_str());
  return value > 0 && value < 10000 ? value : otherwise;
}

}  // namespace

bool stdout_is_screen() {
  const std::string term = variable("TERM");
  return isatty(STDOUT_FILENO) != 0 && !term.empty() && term != "dumb";
}

TerminalSize terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
    return {size.ws_col, size.ws_row};
  return {positive(variable("COLUMNS"), 80), positive(variable("LINES"), 24)};
}

TerminalColours terminal_colours(const std::string& choice) {
  const bool wanted = choice == "always" ||
                      (choice == "auto" && stdout_is_screen() && variable("NO_COLOR").empty());
  if (!wanted) return TerminalColours::none;
  const std::string depth = variable("COLORTERM");
  return depth == "truecolor" || depth == "24bit" ? TerminalColours::full
                                                  : TerminalColours::palette;
}

TerminalScreen::TerminalScreen() {
  std::signal(SIGTSTP, note_stop);
  std::signal(SIGWINCH, note_resize);
}

TerminalScreen::~TerminalScreen() {
  leave();
  std::signal(SIGTSTP, SIG_DFL);
  std::signal(SIGWINCH, SIG_DFL);
}

void TerminalScreen::enter() {
  // A background process must not take the keyboard.
  reads_keys_ = tcgetpgrp(STDIN_FILENO) == getpgrp() && tcgetattr(STDIN_FILENO, &before) == 0;
  if (reads_keys_) {
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
    tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
  }
  std::cout << "\033[?1049h\033[?25l" << std::flush;
  entered_ = true;
  shown_.clear();
}

void TerminalScreen::leave() {
  if (!entered_) return;
  entered_ = false;
  std::cout << "\033[0m\033[?25h\033[?1049l" << std::flush;
  if (reads_keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void TerminalScreen::show(const std::vector<std::string>& lines, TerminalSize size) {
  if (!entered_) enter();
  // Resizing has moved what was on the terminal.
  if (size.columns != shown_size_.columns || size.rows != shown_size_.rows) shown_.clear();
  std::string page = "\033[H";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) page += '\n';
    // Erase before writing: after the last column some terminals would erase that column.
    if (i >= shown_.size() || lines[i] != shown_[i]) page += "\033[K" + lines[i];
  }
  if (lines.size() < static_cast<size_t>(size.rows)) page += "\n\033[J";
  std::cout << page << std::flush;
  shown_ = lines;
  shown_size_ = size;
}

void TerminalScreen::wait(double seconds) {
  pollfd keys{STDIN_FILENO, POLLIN, 0};
  const bool listens = entered_ && reads_keys_;
  if (poll(&keys, listens ? 1 : 0, static_cast<int>(1000 * seconds)) > 0) {
    char pressed[64];
    const ssize_t count = read(STDIN_FILENO, pressed, sizeof pressed);
    reads_keys_ = reads_keys_ && count > 0;
    for (ssize_t i = 0; i < count; ++i) end_asked_ = end_asked_ || pressed[i] == 'q';
  }
  if (!stop_asked) return;
  stop_asked = false;
  const bool was_shown = entered_;
  leave();
  std::raise(SIGSTOP);
  if (was_shown) enter();
}

}  // namespace topograd
