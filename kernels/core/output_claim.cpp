#include "kernels/core/output_claim.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "kernels/core/check.h"
#include "kernels/core/file_descriptor.h"
#include "kernels/core/format.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// A file as the system knows it, whatever its names.
struct Identity {
  dev_t device;
  ino_t inode;
  bool operator==(const Identity&) const = default;
};

/// What tells one state of a file from another.
struct State {
  Identity identity;
  off_t size;
  time_t seconds;
  long nanoseconds;
  bool operator==(const State&) const = default;
};

/// Returns the state of a regular file; nullopt where there is none.
std::optional<State> state_of(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return State{{info.st_dev, info.st_ino}, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

struct Input {
  Identity identity;
  std::string path;
};

/// Who writes what, in this process.
struct Register {
  Register();

  std::mutex mutex;                                         // also of commands' inputs
  std::map<std::string, std::weak_ptr<HeldOutput>> claims;  // by the place that they lead to
};

void require_other(const std::string& output, const Identity& identity, const Input& input) {
  if (!(identity == input.identity)) return;
  // An input that is gone may have left its number to a new file.
  const auto still = state_of(input.path);
  require(!still || !(still->identity == identity), output, " is an input of this command",
          input.path == output ? "" : " (" + input.path + ")", ": choose another output");
}

Register& the_register() {
  static Register instance;
  return instance;
}

thread_local int own_output_scopes = 0;
thread_local RunningCommand* command_of_thread = nullptr;

constexpr size_t kLongestHolder = 200;  // characters

/// Returns the command line of this process.
std::string command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string words{std::istreambuf_iterator<char>(in), {}};
  while (!words.empty() && words.back() == '\0') words.pop_back();
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

/// Returns what a lock file says of the process that holds it.
std::string holder_of(const std::string& lock_file) {
  std::string words(kLongestHolder, '\0');
  std::ifstream in(lock_file, std::ios::binary);
  in.read(words.data(), static_cast<std::streamsize>(words.size()));
  words.resize(static_cast<size_t>(in.gcount()));
  words = printable(words.substr(0, words.find('\n')));
  return words.empty() ? "another process" : words;
}

std::string own_name() {
  char host[HOST_NAME_MAX + 1] = "";
  ::gethostname(host, sizeof host - 1);
  return text("process ", ::getpid(), " on ", host, ": ", command_line());
}

enum class Lock { taken, held_by_another, unknown_to_file_system };

Lock try_to_lock(int descriptor) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  // A lock of the open file, not of the process: it is not lost when something else closes the same
  // file.
  if (::fcntl(descriptor, F_OFD_SETLK, &whole) == 0) return Lock::taken;
  if (errno == EAGAIN || errno == EACCES) return Lock::held_by_another;
  if (errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS)
    return Lock::unknown_to_file_system;
  fail_with_errno();
}

/// Returns whether the name still leads to the open file: its holder removes a lock file when it is
/// done.
bool is_still(const std::string& path, int descriptor) {
  struct stat open, named;
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino && S_ISREG(open.st_mode);
}

/// What came of locking an output.
struct Locking {
  std::optional<FileDescriptor> file;  ///< none: the file system knows no locks
  std::string holder;                  ///< not empty: who has it
};

/// Locks `lock_file`, and writes into it who does.
Locking lock(const std::string& lock_file) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    FileDescriptor file(lock_file, O_RDWR | O_CREAT | O_NOFOLLOW);
    const Lock outcome = try_to_lock(file.number());
    if (outcome == Lock::unknown_to_file_system) {
      ::unlink(lock_file.c_str());
      return {};
    }
    if (outcome == Lock::held_by_another) return {std::nullopt, holder_of(lock_file)};
    if (!is_still(lock_file, file.number())) continue;
    try {
      file.truncate();
      file.write_all(own_name() + "\n");
    } catch (...) {
      ::unlink(lock_file.c_str());
      throw;
    }
    return {std::move(file), ""};
  }
  fail(lock_file, " is no lock file: remove it");
}

