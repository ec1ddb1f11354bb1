// Who may write a file, and where it leads.
#include "kernels/core/output_claim.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "kernels/core/atomic_file.h"
#include "kernels/core/thread_pool.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;
namespace fs = std::filesystem;

namespace {

/// Another process, which runs f when it is asked to; it begins before this one claims anything.
template <class F>
class OtherProcess {
 public:
  explicit OtherProcess(F f) {
    REQUIRE((::pipe(go_) == 0 && ::pipe(said_) == 0));
    if ((child_ = ::fork()) != 0) return;
    char byte;
    if (::read(go_[0], &byte, 1) != 1) _exit(1);
    const std::string message = error_of(f);
    _exit(::write(said_[1], message.data(), message.size()) < 0);
  }
  /// Runs f there; returns its message, as error_of().
  std::string run() {
    CHECK(::write(go_[1], "!", 1) == 1);
    std::string message(4096, '\0');
    message.resize(
        static_cast<size_t>(std::max<ssize_t>(0, ::read(said_[0], message.data(), 4096))));
    int status = 0;
    ::waitpid(child_, &status, 0);
    for (const int end : {go_[0], go_[1], said_[0], said_[1]}) ::close(end);
    return message;
  }

 private:
  int go_[2], said_[2];
  pid_t child_;
};

unsigned mode_of(const std::string& path) {
  struct stat info;
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != text.npos;
}

}  // namespace

TEST_CASE("output claim: one process at a time, and the second one hears who has it") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  OtherProcess claiming([&] { const OutputClaim second(path); });
  OtherProcess writing([&] { write_file_atomically(path, "theirs"); });
  OtherProcess later([&] { write_file_atomically(path, "theirs"); });
  {
    const OutputClaim claim(path);
    CHECK(claim.locked());
    const OutputClaim nested(path);
    const std::string refused = claiming.run();
    CHECK(contains(refused, path + " is being written by process " + std::to_string(::getpid())));
    CHECK(contains(refused, "choose another output"));
    CHECK(contains(writing.run(), "is being written by"));
    write_file_atomically(path, "ours");
  }
  CHECK(later.run() == "no error");
  CHECK(folder.read("a") == "theirs");
  CHECK(folder.files() == 1);
}

TEST_CASE("output claim: dies with its process, whose temporary files are swept up") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  const pid_t child = ::fork();
  if (child == 0) {
    const OutputClaim claim(path);
    write_file_atomically(path, [&](const std::string& temporary) {
      write_bytes(temporary, "half");
      ::raise(SIGKILL);
    });
    _exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  CHECK(folder.files() == 2);  // the lock, which nobody holds, and the temporary file
  folder.write("b.tmp.0123456789abcdef", "another output's");
  folder.write("a.tmp.notes", "no temporary file's name");
  write_file_atomically(path, "whole");
  CHECK(folder.read("a") == "whole");
  CHECK(folder.files() == 3);
}

TEST_CASE("output claim: a file that is read is not written, whatever it is called") {
  const TemporaryFolder folder;
  folder.write("a", "input");
  fs::create_symlink("a", folder.file("link"));
  fs::create_hard_link(folder.file("a"), folder.file("hard"));
  const std::string spellings[] = {folder.file("a"), folder.file("./a"), folder.file("link"),
                                   folder.file("hard")};
  for (const std::string& read : spellings)
    for (const std::string& written : spellings) {
      CAPTURE(read);
      CAPTURE(written);
      const InputScope scope;
      note_input(read);
      CHECK(contains(error_of([&] { write_file_atomically(written, "x"); }),
                     written + " is an input of this command"));
    }
  for (const std::string& read : spellings) {
    const InputScope scope;
    const OutputClaim claim(folder.file("link"));
    CHECK(contains(error_of([&] { note_input(read); }), "link is an input of this command"));
    const OwnOutputScope own;
    note_input(read);
  }
  CHECK(folder.read("a") == "input");
  note_input(folder.file("a"));  // no command runs
  write_file_atomically(folder.file("a"), "output");
  CHECK(folder.read("a") == "output");
}

TEST_CASE("atomic file: links are followed, modes kept") {
  const TemporaryFolder folder;
  folder.write("sub/a", "old");
  fs::create_symlink("sub/a", folder.file("link"));
  fs::create_symlink("link", folder.file("to_link"));
  REQUIRE(::chmod(folder.file("sub/a").c_str(), 0600) == 0);
  write_file_atomically(folder.file("to_link"), "new");
  CHECK(folder.read("sub/a") == "new");
  CHECK(mode_of(folder.file("sub/a")) == 0600);
  CHECK(fs::is_symlink(folder.file("link")));
  fs::create_symlink("sub/b", folder.file("dangling"));
  write_file_atomically(folder.file("dangling"), "made");
  CHECK(folder.read("sub/b") == "made");
  fs::create_symlink("loop", folder.file("loop"));
  CHECK(contains(error_of([&] { write_file_atomically(folder.file("loop"), "x"); }),
                 "symbolic links"));
}

TEST_CASE("atomic file: a temporary file that somebody planted is not written to") {
  const TemporaryFolder folder;
  folder.write("victim", "kept");
  // The name has sixteen random digits: planting a link there means watching the folder.
  write_file_atomically(folder.file("a"), [&](const std::string& temporary) {
    CHECK(temporary.size() == folder.file("a").size() + 5 + 16);
    CHECK(fs::is_regular_file(temporary));
    write_bytes(temporary, "x");
  });
  CHECK(folder.read("victim") == "kept");
}

