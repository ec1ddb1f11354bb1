// A library for LD_PRELOAD that makes a system call of a program fail, or an allocation of C++'s.
//
//   FAULT_AT=k        the k-th of them, from 1, counted from main() on
//   FAULT_HOW=        EIO, ENOSPC, ...: calls that concern files in FAULT_FOLDER fail so
//                     EINTR: likewise, of those that may be interrupted: open, write, fsync, close
//                     short: a write of more than one byte writes half of them
//                     memory: operator new throws std::bad_alloc
//   FAULT_FOR_EVER=1  and all that come after it
//   FAULT_REPORT      file that then says which call it was, and at the end how many there were
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <new>

namespace {

enum class How { nothing, error, interruption, short_write, memory };

struct Errors {
  const char* name;
  int number;
};
constexpr Errors kErrors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
                              {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"EDQUOT", EDQUOT}};

How how = How::nothing;
int error_number = 0;
int64_t fail_at = 0;
bool for_ever = false;
const char* watched_folder = "";
const char* report_file = nullptr;
std::atomic<int64_t> counted{0};
std::atomic<bool> counting{false};

/// What the report needs is made by system calls alone: the library's own functions are under test.
void report(const char* call, const char* path) {
  if (!report_file) return;
  char line[4400];
  const int size = snprintf(line, sizeof line, "%s %.4096s\n", call, path);
  const long file = syscall(SYS_openat, AT_FDCWD, report_file, O_WRONLY | O_CREAT | O_APPEND, 0666);
  syscall(SYS_write, file, line, static_cast<size_t>(size));
  syscall(SYS_close, file);
}

/// Counts a call; returns whether it has to fail.
bool due(const char* call, const char* path) {
  const int64_t number = ++counted;
  if (number != fail_at && !(for_ever && number > fail_at)) return false;
  if (number == fail_at) report(call, path);
  return true;
}

bool in_folder(const char* path) {
  char resolved[8400];
  if (path[0] != '/') {
    char here[4200];
    if (!getcwd(here, sizeof here)) return false;
    snprintf(resolved, sizeof resolved, "%s/%.4096s", here, path);
    path = resolved;
  }
  return strncmp(path, watched_folder, strlen(watched_folder)) == 0;
}

/// Puts a descriptor's path where the caller has room for it.
const char* path_of(int descriptor, char (&path)[4200]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  path[size > 0 ? size : 0] = '\0';
  return path;
}

/// Returns whether a call would find no room on a full disk.
bool needs_room(const char* call) {
  return strcmp(call, "unlink") != 0 && strcmp(call, "close") != 0 && strcmp(call, "fclose") != 0;
}

bool fails(const char* call, const char* path, bool can_be_interrupted) {
  if (error_number == ENOSPC && !needs_room(call)) return false;
  if (!counting || (how != How::error && !(how == How::interruption && can_be_interrupted)))
    return false;
  if (!in_folder(path) || !due(call, path)) return false;
  errno = error_number;
  return true;
}

bool fails(const char* call, int descriptor, bool can_be_interrupted) {
  if (!counting || (how != How::error && how != How::interruption)) return false;
  char path[4200];
  return fails(call, path_of(descriptor, path), can_be_interrupted);
}

/// Returns how many bytes a write of `size` is to write.
size_t shortened(int descriptor, size_t size) {
  if (!counting || how != How::short_write || size < 2) return size;
  char path[4200];
  return in_folder(path_of(descriptor, path)) && due("write", path) ? size / 2 : size;
}

bool no_memory() {
  return counting && how == How::memory && due("new", "");
}

template <class F>
F* next(const char* name, F*) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

void read_settings() {
  const char* at = getenv("FAULT_AT");
  const char* name = getenv("FAULT_HOW");
  if (!at || !name) return;
  fail_at = atoll(at);
  for_ever = getenv("FAULT_FOR_EVER") != nullptr;
  report_file = getenv("FAULT_REPORT");
  if (const char* folder = getenv("FAULT_FOLDER")) watched_folder = folder;
  for (const Errors& error : kErrors)
    if (strcmp(name, error.name) == 0) error_number = error.number;
  how = strcmp(name, "memory") == 0  ? How::memory
        : strcmp(name, "short") == 0 ? How::short_write
        : error_number == EINTR      ? How::interruption
                                     : How::error;
}

int (*program)(int, char**, char**);

