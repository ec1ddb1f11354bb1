// What the benchmarks share: rounds, rows of a table, PyTorch in a process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "kernels/augment/labelled_images.h"
#include "nn/graph.h"

namespace topograd {

/// --no-torch, --python, --torch-script, --json and --help.
void add_report_options(cxxopts::Options& options);
/// Parses the arguments and runs the benchmark, or prints the options and `help`.
int run_bench(cxxopts::Options& options, const std::string& help, cli::Arguments& arguments,
              const std::function<int(const cxxopts::ParseResult&)>& bench);

/// One competitor on one network, round by round.
struct BenchRow {
  std::string model, competitor;
  std::vector<double> images_per_second;
  double peak_mib = 0;  ///< the most memory of a process that does just that; 0: not measured
};

/// What one competitor did in one round.
struct BenchFigure {
  double images_per_second = 0, peak_mib = 0;
};

/// By competitor.
using BenchFigures = std::map<std::string, BenchFigure>;

/// The rows of one network, a figure of each competitor added in each of so many rounds; `round` is
/// called once for each and says on stderr that it was.
std::vector<BenchRow> bench_rounds(const std::string& model, int rounds,
                                   const std::function<BenchFigures()>& round);

/// Median, smallest and largest round of every row.
void print_table(const std::vector<BenchRow>& rows);

/// On every network, `ours` against the faster of its competitors whose names begin with `theirs`,
/// round by round: the median of the ratios, the smallest and the largest. Nothing where there are
/// no such rows.
void print_ratios(const std::vector<BenchRow>& rows, const std::string& ours,
                  const std::string& theirs, const std::string& theirs_in_words);

/// --json: every round's figures.
void write_json_if_asked(const cxxopts::ParseResult& flags, const std::vector<BenchRow>& rows);

/// PyTorch's figures: the torch script run once with these arguments and the flags' interpreter.
/// Empty, with a line on stderr at the first time, where torch is not to be had or not wanted.
class TorchBench {
 public:
  explicit TorchBench(const cxxopts::ParseResult& flags);
  BenchFigures run(const std::string& arguments);

 private:
  bool present_;
  std::string python_, script_;
};

/// A command's standard output; an Error where it fails.
std::string output_of(const std::string& command);

/// Images of noise of the graph's size, with labels; the same every time.
LabelledImages random_images(int64_t count, const Graph& graph);

double seconds_of(const std::function<void()>& work);
double median(std::vector<double> values);

}  // namespace topograd
