// Outputs of a program: which files it writes, that they are none of those it reads, and that
// nobody else writes them.
//
// A computation claims its output before it begins, and holds the claim until it has written it
// last:
//
//   const OutputClaim claim(settings.output);
//
// Claims and inputs are compared as files, not as names: links, "./a" and "a" are one file. Several
// threads of a process may run a command each: inputs and claims are each command's own.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace topograd {

/// File where a path leads: links are followed, also to a file that is not there yet.
struct OutputPlace {
  enum class Kind {
    absent,   ///< will be a regular file
    regular,  ///< is replaced by a new file of the same mode
    special,  ///< device, pipe or socket: written in place
  };
  std::string path;  ///< no link itself
  Kind kind = Kind::absent;
};

/// Returns the place of an output. Throws Error with the system's text alone: a folder, a loop of
/// links, a missing folder.
OutputPlace output_place(const std::string& path);

struct HeldOutput;

/// A command's run, told apart from those of other threads by its identity.
struct RunningCommand;

/// Returns the command that this thread runs, or works for; null if it is none.
std::shared_ptr<RunningCommand> running_command();

/// Claim of one output by the running command, from construction to destruction. Beside the output
/// lies a file ".NAME.lock", locked for the kernel to release even if the process is killed; it says
/// who holds it. Special files (/dev/stdout) are claimed without one, and so are files where the
/// file system knows no locks (locked() is then false). Claims of one output may be nested within a
/// command, but two of its results must not share a file. All threads that run no command count as
/// one.
///
/// A child of fork() has none of its parent's claims: what it claims itself is refused as any other
/// process would be.
class OutputClaim {
 public:
  /// What is written: a result of the command, or a part of one that has claimed it already.
  enum class Use { part, result };

  /// Throws Error if the file is an input of the running command (InputScope), if another process
  /// or another command of this one has claimed it, if it is another result of this command, or
  /// "cannot write PATH: REASON" if it is a folder, or its own cannot be written to. Removes
  /// temporary files that a killed writer of this output left.
  explicit OutputClaim(const std::string& path, Use use = Use::part);
  ~OutputClaim();
  OutputClaim(OutputClaim&& other) noexcept;
  OutputClaim& operator=(OutputClaim&&) noexcept;

  bool locked() const;
  const OutputPlace& place() const;
  /// Returns whether somebody else has put another file in its place since it was claimed, or
  /// written last.
  bool replaced_by_another() const;
  /// Notes that the claim's holder has just written the file.
  void written() const;

 private:
  std::shared_ptr<HeldOutput> held_;
  bool is_result_;
};

/// Scope in which a file must not be both read and written: a command's run, on this thread and on
/// those that work for it (WorkerScope). Without one, inputs are not noted; a program that writes a
/// file and reads it later needs none. A scope within another one is a command of its own.
class InputScope {
 public:
  InputScope();
  ~InputScope();
  InputScope(const InputScope&) = delete;
  InputScope& operator=(const InputScope&) = delete;

 private:
  std::shared_ptr<RunningCommand> command_;
  RunningCommand* before_;
};

/// Scope in which this thread works for the command of the thread that started it, as
/// running_command() returned it there: what it reads and writes is that command's. The command must
/// outlive the scope.
class WorkerScope {
 public:
  explicit WorkerScope(RunningCommand* command);
  ~WorkerScope();
  WorkerScope(const WorkerScope&) = delete;
  WorkerScope& operator=(const WorkerScope&) = delete;

 private:
  RunningCommand* before_;
};

/// Scope in which this thread reads its own outputs, to continue them: what it reads is no input.
class OwnOutputScope {
 public:
  OwnOutputScope();
  ~OwnOutputScope();
  OwnOutputScope(const OwnOutputScope&) = delete;
  OwnOutputScope& operator=(const OwnOutputScope&) = delete;
};

/// Notes that the file is an input of the running command. Every reader calls it before it reads.
/// Throws Error if the file is one of the command's claimed outputs.
void note_input(const std::string& path);

}  // namespace topograd
