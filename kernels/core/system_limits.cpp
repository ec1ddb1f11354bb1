#include "kernels/core/system_limits.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Returns the words of a file of numbers; none where it cannot be read.
std::vector<std::string> words_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// Returns a word as a number; nullopt for "max" and the like.
std::optional<double> number_in(const std::vector<std::string>& words, size_t at) {
  if (at >= words.size()) return std::nullopt;
  std::istringstream in(words[at]);
  double number;
  if (!(in >> number)) return std::nullopt;
  return number;
}

/// Folders of a controller's groups that this process is in, from its own to the root: of version
/// 2, where all controllers share a tree, or of version 1, where each has its own.
std::vector<fs::path> groups(const std::string& root, const std::string& controller) {
  std::vector<fs::path> found;
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = text(",", line.substr(first + 1, second - first - 1), ",");
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(text(",", controller, ",")) == controllers.npos) continue;
    const fs::path tree =
        text(root, "/sys/fs/cgroup", unified ? "" : "/", unified ? "" : controller);
    // In a container the path is often the host's: what is not there is looked for further up.
    for (fs::path group = fs::path(line.substr(second + 1)).relative_path();;
         group = group.parent_path()) {
      found.push_back(tree / group);
      if (group.empty()) break;
    }
  }
  return found;
}

double quota(const std::string& root) {
  double least = kInfinity;
  for (const fs::path& group : groups(root, "cpu")) {
    const auto unified = words_of(group / "cpu.max");  // "150000 100000" or "max 100000"
    auto time = number_in(unified, 0), period = number_in(unified, 1);
    if (unified.empty()) {
      time = number_in(words_of(group / "cpu.cfs_quota_us"), 0);  // -1: none
      period = number_in(words_of(group / "cpu.cfs_period_us"), 0);
    }
    if (time && period && *time > 0 && *period > 0) least = std::min(least, *time / *period);
  }
  return least;
}

double memory_left_in_groups(const std::string& root) {
  double least = kInfinity;
  for (const fs::path& group : groups(root, "memory")) {
    auto limit = number_in(words_of(group / "memory.max"), 0);
    auto used = number_in(words_of(group / "memory.current"), 0);
    if (!limit) limit = number_in(words_of(group / "memory.limit_in_bytes"), 0);
    if (!used) used = number_in(words_of(group / "memory.usage_in_bytes"), 0);
    // The page cache counts as used, and is given up for what asks for memory.
    double cache = 0;
    const std::vector<std::string> statistics = words_of(group / "memory.stat");
    for (size_t i = 0; i + 1 < statistics.size(); i += 2)
      if (statistics[i] == "inactive_file" || statistics[i] == "total_inactive_file")
        cache = std::max(cache, number_in(statistics, i + 1).value_or(0));
    if (limit) least = std::min(least, *limit - std::max(0.0, used.value_or(0) - cache));
  }
  return std::max(0.0, least);
}

double available_on_machine(const std::string& root) {
  const std::vector<std::string> words = words_of(root + "/proc/meminfo");
  for (size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i] == "MemAvailable:") return number_in(words, i + 1).value_or(0) * 1024;
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Returns what is left of the address space that `ulimit -v` leaves.
double address_space_left(const std::string& root) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kInfinity;
  const auto pages = number_in(words_of(root + "/proc/self/statm"), 0);
  return static_cast<double>(limit.rlim_cur) -
         pages.value_or(0) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

int allowed_processors(const std::string& root) {
  cpu_set_t mask;
  const int processors = ::sched_getaffinity(0, sizeof mask, &mask) == 0
                             ? CPU_COUNT(&mask)
                             : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, static_cast<int>(std::min<double>(processors, std::floor(quota(root)))));
}

double allowed_memory(const std::string& root) {
  return std::max(0.0, std::min({available_on_machine(root), memory_left_in_groups(root),
                                 address_space_left(root)}));
}

}  // namespace topograd