/// Calls f, and puts before its Error's text which file cannot be written.
template <class F>
auto writing(const std::string& path, F f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    fail("cannot write ", path, ": ", error.what());
  }
}

bool is_temporary_of(const std::string& name, const std::string& output_name) {
  const std::string prefix = output_name + ".tmp.";
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         name.find_first_not_of("0123456789abcdef", prefix.size()) == name.npos;
}

/// Removes temporary files that killed writers of the output left.
void sweep(const fs::path& output) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(output.parent_path(), ignored))
    if (is_temporary_of(entry.path().filename().string(), output.filename().string()) &&
        entry.symlink_status(ignored).type() == fs::file_type::regular)
      fs::remove(entry.path(), ignored);
}

/// Returns whether a path goes through the process's open files: /dev/stdout, /dev/fd/3,
/// /proc/self/fd/3.
bool is_open_file(fs::path path) {
  for (int links = 0; links < 40; ++links) {
    if (fs::absolute(path).lexically_normal().string().starts_with("/proc/")) return true;
    std::error_code error;
    if (!fs::is_symlink(path, error)) return false;
    const fs::path target = fs::read_symlink(path, error);
    if (error) return false;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return false;
}

/// Returns the file that a chain of links ends at, which is not there.
fs::path end_of_links(fs::path path) {
  for (int links = 0; links < 40; ++links) {
    std::error_code error;
    if (!fs::is_symlink(path, error)) return path;
    const fs::path target = fs::read_symlink(path);
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  errno = ELOOP;
  fail_with_errno();
}

}  // namespace

OutputPlace output_place(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      errno = EISDIR;
      fail_with_errno();
    }
    if (!S_ISREG(info.st_mode) || is_open_file(path)) return {path, OutputPlace::Kind::special};
    return {fs::canonical(path).string(), OutputPlace::Kind::regular};
  }
  if (errno != ENOENT) fail_with_errno();
  const fs::path file = end_of_links(path);
  std::error_code error;
  const fs::path folder = fs::canonical(file.has_parent_path() ? file.parent_path() : ".", error);
  if (error || !file.has_filename()) {
    errno = error ? error.value() : ENOENT;
    fail_with_errno();
  }
  return {(folder / file.filename()).string(), OutputPlace::Kind::absent};
}

struct RunningCommand : std::enable_shared_from_this<RunningCommand> {
  std::vector<Input> inputs;
};

/// What the nested claims of one output share.
struct HeldOutput {
  std::shared_ptr<RunningCommand> command;
  std::string name;  // as it was typed
  OutputPlace place;
  std::string lock_file;
  std::optional<FileDescriptor> lock;
  std::optional<State> seen;  // the file when this process last looked
  bool is_result = false;     // of a claim that is alive

  ~HeldOutput() {
    if (!lock) return;
    ::unlink(
        lock_file.c_str());  // before the lock goes: whoever gets it next makes a file of its own
  }
};

namespace {

Register::Register() {
  // A child of fork() finds the register whole. It holds none of the locks: its parent does, and
  // removes their files.
  static Register* const all = this;
  ::pthread_atfork([] { all->mutex.lock(); }, [] { all->mutex.unlock(); },
                   [] {
                     for (const auto& [place, claim] : all->claims)
                       if (const auto held = claim.lock()) held->lock.reset();
                     all->claims.clear();
                     all->mutex.unlock();
                   });
}

}  // namespace

std::shared_ptr<RunningCommand> running_command() {
  return command_of_thread ? command_of_thread->shared_from_this() : nullptr;
}

