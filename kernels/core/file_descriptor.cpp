#include "kernels/core/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Returns the result of a system call, made again where a signal interrupted it.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

void fail_with_errno() {
  const int code = errno;
  const char* hint = "";
  if (code == ENOSPC || code == EDQUOT) hint = ": free some space or write elsewhere";
  if (code == ENOENT) hint = ": make its folder first";
  if (code == ENXIO) hint = ": nobody reads that pipe";
  fail(std::strerror(code), hint);
}

FileDescriptor::FileDescriptor(const std::string& path, int flags, unsigned mode) {
  number_ = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (number_ < 0) fail_with_errno();
}

FileDescriptor::FileDescriptor(int number) : number_(number) {
  if (number_ < 0) fail_with_errno();
}

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

void FileDescriptor::write_all(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count =
        uninterrupted([&] { return ::write(number_, bytes.data(), bytes.size()); });
    if (count == 0) errno = EIO;  // a device that takes nothing would be asked for ever
    if (count <= 0) fail_with_errno();
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void FileDescriptor::truncate() const {
  if (uninterrupted([&] { return ::ftruncate(number_, 0); }) != 0) fail_with_errno();
}

void FileDescriptor::sync() const {
  // EINVAL and EROFS: a file system that has nothing to flush, which is no failure of ours.
  if (uninterrupted([&] { return ::fsync(number_); }) != 0 && errno != EINVAL && errno != EROFS)
    fail_with_errno();
}

void FileDescriptor::close() {
  const int number = std::exchange(number_, -1);
  if (::close(number) != 0 && errno != EINTR) fail_with_errno();
}

}  // namespace topograd
