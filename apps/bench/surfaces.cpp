#include "apps/bench/surfaces.h"

#include <iostream>

#include "apps/common/cli.h"
#include "kernels/tile_conv/tile_conv.h"
#include "landscape/evaluation/evaluator.h"

namespace topograd {

namespace {

constexpr const char* kHelp = R"(
Each round times every competitor once, in turn, so that a busy moment hits all of them alike; the
table shows the median, smallest and largest round.
Ours is the evaluation of whole points, their weights and losses included, as landscape does it.
The weights of a checkpoint are both sides'; others are random, each side's its own.
PyTorch's figures:
  torch eager ...   inference alone on random images, in both memory layouts, at the fastest of
                    several batch sizes
  torch jit ...     the same network traced and frozen, which folds BatchNorm into the convolutions;
                    freezing, which every point needs anew, is not counted
  torch loop        a point as the field's reference implementation computes it: parameters replaced
                    one by one, a DataLoader with two workers that turns images of bytes to numbers,
                    eager inference in its batches of 128, loss and accuracy read after each
)";

/// Points of a plane through a network.
class SurfacePoints {
 public:
  SurfacePoints(const std::string& model, int64_t images)
      : graph_(benched_graph(model)),
        weights_(benched_weights(model, graph_)),
        sets_{random_images(images, graph_)} {
    planes_.push_back({direction(0), direction(1)});
  }

  /// Returns images per second over so many points.
  double run(int points, Precision precision, ThreadPool& pool) const {
    Evaluator evaluator({.graph = graph_,
                         .theta = weights_.theta,
                         .running_stats = weights_.running_stats,
                         .planes = planes_,
                         .sets = sets_,
                         .precision = precision},
                        pool);
    evaluator.evaluate(positions(pool.threads()));  // warm-up: starts workers, touches memory
    const auto timed = positions(points);
    const double seconds = seconds_of([&] { evaluator.evaluate(timed); });
    return static_cast<double>(points * sets_[0].images.shape()[0]) / seconds;
  }

 private:
  Direction direction(uint32_t number) const {
    return random_direction(graph_.layout(), weights_.theta, weights_.running_stats, 1, number);
  }
  static std::vector<PlanePosition> positions(int count) {
    std::vector<PlanePosition> result;
    for (int i = 0; i < count; ++i)
      result.push_back({static_cast<double>(i) / count, -0.5 * static_cast<double>(i) / count});
    return result;
  }

  Graph graph_;
  ModelState weights_;
  std::vector<LabelledImages> sets_;
  std::vector<Directions> planes_;
};

/// Returns the named precisions that this machine computes faster than by emulation.
std::vector<Precision> precisions(const std::vector<std::string>& names, Device device) {
  std::vector<Precision> result;
  for (const std::string& name : names) {
    const Precision precision = precision_named(name);
    if (precision == Precision::f32 || device != Device::cpu || has_tile_unit())
      result.push_back(precision);
    else
      cli::say("bench: ", name, " left out: this processor has no tile unit");
  }
  return result;
}

}  // namespace

void SurfacesBench::add_options(cli::Options& options) {
  options.about("Times points of a loss surface, with PyTorch in the same run.").epilogue(kHelp);
  flags_.add_to(options, "timed batches of PyTorch's inference a round");
  options.group("Benchmark")
      .words("precisions", precisions_, "NAME,...", "f32, bf16x3, bf16")
      .integer("images", images_, {1, 1'000'000}, "images a point")
      .integer("points", points_, {1, 100'000}, "points a round")
      .flag("scaling", scaling_, "ours once more on one thread");
  options.group("PyTorch").text("torch-batches", torch_batches_, "N,...",
                                "batch sizes of PyTorch's inference; the fastest counts");
}

int SurfacesBench::run(const std::string&) {
  const auto pool = flags_.run.pool();
  std::optional<ThreadPool> one_thread;
  if (scaling_) one_thread.emplace(1);
  const std::vector<Precision> kinds = precisions(precisions_, pool->device());
  TorchBench torch(flags_);
  std::vector<BenchRow> rows;
  for (const std::string& model : flags_.models) {
    const SurfacePoints ours(model, images_);
    const std::vector<BenchRow> of_model = bench_rounds(model, flags_.rounds, [&] {
      BenchFigures figures;
      for (const Precision precision : kinds) {
        const std::string name = text("topograd ", name_of(precision));
        figures[name] = {ours.run(points_, precision, *pool), 0};
        if (one_thread)
          figures[name + ", 1 thread"] = {ours.run(points_, precision, *one_thread), 0};
      }
      figures.merge(
          torch.run(text("inference --model ", model, " --batches ", torch_batches_, " --steps ",
                         flags_.steps, " --images ", images_, " --threads ", pool->threads())));
      return figures;
    });
    rows.insert(rows.end(), of_model.begin(), of_model.end());
  }
  std::cout << "Points of a surface over " << images_ << " images, " << pool->threads()
            << " threads; images a second over " << flags_.rounds << " rounds of " << points_
            << " points\n";
  print_table(rows);
  for (const Precision precision : kinds) {
    const std::string name = text("topograd ", name_of(precision));
    print_ratios(rows, name, "torch eager", "PyTorch's faster eager layout");
    print_ratios(rows, name, "torch jit", "PyTorch frozen");
    print_ratios(rows, name, "torch loop", "a loop as the reference's");
    print_ratios(rows, name, name + ", 1 thread", "one thread");
  }
  write_json_if_asked(flags_, rows);
  return 0;
}

}  // namespace topograd
