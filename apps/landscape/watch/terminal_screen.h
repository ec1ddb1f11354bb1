// A terminal that a program draws on, and gives back as it was.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/terminal_picture.h"

namespace topograd {

/// Whether stdout is a terminal that can move its cursor (TERM is neither empty nor "dumb").
bool stdout_is_screen();

/// Of the terminal on stdout, else as the variables COLUMNS and LINES say, else 80x24.
TerminalSize terminal_size();

/// --colour: always, never, or auto: on a terminal, unless the variable NO_COLOR is set and not
/// empty (no-color.org). 24 bits where COLORTERM is truecolor or 24bit, else the palette.
TerminalColours terminal_colours(const std::string& choice);

/// The terminal's second page ("alternate screen") without cursor and echo, from the first show()
/// until leave() or the destructor. Ctrl-Z leaves it, and comes back to it.
class TerminalScreen {
 public:
  TerminalScreen();
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  /// Lines from the top, in place of those before; of a terminal of this size, only those that are
  /// other ones are written again.
  void show(const std::vector<std::string>& lines, TerminalSize size);
  /// Back to the page before, with everything as it was.
  void leave();
  /// Waits so many seconds; less when a signal comes or a key is pressed. The key q asks to end.
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