TEST_CASE("output claim: two results of one command do not share a file, a result's parts do") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  fs::create_symlink("a", folder.file("link"));
  const auto result = [&](const std::string& name) {
    return OutputClaim(folder.file(name), OutputClaim::Use::result);
  };
  const InputScope command;
  {
    const OutputClaim first = result("a");
    const OutputClaim part(path);
    write_file_atomically(path, "x");
    CHECK(
        error_of([&] { result("a"); }) ==
        path +
            " would be written twice by this command: give each of its outputs a file of its own");
    CHECK(error_of([&] { result("link"); }) ==
          folder.file("link") + " would be written twice by this command (once as " + path +
              "): give each of its outputs a file of its own");
    OutputClaim moved = result("b");
    moved = result("c");
    CHECK(error_of([&] { result("b"); }) == "no error");
  }
  const OutputClaim part(path);
  const OutputClaim again = result("a");
  CHECK(error_of([&] { result("a"); }) != "no error");
}

TEST_CASE("output claim: commands of two threads have inputs and outputs of their own") {
  const TemporaryFolder folder;
  const std::string output = folder.file("a"), other = folder.file("b");
  folder.write("a", "of an earlier run");
  folder.write("b", "another result");
  const InputScope command;
  const OutputClaim claim(output, OutputClaim::Use::result);
  note_input(other);
  const std::string refused =
      output +
      " is being written by another computation of this process; wait for it, or choose another "
      "output";
  std::thread([&] {
    // No command yet: whatever runs in this thread, it is not that of the other.
    CHECK(error_of([&] { write_file_atomically(output, "theirs"); }) == refused);
    const InputScope theirs;
    CHECK(running_command() != nullptr);
    CHECK(error_of([&] { OutputClaim(output, OutputClaim::Use::result); }) == refused);
    note_input(output);  // whole, whenever it is read
    write_file_atomically(other, "replaced while the other has read it");
  }).join();
  CHECK(folder.read("b") == "replaced while the other has read it");
  {
    const InputScope within;  // a command that another one's observer runs
    note_input(output);
    CHECK(error_of([&] { write_file_atomically(output, "x"); }) != "no error");
  }
  write_file_atomically(output, "ours");
  CHECK(folder.read("a") == "ours");
}

TEST_CASE("output claim: what a command's threads read is its input") {
  const TemporaryFolder folder;
  const std::string read = folder.file("a"), written = folder.file("b");
  folder.write("a", "input");
  ThreadPool pool(3);
  const InputScope command;
  const OutputClaim claim(written);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  while (threads.size() < 3)  // every worker takes part some time
    pool.for_each(3, [&](int64_t, Context&) {
      note_input(read);
      const std::lock_guard lock(mutex);
      write_file_atomically(written, "by any of them");
      threads.insert(std::this_thread::get_id());
    });
  CHECK(contains(error_of([&] { write_file_atomically(read, "x"); }), "is an input"));
  std::string of_worker;
  std::thread([&, command_of_pool = running_command()] {
    const WorkerScope scope(command_of_pool.get());
    of_worker = error_of([&] { note_input(written); });
  }).join();
  CHECK(contains(of_worker, "b is an input of this command"));
  std::thread([&] { CHECK(running_command() == nullptr); }).join();
}

TEST_CASE("output claim: a child of fork() has none of its parent's") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  {
    OutputClaim claim(path);
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string said = error_of([&] { write_file_atomically(path, "the child's"); });
      const bool refused =
          contains(said, "is being written by process " + std::to_string(::getppid()));
      // What the parent holds is not let go with the child's copy of it.
      { const OutputClaim gone = std::move(claim); }
      _exit(refused ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(fs::exists(folder.file(".a.lock")));
    OtherProcess later([&] { write_file_atomically(path, "theirs"); });
    CHECK(contains(later.run(), "is being written by"));
    write_file_atomically(path, "ours");
  }
  CHECK(folder.read("a") == "ours");
  CHECK(folder.files() == 1);
}

TEST_CASE("atomic file: a pipe and a device are written in place") {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of([&] { write_file_atomically(pipe, "x"); }) ==
        "cannot write " + pipe + ": No such device or address: nobody reads that pipe");
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write_file_atomically(pipe, "through it");
  char read[32] = "";
  CHECK(::read(reader, read, sizeof read) == 10);
  CHECK(std::string(read) == "through it");
  ::close(reader);
  CHECK(fs::is_fifo(pipe));
  CHECK(folder.files() == 1);

  // A terminal of the test's own: not every system has the devices that it should.
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE((terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0));
  const std::string device = ::ptsname(terminal);
  write_file_atomically(device, "to a device");
  CHECK(::read(terminal, read, sizeof read) == 11);
  CHECK(std::string(read) == "to a device");
  ::close(terminal);
}

TEST_CASE("atomic file: what another program has put in its place stays") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  folder.write("a", "old");
  {
    const OutputClaim claim(path);
    write_file_atomically(path, "ours");
    folder.write("b", "theirs");
    fs::rename(folder.file("b"), path);
    const std::string said = error_of([&] { write_file_atomically(path, "ours again"); });
    CHECK(contains(said, "another program replaced it meanwhile"));
    const std::string kept = said.substr(said.rfind(' ') + 1);
    CHECK(folder.read(fs::path(kept).filename().string()) == "ours again");
  }
  CHECK(folder.read("a") == "theirs");
  CHECK(folder.files() == 2);
}

TEST_CASE("output claim: a lock file that cannot be written does not stay") {
  const TemporaryFolder folder;
  struct rlimit before, none;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  none = {0, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);  // as on a full disk
  const std::string said = error_of([&] { OutputClaim(folder.file("a")); });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, handler);
  CHECK(contains(said, "cannot write"));
  CHECK(folder.files() == 0);
}
