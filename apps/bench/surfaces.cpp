#include "apps/bench/surfaces.h"

#include <iostream>

#include "apps/bench/report.h"
#include "kernels/tile_conv/tile_conv.h"
#include "landscape/evaluation/evaluator.h"
#include "models/registry.h"
#include "nn/initialisation.h"

namespace topograd {

namespace {

constexpr const char* kHelp = R"(
Each round times every competitor once, in turn, so that a busy moment hits all of them alike; the
table shows the median, smallest and largest round.
Ours is the evaluation of whole points, their weights and losses included, as landscape does it.
PyTorch's figures:
  torch eager ...   inference alone on random images, in both memory layouts, at the fastest of
                    several batch sizes
  torch jit ...     the same network traced and frozen, which folds BatchNorm into the convolutions;
                    freezing, which every point needs anew, is not counted
  torch loop        a point as the field's reference implementation computes it: parameters replaced
                    one by one, a DataLoader with two workers that turns images of bytes to numbers,
                    eager inference in its batches of 128, loss and accuracy read after each
)";

/// Points of a plane through a network with random weights.
class SurfacePoints {
 public:
  SurfacePoints(const std::string& model, int64_t images)
      : graph_(build_model({.name = model, .shortcut = 'A'})),
        theta_({graph_.layout().parameter_count()}),
        states_({graph_.layout().state_count()}),
        sets_{random_images(images, graph_)} {
    initialise(graph_.layout(), 1, theta_, states_);
    planes_.push_back({direction(0), direction(1)});
  }

  /// Images a second over so many points.
  double run(int points, Precision precision, ThreadPool& pool) const {
    Evaluator evaluator({.graph = graph_,
                         .theta = theta_,
                         .running_stats = states_,
                         .planes = planes_,
                         .sets = sets_,
                         .precision = precision},
                        pool);
    evaluator.evaluate(positions(pool.threads()));  // workers are made, memory is touched
    const auto timed = positions(points);
    const double seconds = seconds_of([&] { evaluator.evaluate(timed); });
    return static_cast<double>(points * sets_[0].images.shape()[0]) / seconds;
  }

 private:
  Direction direction(uint32_t number) const {
    return random_direction(graph_.layout(), theta_, states_, 1, number);
  }
  static std::vector<PlanePosition> positions(int count) {
    std::vector<PlanePosition> result;
    for (int i = 0; i < count; ++i)
      result.push_back({static_cast<double>(i) / count, -0.5 * static_cast<double>(i) / count});
    return result;
  }

  Graph graph_;
  Tensor theta_, states_;
  std::vector<LabelledImages> sets_;
  std::vector<Directions> planes_;
};

/// Those that are asked for and that this machine computes faster than by emulation.
std::vector<Precision> precisions(const cxxopts::ParseResult& flags, Device device) {
  std::vector<Precision> result;
  for (const std::string& name : cli::words(flags["precisions"].as<std::string>())) {
    const Precision precision = precision_named(name);
    if (precision == Precision::f32 || device != Device::cpu || has_tile_unit())
      result.push_back(precision);
    else
      cli::say("bench: ", name, " left out: this processor has no tile unit");
  }
  return result;
}

int bench(const cxxopts::ParseResult& flags) {
  const int64_t images = cli::whole(flags, "images", 1, 1'000'000);
  const int points = static_cast<int>(cli::whole(flags, "points", 1, 100'000));
  const int rounds = static_cast<int>(cli::whole(flags, "rounds", 1, 1000));
  const int steps = static_cast<int>(cli::whole(flags, "steps", 1, 1000));
  ThreadPool pool = cli::pool(flags);
  std::optional<ThreadPool> one_thread;
  if (flags.count("scaling")) one_thread.emplace(1);
  const std::vector<Precision> kinds = precisions(flags, pool.device());
  TorchBench torch(flags);
  std::vector<BenchRow> rows;
  for (const std::string& model : cli::words(flags["models"].as<std::string>())) {
    const SurfacePoints ours(model, images);
    const std::vector<BenchRow> of_model = bench_rounds(model, rounds, [&] {
      BenchFigures figures;
      for (const Precision precision : kinds) {
        const std::string name = text("topograd ", name_of(precision));
        figures[name] = {ours.run(points, precision, pool), 0};
        if (one_thread)
          figures[name + ", 1 thread"] = {ours.run(points, precision, *one_thread), 0};
      }
      figures.merge(torch.run(text("inference --model ", model, " --batches ",
                                   flags["torch-batches"].as<std::string>(), " --steps ", steps,
                                   " --images ", images, " --threads ", pool.threads())));
      return figures;
    });
    rows.insert(rows.end(), of_model.begin(), of_model.end());
  }
  std::cout << "Points of a surface over " << images << " images, " << pool.threads()
            << " threads; images a second over " << rounds << " rounds of " << points
            << " points\n";
  print_table(rows);
  for (const Precision precision : kinds) {
    const std::string name = text("topograd ", name_of(precision));
    print_ratios(rows, name, "torch eager", "PyTorch's faster eager layout");
    print_ratios(rows, name, "torch jit", "PyTorch frozen");
    print_ratios(rows, name, "torch loop", "a loop as the reference's");
    print_ratios(rows, name, name + ", 1 thread", "one thread");
  }
  write_json_if_asked(flags, rows);
  return 0;
}

}  // namespace

int run_bench_surfaces(cli::Arguments& arguments) {
  cxxopts::Options options("bench surfaces",
                           "Times points of a loss surface, with PyTorch in the same run.\n");
  const auto value = [](const std::string& fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  // A line per flag, which clang-format would run together.
  // clang-format off
  options.add_options()
      ("models", "comma-separated names", value("resnet20,resnet56"))
      ("precisions", "comma-separated: f32, bf16x3, bf16", value("f32,bf16x3,bf16"))
      ("images", "images a point", value("1000"))
      ("points", "points a round", value("4"))
      ("rounds", "rounds", value("5"))
      ("scaling", "ours once more on one thread")
      ("torch-batches", "batch sizes of PyTorch's inference; the fastest counts", value("64,128,256"))
      ("steps", "timed batches of PyTorch's inference a round", value("5"))
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"));
  // clang-format on
  add_report_options(options);
  return run_bench(options, kHelp, arguments, bench);
}

}  // namespace topograd
