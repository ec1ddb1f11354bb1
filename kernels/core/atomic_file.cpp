#include "kernels/core/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "kernels/core/check.h"

namespace topograd {

namespace {

[[noreturn]] void fail_with_errno() {
  const int code = errno;
  const char* hint = "";
  if (code == ENOSPC || code == EDQUOT) hint = ": free some space or write elsewhere";
  if (code == ENOENT) hint = ": make its folder first";
  fail(std::strerror(code), hint);
}

/// An open file descriptor. close() reports what the destructor cannot.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags, 0666)) {
    if (fd_ < 0) fail_with_errno();
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail_with_errno();
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  void sync() const {
    // EINVAL and EROFS: a file system that has nothing to flush, which is no failure of ours.
    if (::fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) fail_with_errno();
  }
  void close() {
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0 && errno != EINTR) fail_with_errno();
  }

 private:
  int fd_;
};

void sync(const std::string& path, int flags) {
  Descriptor descriptor(path, flags);
  descriptor.sync();
  descriptor.close();
}

void write_and_rename(const std::string& path, const std::string& temporary,
                      const std::function<void(const std::string&)>& write) {
  write(temporary);
  sync(temporary, O_RDONLY | O_CLOEXEC);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail_with_errno();
  // The rename itself survives a power cut only once the folder is on the disk too.
  const std::string folder = std::filesystem::path(path).parent_path().string();
  sync(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace

void write_file_atomically(const std::string& path,
                           const std::function<void(const std::string& temporary)>& write) {
  const std::string temporary = text(path, ".tmp.", ::getpid());
  try {
    write_and_rename(path, temporary, write);
  } catch (const std::exception& error) {
    std::remove(temporary.c_str());
    fail("cannot write ", path, ": ", error.what());
  } catch (...) {
    std::remove(temporary.c_str());
    throw;
  }
}

void write_file_atomically(const std::string& path, std::string_view contents) {
  write_file_atomically(path,
                        [&](const std::string& temporary) { write_bytes(temporary, contents); });
}

void write_bytes(const std::string& path, const std::vector<std::string_view>& parts) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  for (std::string_view part : parts) file.write_all(part);
  file.close();
}

void write_bytes(const std::string& path, std::string_view contents) {
  write_bytes(path, std::vector{contents});
}

}  // namespace topograd