OutputClaim::OutputClaim(const std::string& path, Use use) : is_result_(use == Use::result) {
  const OutputPlace place = writing(path, [&] { return output_place(path); });
  Register& all = the_register();
  const std::lock_guard guard(all.mutex);
  RunningCommand* const command = command_of_thread;
  if (const auto state = state_of(place.path);
      command && state && place.kind == OutputPlace::Kind::regular)
    for (const Input& input : command->inputs) require_other(path, state->identity, input);
  std::weak_ptr<HeldOutput>& known = all.claims[place.path];
  if (auto held = known.lock()) {
    const bool twice = is_result_ && held->is_result;
    // Without commands nobody knows whether two threads do one thing.
    require(held->command.get() == command && (command || !twice), path,
            " is being written by another computation of this process; wait for it, or choose "
            "another output");
    require(!twice, path, " would be written twice by this command",
            held->name == path ? "" : " (once as " + held->name + ")",
            ": give each of its outputs a file of its own");
    held->is_result = held->is_result || is_result_;
    held_ = std::move(held);
    return;
  }
  auto held = std::make_shared<HeldOutput>();
  held->command = running_command();
  held->is_result = is_result_;
  held->name = path;
  held->place = place;
  if (place.kind != OutputPlace::Kind::special) {
    const fs::path file = place.path;
    held->lock_file = (file.parent_path() / text(".", file.filename().string(), ".lock")).string();
    Locking locking = writing(path, [&] { return lock(held->lock_file); });
    require(locking.holder.empty(), path, " is being written by ", locking.holder,
            "; wait for it, or choose another output");
    held->lock = std::move(locking.file);
    if (held->lock) sweep(file);
    held->seen = state_of(place.path);
  }
  known = held;
  held_ = std::move(held);
}

OutputClaim::~OutputClaim() {
  const std::lock_guard guard(the_register().mutex);
  if (held_ && is_result_) held_->is_result = false;
  held_.reset();
}

OutputClaim::OutputClaim(OutputClaim&& other) noexcept
    : held_(std::move(other.held_)), is_result_(other.is_result_) {}

OutputClaim& OutputClaim::operator=(OutputClaim&& other) noexcept {
  std::swap(held_, other.held_);
  std::swap(is_result_, other.is_result_);
  return *this;
}

bool OutputClaim::locked() const {
  return held_->lock.has_value();
}
const OutputPlace& OutputClaim::place() const {
  return held_->place;
}

bool OutputClaim::replaced_by_another() const {
  const auto now = state_of(held_->place.path);
  return now && now != held_->seen;
}

void OutputClaim::written() const {
  held_->seen = state_of(held_->place.path);
  held_->place.kind = OutputPlace::Kind::regular;
}

InputScope::InputScope()
    : command_(std::make_shared<RunningCommand>()),
      before_(std::exchange(command_of_thread, command_.get())) {}
InputScope::~InputScope() {
  command_of_thread = before_;
}

WorkerScope::WorkerScope(RunningCommand* command)
    : before_(std::exchange(command_of_thread, command)) {}
WorkerScope::~WorkerScope() {
  command_of_thread = before_;
}

OwnOutputScope::OwnOutputScope() {
  ++own_output_scopes;
}
OwnOutputScope::~OwnOutputScope() {
  --own_output_scopes;
}

void note_input(const std::string& path) {
  RunningCommand* const command = command_of_thread;
  if (!command || own_output_scopes > 0) return;
  const auto state = state_of(path);
  if (!state) return;  // what is not there, and what is no file, cannot be replaced by an output
  Register& all = the_register();
  const std::lock_guard guard(all.mutex);
  const Input input{state->identity, path};
  for (const auto& [place, claim] : all.claims)
    if (const auto held = claim.lock(); held && held->command.get() == command)
      if (const auto output = state_of(place)) require_other(held->name, output->identity, input);
  const auto same = [&](const Input& other) { return other.identity == input.identity; };
  std::vector<Input>& inputs = command->inputs;
  if (std::none_of(inputs.begin(), inputs.end(), same)) inputs.push_back(input);
}

}  // namespace topograd
