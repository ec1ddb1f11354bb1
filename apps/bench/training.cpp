#include "apps/bench/training.h"

#include <sys/resource.h>

#include <filesystem>
#include <iostream>

#include "nn/trainer.h"

namespace topograd {

namespace {

constexpr const char* kHelp = R"(
Each round times every competitor once, in turn, so that a busy moment hits all of them alike. A
round's figure is the median of its steps; the table shows the median, smallest and largest round,
and the most memory that a process doing just that takes.
PyTorch runs in its eager mode in both memory layouts, with the allocator settings that suit it.
)";

/// Our training step: forward, backward and SGD on a batch that is already in memory, as in the
/// torch script.
class TrainingStep {
 public:
  TrainingStep(const std::string& model, int64_t batch, ThreadPool& pool)
      : graph_(benched_graph(model)),
        images_(random_images(batch, graph_)),
        trainer_(graph_, config(batch), images_, pool) {}

  /// Returns the median seconds of a step.
  double run(int steps) {
    trainer_.step();
    std::vector<double> seconds;
    for (int i = 0; i < steps; ++i) seconds.push_back(seconds_of([&] { trainer_.step(); }));
    return median(seconds);
  }

 private:
  static TrainingConfig config(int64_t batch) {
    TrainingConfig config;
    config.epochs = 1'000'000;
    config.batch_size = batch;
    config.schedule.kind = ScheduleKind::constant;
    config.schedule.base = 0.01;
    return config;
  }

  Graph graph_;
  LabelledImages images_;
  Trainer trainer_;
};

/// Returns the peak memory of a separate process that takes two of our steps.
double our_peak_mib(const std::string& model, int64_t batch, int threads) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  return std::stod(output_of(text("'", self, "' training --peak-of ", model, " --batch-size ",
                                  batch, " --device cpu --threads ", threads)));
}

int print_peak(const std::string& model, int64_t batch, ThreadPool& pool) {
  TrainingStep(model, batch, pool).run(1);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::cout << static_cast<double>(usage.ru_maxrss) / 1024 << '\n';
  return 0;
}

}  // namespace

void TrainingBench::add_options(cli::Options& options) {
  options.about("Times training steps, with PyTorch in the same run.").epilogue(kHelp);
  flags_.add_to(options, "timed steps of a round");
  options.group("Benchmark")
      .integer("batch-size", batch_, {1, 65536}, "images a step")
      .text("peak-of", peak_of_, "NAME",
            "print the peak of memory, in MiB, of training this network, and stop");
}

int TrainingBench::run(const std::string&) {
  const auto pool = flags_.run.pool();
  if (peak_of_) return print_peak(*peak_of_, batch_, *pool);
  TorchBench torch(flags_);
  std::vector<BenchRow> rows;
  for (const std::string& model : flags_.models) {
    const bool on_cpu = pool->device() == Device::cpu;
    const double peak = on_cpu ? our_peak_mib(model, batch_, pool->threads()) : 0;
    TrainingStep ours(model, batch_, *pool);
    const std::vector<BenchRow> of_model = bench_rounds(model, flags_.rounds, [&] {
      BenchFigures figures =
          torch.run(text("training --model ", model, " --batch ", batch_, " --steps ", flags_.steps,
                         " --threads ", pool->threads()));
      figures["topograd"] = {static_cast<double>(batch_) / ours.run(flags_.steps), peak};
      return figures;
    });
    rows.insert(rows.end(), of_model.begin(), of_model.end());
  }
  std::cout << "Training step, batch " << batch_ << ", " << pool->threads()
            << " threads; images a second over " << flags_.rounds << " rounds of " << flags_.steps
            << " steps\n";
  print_table(rows);
  print_ratios(rows, "topograd", "torch", "PyTorch's faster layout");
  write_json_if_asked(flags_, rows);
  return 0;
}

}  // namespace topograd
