#include "kernels/core/atomic_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <random>

#include "kernels/core/check.h"
#include "kernels/core/file_descriptor.h"
#include "kernels/core/hash.h"
#include "kernels/core/output_claim.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

std::string random_digits() {
  std::random_device random;  // the system's, which two containers do not share
  return hex((static_cast<uint64_t>(random()) << 32) | random());
}

/// New, empty file that goes away with the object unless it is kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& beside)
      : path_(text(beside, ".tmp.", random_digits())) {
    // O_EXCL: a file or a link that somebody put there is not written to. Nothing is in it yet that
    // closing could lose.
    const FileDescriptor created(path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  }
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  void rename_to(const std::string& path) {
    if (std::rename(path_.c_str(), path.c_str()) != 0) fail_with_errno();
    path_.clear();
  }

 private:
  std::string path_;
};

/// Gives a new file the mode and the owner of the one that it replaces.
void take_over(const FileDescriptor& file, const std::string& old_path) {
  struct stat old;
  if (::stat(old_path.c_str(), &old) != 0) return;
  // Only root can give a file away; a group can be kept by its members.
  if (::fchown(file.number(), old.st_uid, old.st_gid) != 0 &&
      ::fchown(file.number(), static_cast<uid_t>(-1), old.st_gid) != 0)
    old.st_mode &= 0777;  // no set-id bits for somebody else
  if (::fchmod(file.number(), old.st_mode & 07777) != 0) fail_with_errno();
}

void replace(const OutputClaim& claim, const std::function<void(const std::string&)>& write) {
  const std::string& path = claim.place().path;
  TemporaryFile temporary(path);
  write(temporary.path());
  FileDescriptor file(temporary.path(), O_RDONLY | O_NOFOLLOW);
  if (claim.place().kind == OutputPlace::Kind::regular) take_over(file, path);
  file.sync();
  file.close();
  if (claim.replaced_by_another()) {
    const std::string kept = text(path, ".kept.", random_digits());
    temporary.rename_to(kept);
    fail("another program replaced it meanwhile; what was to be written is in ", kept);
  }
  temporary.rename_to(path);
  claim.written();
  // The rename itself survives a power cut only once the folder is on the disk too.
  FileDescriptor folder(fs::path(path).parent_path().string(), O_RDONLY | O_DIRECTORY);
  folder.sync();
  folder.close();
}

/// Scope in which a pipe that nobody reads any more is an error of write(), and does not end the
/// process.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoBrokenPipeSignal() {
    const timespec now{};
    if (!sigismember(&before_, SIGPIPE)) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

 private:
  sigset_t pipe_, before_;
};

void write_in_place(const std::string& path, const std::function<void(const std::string&)>& write) {
  // Not blocking while it is opened: a pipe without a reader is an error, and no wait.
  FileDescriptor target(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY);
  if (::fcntl(target.number(), F_SETFL, O_APPEND) != 0) fail_with_errno();
  TemporaryFile temporary((fs::temp_directory_path() / "topograd").string());
  write(temporary.path());
  std::ifstream in(temporary.path(), std::ios::binary);
  const std::string contents{std::istreambuf_iterator<char>(in), {}};
  const NoBrokenPipeSignal scope;
  target.write_all(contents);
  target.close();
}

/// Writes an output, wherever its path leads.
void write_output(const std::string& path, const std::function<void(const std::string&)>& write) {
  const OutputClaim claim(path);
  try {
    if (claim.place().kind == OutputPlace::Kind::special)
      write_in_place(path, write);
    else
      replace(claim, write);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    fail("cannot write ", path, ": ", error.what());
  }
}

}  // namespace

void write_file_atomically(const std::string& path,
                           const std::function<void(const std::string& temporary)>& write) {
  write_output(path, [&](const std::string& temporary) {
    write(temporary);
    std::error_code gone;
    require(fs::file_size(temporary, gone) > 0 && !gone, "nothing was written");
  });
}

void write_file_atomically(const std::string& path, std::string_view contents) {
  write_output(path, [&](const std::string& temporary) { write_bytes(temporary, contents); });
}

void write_bytes(const std::string& path, const std::vector<std::string_view>& parts) {
  FileDescriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  for (std::string_view part : parts) file.write_all(part);
  file.close();
}

void write_bytes(const std::string& path, std::string_view contents) {
  write_bytes(path, std::vector{contents});
}

}  // namespace topograd
