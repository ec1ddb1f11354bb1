// bench: times training steps and inference, PyTorch beside them in the same run.
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "apps/cli.h"
#include "apps/progress.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/philox.h"
#include "models/registry.h"
#include "nn/trainer.h"

using namespace topograd;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr const char* kHelp = R"(
Each round times every competitor once, in turn, so that a busy moment hits all of them alike. A
round's figure is the median of its steps; the table shows the median, smallest and largest round, and the
most memory that a process doing just that takes.
PyTorch runs in its eager mode in both memory layouts, with the allocator settings that suit it
(apps/bench_torch.py); without python3-torch it is left out and said to be.
)";

double seconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/// Ours: forward, backward and SGD on a batch that is already in memory, as the torch script does.
class TrainingStep {
 public:
  TrainingStep(const std::string& model, int64_t batch, ThreadPool& pool)
      : graph_(build_model({.name = model, .shortcut = 'A'})),
        images_(random_images(batch, graph_)),
        trainer_(graph_, config(batch), images_, pool) {}

  /// Median seconds of a step.
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
  static LabelledImages random_images(int64_t count, const Graph& graph) {
    const Shape& s = graph.image_shape();
    LabelledImages images{Tensor({count, s[0], s[1], s[2]}, DType::u8),
                          Tensor({count}, DType::i32),
                          {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}}};
    const Philox random(1, RandomStream::test);
    for (int64_t i = 0; i < images.images.size(); ++i)
      images.images.data<uint8_t>()[i] =
          static_cast<uint8_t>(random.below(static_cast<uint64_t>(i), 256));
    for (int64_t i = 0; i < count; ++i)
      images.labels.data<int32_t>()[i] = static_cast<int32_t>(i % graph.classes());
    return images;
  }

  Graph graph_;
  LabelledImages images_;
  Trainer trainer_;
};

/// What one competitor needed in one round.
struct Figure {
  double seconds = 0;   ///< a step
  double peak_mib = 0;  ///< the most memory its process had
};

/// A command's standard output; nothing where it failed.
std::optional<std::string> output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  require(pipe != nullptr, "cannot start ", command);
  std::string output;
  char buffer[4096];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return output;
}

/// Runs the torch script once; by layout, or empty where torch is not installed.
std::map<std::string, Figure> torch_round(const std::string& script, const std::string& model,
                                          int64_t batch, int steps, int threads,
                                          const std::string& python) {
  // Large blocks stay in the heap: otherwise torch loses up to half of its time to page faults.
  const auto output = output_of(
      text("MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=67108864 ", "'",
           python, "' '", script, "' --model ", model, " --batch ", batch, " --steps ", steps,
           " --threads ", threads, " 2>/dev/null"));
  std::map<std::string, Figure> figures;
  if (!output) return figures;
  const Json json = Json::parse(*output, nullptr, false);
  require(json.is_object(), script, " printed something else than its result");
  for (const auto& [layout, value] : json.items())
    figures[layout] = {value.at("seconds").get<double>(), value.at("peak_mib").get<double>()};
  return figures;
}

/// The peak of memory of a process of its own that takes two of our steps.
double our_peak_mib(const std::string& model, int64_t batch, int threads) {
  const auto output =
      output_of(text("'", fs::read_symlink("/proc/self/exe").string(), "' --peak-of ", model,
                     " --batch-size ", batch, " --device cpu --threads ", threads));
  require(output.has_value(), "cannot measure the memory of ", model);
  return std::stod(*output);
}

int print_peak(const std::string& model, int64_t batch, ThreadPool& pool) {
  TrainingStep(model, batch, pool).run(1);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::cout << static_cast<double>(usage.ru_maxrss) / 1024 << '\n';
  return 0;
}

struct Row {
  std::string model, competitor;
  std::vector<double> images_per_second;  // one a round
  double peak_mib = 0;
};

void print_table(const std::vector<Row>& rows) {
  std::cout << "model             competitor             images/s: median   smallest    largest   "
               "peak MiB\n";
  for (const Row& row : rows) {
    const auto [low, high] =
        std::minmax_element(row.images_per_second.begin(), row.images_per_second.end());
    const auto cell = [](const std::string& s, size_t width) {
      return std::string(width > s.size() ? width - s.size() : 0, ' ') + s;
    };
    std::cout << row.model << cell("", 18 - row.model.size()) << row.competitor
              << cell("", 22 - row.competitor.size())
              << cell(decimals(median(row.images_per_second), 1), 18) << cell(decimals(*low, 1), 11)
              << cell(decimals(*high, 1), 11)
              << cell(row.peak_mib > 0 ? decimals(row.peak_mib, 0) : "", 11) << '\n';
  }
}

