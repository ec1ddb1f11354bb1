#include "apps/bench/report.h"

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "apps/common/cli.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/format.h"
#include "kernels/core/philox.h"
#include "models/loaded_model.h"
#include "nn/checkpoint.h"
#include "nn/initialisation.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

using Json = nlohmann::ordered_json;

std::string right(const std::string& text, size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string left(const std::string& text, size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

/// Returns the figures of the model's fastest competitor whose name begins so, round by round.
std::vector<double> fastest(const std::vector<BenchRow>& rows, const std::string& model,
                            const std::string& begins) {
  std::vector<double> best;
  for (const BenchRow& row : rows) {
    if (row.model != model || !row.competitor.starts_with(begins)) continue;
    best.resize(std::max(best.size(), row.images_per_second.size()));
    for (size_t round = 0; round < row.images_per_second.size(); ++round)
      best[round] = std::max(best[round], row.images_per_second[round]);
  }
  return best;
}

}  // namespace

BenchFlags::BenchFlags(int steps)
    : steps(steps),
      torch_script(
          (std::filesystem::path(TOPOGRAD_SOURCE_DIR) / "apps" / "bench" / "bench_torch.py")
              .string()) {}

void BenchFlags::add_to(cli::Options& options, const std::string& steps_help) {
  options.group("Benchmark")
      .words("models", models, "NAME,...",
             "networks, with commas between: of the zoo, or files of their graphs "
             "(docs/own-network.md)")
      .integer("rounds", rounds, {1, 1000}, "of all competitors")
      .integer("steps", steps, {1, 1000}, steps_help)
      .file("json", json, "write every round's figures here");
  options.group("PyTorch")
      .flag("no-torch", no_torch, "ours alone")
      .text("module", module, "FILE.py:EXPRESSION",
            "of a network in a file: what makes it in PyTorch, as for apps/export_torch.py")
      .file("python", python,
            "the interpreter that has torch; Debian's python3-torch lives in the default")
      .file("torch-script", torch_script, "the script that times PyTorch");
  run.add_to(options);
}

Graph benched_graph(const std::string& model) {
  if (names_model_file(model)) return build_model(model_spec_of_file(model));
  return build_model({.name = model, .shortcut = 'A'});
}

ModelState benched_weights(const std::string& model, const Graph& graph) {
  if (model.ends_with(".safetensors")) return Checkpoint::read(model).weights(graph.layout());
  const ParameterLayout& layout = graph.layout();
  ModelState weights{Tensor({layout.parameter_count()}), Tensor({layout.state_count()})};
  initialise(layout, 1, weights.theta, weights.running_stats);
  return weights;
}

std::vector<BenchRow> bench_rounds(const std::string& model, int rounds,
                                   const std::function<BenchFigures()>& round) {
  const std::string shown =
      names_model_file(model) ? std::filesystem::path(model).stem().string() : model;
  std::vector<BenchRow> rows;
  for (int i = 0; i < rounds; ++i) {
    for (const auto& entry : round()) {
      auto row = std::find_if(rows.begin(), rows.end(),
                              [&](const BenchRow& r) { return r.competitor == entry.first; });
      if (row == rows.end()) row = rows.insert(rows.end(), BenchRow{shown, entry.first, {}, 0});
      row->images_per_second.push_back(entry.second.images_per_second);
      row->peak_mib = std::max(row->peak_mib, entry.second.peak_mib);
    }
    cli::say("bench: ", model, " round ", i + 1, "/", rounds);
  }
  return rows;
}

void print_table(const std::vector<BenchRow>& rows) {
  std::cout << left("model", 18) << left("competitor", 26) << right("images/s: median", 17)
            << right("smallest", 11) << right("largest", 11) << right("peak MiB", 11) << '\n';
  for (const BenchRow& row : rows) {
    const auto [low, high] =
        std::minmax_element(row.images_per_second.begin(), row.images_per_second.end());
    std::cout << left(row.model, 18) << left(row.competitor, 26)
              << right(decimals(median(row.images_per_second), 1), 17)
              << right(decimals(*low, 1), 11) << right(decimals(*high, 1), 11)
              << right(row.peak_mib > 0 ? decimals(row.peak_mib, 0) : "", 11) << '\n';
  }
}

void print_ratios(const std::vector<BenchRow>& rows, const std::string& ours,
                  const std::string& theirs, const std::string& theirs_in_words) {
  for (const BenchRow& row : rows) {
    if (row.competitor != ours) continue;
    const std::vector<double> best = fastest(rows, row.model, theirs);
    std::vector<double> ratios;
    for (size_t round = 0; round < std::min(best.size(), row.images_per_second.size()); ++round)
      ratios.push_back(row.images_per_second[round] / best[round]);
    if (ratios.empty()) continue;
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    std::cout << row.model << ": " << ours << " " << decimals(median(ratios), 2) << "x "
              << theirs_in_words << " (rounds: " << decimals(*low, 2) << " to "
              << decimals(*high, 2) << ")\n";
  }
}

void write_json_if_asked(const BenchFlags& flags, const std::vector<BenchRow>& rows) {
  if (!flags.json) return;
  Json json = Json::array();
  for (const BenchRow& row : rows)
    json.push_back({{"model", row.model},
                    {"competitor", row.competitor},
                    {"images_per_second", row.images_per_second},
                    {"peak_mib", row.peak_mib}});
  write_file_atomically(*flags.json, json_text(json, 1) + "\n");
}

TorchBench::TorchBench(const BenchFlags& flags)
    : present_(!flags.no_torch),
      python_(flags.python),
      script_(flags.torch_script),
      module_(flags.module) {
  if (!present_) return;
  const std::string command = text("'", python_, "' -c 'import torch' 2>/dev/null");
  present_ = std::system(command.c_str()) == 0;
  if (!present_) cli::say("bench: PyTorch left out: ", python_, " cannot import torch");
}

BenchFigures TorchBench::run(const std::string& arguments) {
  BenchFigures figures;
  if (!present_) return figures;
  // Large blocks stay in the heap: otherwise torch loses up to half of its time to page faults.
  const std::string output = output_of(
      text("MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=67108864 ", "'",
           python_, "' '", script_, "' ", arguments,
           module_.empty() ? "" : " --module " + cli::shell_quoted({module_})));
  const Json json = parse_ordered_json(output);
  require(json.is_object(), script_, " printed something else than its result");
  for (const auto& [competitor, value] : json.items())
    figures[competitor] = {value.at("images_per_second").get<double>(),
                           value.at("peak_mib").get<double>()};
  return figures;
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  require(pipe != nullptr, "cannot start ", command);
  std::string output;
  char buffer[4096];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  const int status = pclose(pipe);
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "this command failed: ", command);
  return output;
}

LabelledImages random_images(int64_t count, const Graph& graph) {
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

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

}  // namespace topograd
