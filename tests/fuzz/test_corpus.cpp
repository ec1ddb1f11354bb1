// The harnesses on the files of their corpora: what libFuzzer starts from, and what once was a
// fault.
//   test_fuzz_corpus <corpora> [<harness> [<file>...]]
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Runs a harness on files; returns how many it fails on.
int failures(const NamedHarness& harness, const std::vector<fs::path>& files) {
  int failed = 0;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    try {
      run_harness(*harness.run, bytes);
    } catch (const std::exception& error) {
      std::cerr << harness.name << ' ' << file.string() << ": " << error.what() << '\n';
      ++failed;
    }
  }
  std::cout << harness.name << ": " << files.size() << " files\n";
  return failed + (files.empty() ? 1 : 0);
}

}  // namespace

}  // namespace topograd::fuzz

int main(int count, char** words) {
  using namespace topograd::fuzz;
  if (count < 2) {
    std::cerr << "usage: test_fuzz_corpus CORPORA [HARNESS [FILE...]]\n";
    return 2;
  }
  int failed = 0, run = 0;
  for (const NamedHarness& harness : harnesses()) {
    if (count > 2 && harness.name != std::string(words[2])) continue;
    ++run;
    failed += failures(harness, count > 3 ? std::vector<fs::path>(words + 3, words + count)
                                          : files_of(fs::path(words[1]) / harness.name));
  }
  return failed == 0 && run > 0 ? 0 : 1;
}
