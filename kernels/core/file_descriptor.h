// FileDescriptor: an open file of the operating system, whose every failing call is an Error.
#pragma once

#include <string>
#include <string_view>

namespace topograd {

/// Throws Error with the system's text for errno, and what helps where something does: "No space
/// left on device: free some space or write elsewhere".
[[noreturn]] void fail_with_errno();

/// Open file descriptor, closed with the object. Every member throws Error as fail_with_errno()
/// does.
class FileDescriptor {
 public:
  /// Opens with open(2)'s flags; O_CLOEXEC is added. A file that is made has `mode`, less the
  /// umask.
  FileDescriptor(const std::string& path, int flags, unsigned mode = 0666);
  /// Takes over what a system call has just opened; a negative number is a call that failed.
  explicit FileDescriptor(int number);
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int number() const { return number_; }
  /// Writes every byte, in as many calls as the system needs.
  void write_all(std::string_view bytes) const;
  /// Empties the file.
  void truncate() const;
  /// Waits until what was written is on the disk.
  void sync() const;
  /// Closes the file, and reports what the destructor cannot.
  void close();

 private:
  int number_;
};

}  // namespace topograd