/// Ours against torch's faster layout, round by round: the median of the ratios.
void print_ratios(const std::vector<Row>& rows) {
  for (const Row& ours : rows) {
    if (ours.competitor != "topograd") continue;
    std::vector<double> ratios;
    for (size_t round = 0; round < ours.images_per_second.size(); ++round) {
      double best = 0;
      for (const Row& row : rows)
        if (row.model == ours.model && row.competitor != "topograd" &&
            round < row.images_per_second.size())
          best = std::max(best, row.images_per_second[round]);
      if (best > 0) ratios.push_back(ours.images_per_second[round] / best);
    }
    if (ratios.empty()) continue;
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    std::cout << ours.model << ": " << decimals(median(ratios), 2)
              << "x PyTorch's faster layout (rounds: " << decimals(*low, 2) << " to "
              << decimals(*high, 2) << ")\n";
  }
}

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> result;
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) result.push_back(item);
  return result;
}

int bench_training(const cxxopts::ParseResult& flags) {
  const int64_t batch = cli::whole(flags, "batch-size", 1, 65536);
  const int rounds = static_cast<int>(cli::whole(flags, "rounds", 1, 1000));
  const int steps = static_cast<int>(cli::whole(flags, "steps", 1, 1000));
  ThreadPool pool = cli::pool(flags);
  if (flags.count("peak-of")) return print_peak(flags["peak-of"].as<std::string>(), batch, pool);
  bool torch = flags.count("no-torch") == 0;
  std::vector<Row> rows;
  for (const std::string& model : words(flags["models"].as<std::string>())) {
    const bool on_cpu = pool.device() == Device::cpu;
    const double peak = on_cpu ? our_peak_mib(model, batch, pool.threads()) : 0;
    TrainingStep ours(model, batch, pool);
    std::map<std::string, Row> by_name;
    for (int round = 0; round < rounds; ++round) {
      std::map<std::string, Figure> figures{{"topograd", {ours.run(steps), peak}}};
      if (torch) {
        const auto theirs = torch_round(flags["torch-script"].as<std::string>(), model, batch,
                                        steps, pool.threads(), flags["python"].as<std::string>());
        torch = !theirs.empty();
        if (!torch)
          cli::say("bench: PyTorch left out: ", flags["python"].as<std::string>(),
                   " cannot import torch");
        for (const auto& [layout, figure] : theirs) figures["torch " + layout] = figure;
      }
      for (const auto& [name, figure] : figures) {
        Row& row = by_name.try_emplace(name, Row{model, name, {}}).first->second;
        row.images_per_second.push_back(static_cast<double>(batch) / figure.seconds);
        row.peak_mib = std::max(row.peak_mib, figure.peak_mib);
      }
      cli::say("bench: ", model, " round ", round + 1, "/", rounds);
    }
    for (const auto& [name, row] : by_name) rows.push_back(row);
  }
  std::cout << "Training step, batch " << batch << ", " << pool.threads()
            << " threads; images a second over " << rounds << " rounds of " << steps << " steps\n";
  print_table(rows);
  print_ratios(rows);
  if (flags.count("json")) {
    Json json = Json::array();
    for (const Row& row : rows)
      json.push_back({{"model", row.model},
                      {"competitor", row.competitor},
                      {"images_per_second", row.images_per_second},
                      {"peak_mib", row.peak_mib}});
    write_file_atomically(flags["json"].as<std::string>(), json.dump(1) + "\n");
  }
  return 0;
}

int run(int argc, char** argv) {
  cli::Arguments arguments(argc, argv);
  cxxopts::Options options("bench", "Times training steps, with PyTorch in the same run.\n");
  const std::string script = (fs::path(TOPOGRAD_SOURCE_DIR) / "apps" / "bench_torch.py").string();
  const auto value = [](const std::string& fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  // A line per flag, which clang-format would run together.
  // clang-format off
  options.add_options()
      ("models", "comma-separated names", value("resnet20,resnet56"))
      ("batch-size", "images a step", value("128"))
      ("rounds", "rounds", value("5"))
      ("steps", "timed steps a round", value("7"))
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"))
      ("no-torch", "ours alone")
      ("peak-of", "print the peak of memory, in MiB, of training this network, and stop",
       cxxopts::value<std::string>())
      ("python", "the interpreter that has torch; Debian's python3-torch lives in the default",
       value("/usr/bin/python3"))
      ("torch-script", "the script that times PyTorch", value(script))
      ("json", "write every round's figures here", cxxopts::value<std::string>())
      ("help", "print this");
  // clang-format on
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help")) {
    std::cout << options.help() << kHelp;
    return 0;
  }
  require(flags.unmatched().empty(), "'", flags.unmatched().empty() ? "" : flags.unmatched()[0],
          "' is not a flag; see bench --help");
  return bench_training(flags);
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("bench", [&] { return run(argc, argv); });
}
