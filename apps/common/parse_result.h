// Options read one by one from what cxxopts parsed, by commands whose options are not bound to
// settings (apps/common/options.h).
#pragma once

// cxxopts' own parser: <regex> costs each program that includes it ten seconds of compiling with
// the sanitizers. It needs <cstring> and includes none.
#define CXXOPTS_NO_REGEX
#include <cstring>

#include <cxxopts.hpp>

#include <string>
#include <utility>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "kernels/core/version.h"
#include "kernels/softmax_xent/softmax_xent.h"

namespace topograd::cli {

/// argv with every long flag's underscores turned to hyphens, so that --dir_file is --dir-file: the
/// spellings of the field's older tools work as they are. --x and --y are --x-axis and --y-axis.
class Arguments {
 public:
  Arguments(int argc, char** argv);
  int argc() const { return static_cast<int>(pointers_.size()); }
  char** argv() { return pointers_.data(); }
  /// The command as it was typed.
  const std::string& command() const { return command_; }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
  std::string command_;
};

/// The options below are declared as strings and read here: cxxopts takes "0.1x" for 0.1, and its
/// message about "nan" does not say whose value that is.

/// An option's text, or `fallback` where it was not given.
std::string text_of(const cxxopts::ParseResult& flags, const std::string& option,
                    const std::string& fallback = {});
/// A whole number in [low, high]; anything else is an Error that names the option.
int64_t whole(const cxxopts::ParseResult& flags, const std::string& option, int64_t low,
              int64_t high);
/// A finite number in [low, high].
double real(const cxxopts::ParseResult& flags, const std::string& option, double low, double high);
/// --seed, or another option that is one: any number of 64 bits without sign.
uint64_t seed(const cxxopts::ParseResult& flags, const std::string& option = "seed");
/// --loss: cross_entropy (or crossentropy, as the field's older tools spell it) or mse.
LossKind loss(const cxxopts::ParseResult& flags);

/// The words between a list's commas; none of an empty list.
std::vector<std::string> words(const std::string& list);

/// What --device chose: cpu, cuda or simt; auto is cuda where a GPU can be used, else cpu. An Error
/// where the device is not there. Declared by both programs as kDeviceHelp says.
Device device(const cxxopts::ParseResult& flags);
constexpr const char* kDeviceHelp =
    "cpu, cuda (an NVIDIA GPU), simt (the GPU's kernels, emulated), or auto: cuda where there is "
    "one";

/// The threads, or the one that drives the device, of --device and --threads; --threads 0 is
/// `all_threads`, where that is 0 one per processor.
ThreadPool pool(const cxxopts::ParseResult& flags, int all_threads = 0);

/// Every --impl op=name as {op, name}.
std::vector<std::pair<std::string, std::string>> forced_implementations(
    const cxxopts::ParseResult& flags);
/// Applies them.
void force_implementations(const cxxopts::ParseResult& flags, ThreadPool& pool);

}  // namespace topograd::cli
