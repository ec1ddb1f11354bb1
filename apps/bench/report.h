// What the benchmarks share: rounds, rows of a table, PyTorch in a process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/common/run_flags.h"
#include "kernels/augment/labelled_images.h"
#include "nn/graph.h"

namespace topograd {

/// Options of every benchmark: networks, rounds, PyTorch, where our side computes.
struct BenchFlags {
  std::vector<std::string> models = {"resnet20", "resnet56"};
  int rounds = 5;
  int steps;  ///< steps timed in a round
  bool no_torch = false;
  std::string module;  ///< program of PyTorch's that makes the network of a file
  std::string python = "/usr/bin/python3";
  std::string torch_script;
  std::optional<std::string> json;  ///< file for every round's figures
  cli::RunFlags run;

  explicit BenchFlags(int steps);
  /// Declares --models, --rounds, --steps, the options of RunFlags, --module, --no-torch, --python,
  /// --torch-script and --json; `steps_help` says what a step is.
  void add_to(cli::Options& options, const std::string& steps_help);
};

/// Returns a network of the zoo, ResNets with option A, or that of a file: a graph, or a
/// checkpoint.
Graph benched_graph(const std::string& model);

/// Returns the weights that it is timed with: a checkpoint's own, as PyTorch's side has them too,
/// or random ones. Numbers too large or too small slow some operations, so both sides' should be
/// one.
ModelState benched_weights(const std::string& model, const Graph& graph);

/// Figures of one competitor on one network, round by round.
struct BenchRow {
  std::string model, competitor;
  std::vector<double> images_per_second;
  double peak_mib = 0;  ///< peak memory of a process that does only this; 0: not measured
};

/// Figures of one competitor in one round.
struct BenchFigure {
  double images_per_second = 0, peak_mib = 0;
};

/// Figures of one round by competitor.
using BenchFigures = std::map<std::string, BenchFigure>;

/// Calls `round` `rounds` times, with a line on stderr each; returns the rows of one network with a
/// figure of each competitor per round.
std::vector<BenchRow> bench_rounds(const std::string& model, int rounds,
                                   const std::function<BenchFigures()>& round);

/// Prints median, smallest and largest round of every row.
void print_table(const std::vector<BenchRow>& rows);

/// Prints, for every network, the ratio of `ours` to the fastest competitor whose name begins with
/// `theirs`, round by round: median, smallest and largest. Prints nothing where there are no such
/// rows.
void print_ratios(const std::vector<BenchRow>& rows, const std::string& ours,
                  const std::string& theirs, const std::string& theirs_in_words);

/// Writes every round's figures to --json, if given.
void write_json_if_asked(const BenchFlags& flags, const std::vector<BenchRow>& rows);

/// Times PyTorch by running a script. Without PyTorch, or with --no-torch, there are no figures;
/// the constructor says so on stderr.
class TorchBench {
 public:
  explicit TorchBench(const BenchFlags& flags);
  /// Runs the script once with these arguments.
  BenchFigures run(const std::string& arguments);

 private:
  bool present_;
  std::string python_, script_, module_;
};

/// Returns a command's standard output. Throws Error if it fails.
std::string output_of(const std::string& command);

/// Makes labelled images of noise, of the graph's size; deterministic.
LabelledImages random_images(int64_t count, const Graph& graph);

double seconds_of(const std::function<void()>& work);
double median(std::vector<double> values);

}  // namespace topograd
