// Console: where a command's words go, and who watches its computation.
//
// The programs' console is the terminal. A program that runs commands itself, such as a Python
// interpreter, brings another one:
//
//   cli::ConsoleScope scope(console);
//   command.run(typed);  // prints into console.out()
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "kernels/core/format.h"
#include "kernels/core/streams.h"
#include "landscape/results/observer.h"

namespace topograd::cli {

/// Which of the two streams takes the notes of a computation.
enum class Notes {
  beside_results,  ///< the one for messages, behind the program's name
  are_results,     ///< the one for results: a training's log
};

class Console {
 public:
  virtual ~Console() = default;

  /// Returns the stream of results: the standard output.
  virtual std::ostream& out() = 0;
  /// Takes a line for the user: the standard error's.
  virtual void say(const std::string& line) = 0;
  /// Makes the observer of a computation; `program` stands before its notes.
  virtual std::unique_ptr<Observer> observer(const std::string& program, Notes notes) = 0;
  /// Returns whether somebody looks on, who wants to be told before a long computation begins.
  virtual bool is_watched() const = 0;
};

/// Returns the console of this thread: the terminal, unless a ConsoleScope says otherwise.
Console& console();

/// Scope in which this thread has another console.
class ConsoleScope {
 public:
  /// The console must outlive the scope.
  explicit ConsoleScope(Console& console);
  ~ConsoleScope();
  ConsoleScope(const ConsoleScope&) = delete;
  ConsoleScope& operator=(const ConsoleScope&) = delete;

 private:
  Console* before_;
};

/// Returns console().out().
inline std::ostream& out() {
  return console().out();
}

/// Makes an observer of console().
inline std::unique_ptr<Observer> observer(const std::string& program,
                                          Notes notes = Notes::beside_results) {
  return console().observer(program, notes);
}

/// Says one line on the console.
template <class... Parts>
void say(const Parts&... parts) {
  TextWriter line;
  (line << ... << parts);
  console().say(line.str());
}

}  // namespace topograd::cli
