// Containers' limits, as the kernel shows them in files.
#include "kernels/core/system_limits.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/core/thread_pool.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WITH_SANITIZER 1
#elif defined(__has_feature)
#define WITH_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define WITH_SANITIZER 0
#endif

namespace {

constexpr double kGiB = 1 << 30;

}  // namespace

TEST_CASE("system limits: version 2's groups, the tightest on the way up") {
  const TemporaryFolder root;
  const std::string groups = "sys/fs/cgroup/";
  root.write("proc/self/cgroup", "0::/slice/job\n");
  root.write("proc/meminfo", "MemTotal: 99 kB\nMemAvailable:   8388608 kB\n");
  root.write(groups + "slice/job/cpu.max", "max 100000\n");
  CHECK(allowed_memory(root.path()) == 8 * kGiB);
  const int all = allowed_processors(root.path());
  root.write(groups + "slice/cpu.max", "150000 100000\n");
  CHECK(allowed_processors(root.path()) == 1);
  root.write(groups + "slice/cpu.max", "6400000 100000\n");
  CHECK(allowed_processors(root.path()) == all);
  root.write(groups + "slice/job/cpu.max", "20000 100000\n");
  CHECK(allowed_processors(root.path()) == 1);
  root.write(groups + "slice/job/memory.max", "max\n");
  root.write(groups + "slice/memory.max", "2147483648\n");
  root.write(groups + "slice/memory.current", "1610612736\n");
  CHECK(allowed_memory(root.path()) == 0.5 * kGiB);
  root.write(groups + "slice/memory.stat", "anon 7\ninactive_file 536870912\n");
  CHECK(allowed_memory(root.path()) == 1 * kGiB);
}

TEST_CASE("system limits: version 1's trees, and a path that a container does not show") {
  const TemporaryFolder root;
  root.write("proc/self/cgroup", "5:memory:/docker/0123\n4:cpu,cpuacct:/docker/0123\n0::/\n");
  root.write("proc/meminfo", "MemAvailable: 8388608 kB\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  const int all = allowed_processors(root.path());
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  CHECK(all >= 1);
  CHECK(allowed_processors(root.path()) == 1);
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "943718400\n");
  root.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "104857600\n");
  CHECK(allowed_memory(root.path()) == 838860800);
}

TEST_CASE("thread pool: threads that cannot be started are an error that names --threads") {
  if (WITH_SANITIZER) return;  // whose own memory is beyond any such limit
  const pid_t child = ::fork();
  if (child == 0) {
    // As `ulimit -v`: a thread's stack of 8 MiB finds no room.
    const rlimit little{size_t{1} << 30, size_t{1} << 30};
    ::setrlimit(RLIMIT_AS, &little);
    const std::string said = error_of([] { ThreadPool pool(4000); });
    _exit(said.find("--threads") == said.npos ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}
