// A terminal that a program draws on, and restores.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/terminal/terminal_picture.h"

namespace topograd {

/// Returns whether stdout is a terminal that can move its cursor (TERM is neither empty nor
/// "dumb").
bool stdout_is_screen();

/// Returns the size of the terminal on stdout, else the variables COLUMNS and LINES, else 80x24.
TerminalSize terminal_size();

/// Returns the colours for --colour's choice: always, never, or auto: on a terminal, unless the
/// variable NO_COLOR is set and not empty (no-color.org). 24 bits if COLORTERM is truecolor or
/// 24bit, else the palette.
TerminalColours terminal_colours(const std::string& choice);

/// Alternate screen of the terminal, without cursor and echo, from the first show() until leave()
/// or the destructor. Ctrl-Z leaves it; continuing the program comes back to it.
class TerminalScreen {
 public:
  TerminalScreen();
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  /// Shows lines from the top, in place of those before; unless the size has changed, only lines
  /// that differ are written again.
  void show(const std::vector<std::string>& lines, TerminalSize size);
  /// Restores the screen before, with cursor and echo.
  void leave();
  /// Waits so many seconds, less if a signal comes or a key is pressed. The key q asks to end.
  void wait(double seconds);
  bool end_asked() const { return end_asked_; }

 private:
  void enter();
  bool entered_ = false;
  bool reads_keys_ = false;
  bool end_asked_ = false;
  std::vector<std::string> shown_;
  TerminalSize shown_size_;
};

}  // namespace topograd