int counted_main(int count, char** words, char** environment) {
  counting = true;
  const int status = program(count, words, environment);
  counting = false;
  char number[32];
  snprintf(number, sizeof number, "%lld", static_cast<long long>(counted));
  report("counted", number);
  return status;
}

}  // namespace

// Names that take the place of the system's have to be seen, whatever the build hides.
#pragma GCC visibility push(default)

extern "C" {

int __libc_start_main(int (*main)(int, char**, char**), int count, char** words, void (*init)(),
                      void (*fini)(), void (*loader_fini)(), void* stack) {
  read_settings();
  program = main;
  using Start =
      int(int (*)(int, char**, char**), int, char**, void (*)(), void (*)(), void (*)(), void*);
  auto* start = reinterpret_cast<Start*>(dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(counted_main, count, words, init, fini, loader_fini, stack);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  if (fails("open", path, true)) return -1;
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open(path, flags | O_LARGEFILE, mode);
}
FILE* fopen(const char* path, const char* mode) {
  if (fails("fopen", path, false)) return nullptr;
  static auto* real = next("fopen", &fopen);
  return real(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  return fopen(path, mode);
}
int fclose(FILE* file) {
  const bool failing = fails("fclose", fileno(file), false);
  const int error = errno;
  static auto* real = next("fclose", &fclose);
  const int result = real(file);
  if (!failing) return result;
  errno = error;
  return EOF;
}
int close(int descriptor) {
  const bool failing = fails("close", descriptor, true);
  const int error = errno;
  const long result = syscall(SYS_close, descriptor);  // closed in any case, as Linux does
  if (!failing) return static_cast<int>(result);
  errno = error;
  return -1;
}
ssize_t write(int descriptor, const void* bytes, size_t size) {
  if (fails("write", descriptor, true)) return -1;
  return syscall(SYS_write, descriptor, bytes, shortened(descriptor, size));
}
ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
  if (fails("pwrite", descriptor, true)) return -1;
  return syscall(SYS_pwrite64, descriptor, bytes, shortened(descriptor, size), at);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) {
  return pwrite(descriptor, bytes, size, at);
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  if (fails("writev", descriptor, true)) return -1;
  if (count > 0 && shortened(descriptor, parts[0].iov_len) != parts[0].iov_len)
    return syscall(SYS_write, descriptor, parts[0].iov_base, parts[0].iov_len / 2);
  return syscall(SYS_writev, descriptor, parts, count);
}
int fsync(int descriptor) {
  if (fails("fsync", descriptor, true)) return -1;
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}
int fdatasync(int descriptor) {
  if (fails("fdatasync", descriptor, true)) return -1;
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}
int ftruncate(int descriptor, off_t size) {
  if (fails("ftruncate", descriptor, true)) return -1;
  return static_cast<int>(syscall(SYS_ftruncate, descriptor, size));
}
int ftruncate64(int descriptor, off64_t size) {
  return ftruncate(descriptor, size);
}
int rename(const char* from, const char* to) {
  if (fails("rename", to, false)) return -1;
  return static_cast<int>(syscall(SYS_rename, from, to));
}
int unlink(const char* path) {
  if (fails("unlink", path, false)) return -1;
  return static_cast<int>(syscall(SYS_unlink, path));
}
int mkdir(const char* path, mode_t mode) {
  if (fails("mkdir", path, false)) return -1;
  return static_cast<int>(syscall(SYS_mkdir, path, mode));
}
int fchmod(int descriptor, mode_t mode) {
  if (fails("fchmod", descriptor, false)) return -1;
  return static_cast<int>(syscall(SYS_fchmod, descriptor, mode));
}
void* mmap(void* place, size_t size, int access, int flags, int descriptor, off_t at) {
  if (descriptor >= 0 && fails("mmap", descriptor, false)) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, place, size, access, flags, descriptor, at));
}
void* mmap64(void* place, size_t size, int access, int flags, int descriptor, off64_t at) {
  return mmap(place, size, access, flags, descriptor, at);
}

}  // extern "C"

// What C++ allocates. C's libraries have their own ways to fail then: HDF5's is a crash.
void* operator new(size_t size) {
  void* found = no_memory() ? nullptr : malloc(size ? size : 1);
  if (!found) throw std::bad_alloc();
  return found;
}
void* operator new(size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<size_t>(alignment);
  void* found = no_memory() ? nullptr : aligned_alloc(unit, (size + unit - 1) / unit * unit);
  if (!found) throw std::bad_alloc();
  return found;
}

#pragma GCC visibility pop
