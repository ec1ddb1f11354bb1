#include "apps/landscape/sharpness/sharpness_command.h"

#include <cmath>
#include <deque>
#include <filesystem>
#include <iostream>
#include <set>

#include "apps/landscape/sharpness/sharpness_report.h"
#include "apps/landscape/sharpness/sharpness_run.h"
#include "landscape/plots/result_plots.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> list_of(const cxxopts::ParseResult& flags, const std::string& name) {
  return flags.count(name) ? flags[name].as<std::vector<std::string>>()
                           : std::vector<std::string>();
}

/// A file for every network: named after it, and after its folder too where that is needed to tell
/// them apart.
std::vector<std::string> outputs_of(const cxxopts::ParseResult& flags,
                                    const std::vector<std::string>& models) {
  const std::string output = cli::text_of(flags, "output");
  require(flags.count("output") == 0 || !output.empty(),
          "--output is empty: it names an HDF5 file");
  if (models.size() == 1 && !output.empty()) return {output};
  std::vector<std::string> stems;
  for (const std::string& model : models) stems.push_back(fs::path(model).stem().string());
  if (std::set<std::string>(stems.begin(), stems.end()).size() < stems.size())
    for (size_t i = 0; i < models.size(); ++i)
      stems[i] = fs::absolute(models[i]).lexically_normal().parent_path().filename().string() +
                 "_" + stems[i];
  require(std::set<std::string>(stems.begin(), stems.end()).size() == stems.size(),
          "two of the networks would be written to one file: give them different names, or run "
          "them one by one with --output");
  if (!output.empty()) cli::make_folder(output);
  std::vector<std::string> outputs;
  for (const std::string& stem : stems)
    outputs.push_back((fs::path(output) / (stem + "_sharpness.h5")).string());
  return outputs;
}

class SharpnessCommand {
 public:
  SharpnessCommand(const cxxopts::ParseResult& flags, const std::string& command)
      : flags_(flags),
        settings_(read_sharpness_settings(flags)),
        models_(list_of(flags, "models")),
        surfaces_(list_of(flags, "surface")),
        factor_(cli::real(flags, "factor", 1e-6, 1e6)),
        unchanged_(cli::real(flags, "unchanged-within", 0, 1e6)),
        pool_(cli::pool(flags)) {
    required_model(models_.empty() ? "" : models_.front(), "sharpness MODEL.safetensors...");
    require(surfaces_.empty() || surfaces_.size() == models_.size(), "--surface was given ",
            surfaces_.size(), " times for ", models_.size(),
            " networks: give one for each, in their order, or none");
    require(factor_ != 1, "--factor 1 changes nothing: choose another one, 10 say");
    cli::force_implementations(flags, pool_);
    outputs_ = outputs_of(flags, models_);
    for (size_t i = 0; i < models_.size(); ++i)
      runs_.emplace_back(flags_, settings_, command, models_[i], outputs_[i],
                         surfaces_.empty() ? "" : surfaces_[i], pool_);
  }

  int run() {
    try {
      for (SharpnessRun& run : runs_) {
        run.measure_all();
        if (flags_.count("reparametrisation-test")) run.test_reparametrisation(factor_);
      }
    } catch (const MeasuringStopped&) {
      cli::say("landscape: interrupted; what was finished is saved in ",
               runs_.size() == 1 ? outputs_[0] : text(outputs_[0], " and the others"),
               ": repeat the command to continue");
      return cli::kInterruptedStatus;
    }
    report();
    return 0;
  }

 private:
  void report() {
    const std::vector<std::string> labels = labels_of(outputs_);
    std::vector<NamedPanel> panels;
    for (size_t i = 0; i < runs_.size(); ++i) {
      std::cout << outputs_[i] << ": " << runs_[i].title() << '\n';
      panels.push_back({labels[i], runs_[i].panel()});
    }
    print_panels(panels);
    for (size_t i = 0; i < panels.size() && flags_.count("reparametrisation-test"); ++i) {
      std::cout << '\n' << (panels.size() > 1 ? labels[i] + ": " : "");
      print_reparametrisation(panels[i].panel, unchanged_);
      if (flags_.count("no-pictures") == 0)
        save_figures(result_figures(panels[i].panel.record()),
                     fs::path(outputs_[i]).replace_extension().string());
    }
    if (panels.size() > 1) {
      std::cout << '\n';
      print_rank_correlations(panels, "test_error", settings_.seed);
    }
    if (flags_.count("json")) write_json(panels, flags_["json"].as<std::string>());
  }

  const cxxopts::ParseResult& flags_;
  SharpnessSettings settings_;
  std::vector<std::string> models_, surfaces_, outputs_;
  double factor_, unchanged_;
  ThreadPool pool_;
  std::deque<SharpnessRun> runs_;
};

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options sharpness_flags() {
  cxxopts::Options options("landscape sharpness",
                           "Measures of how sharp the minima of networks are, in one panel, with the numbers behind\n"
                           "it in an HDF5 file per network. What is there already is not computed again.\n");
  options.positional_help("MODEL.safetensors...").show_positional_help().set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  add_measure_flags(options);
  options.add_options("Measures")
      ("surface", "non_convex_share: a surface of the network; once for each network",
       cxxopts::value<std::vector<std::string>>());
  options.add_options("Reparametrisation")
      ("reparametrisation-test", "rescale the network without changing its function, and show which "
                                 "numbers that moves")
      ("factor", "by how much", value("10"))
      ("unchanged-within", "a ratio this near to 1 counts as unchanged", value("0.02"));
  add_image_flags(options);
  options.add_options("Data")
      ("loss,l,loss-name", "cross_entropy or mse", value("cross_entropy"));
  options.add_options("Output")
      ("output,o", "the results' HDF5 file; of several networks the folder of theirs", string())
      ("json", "write the numbers here too", string())
      ("no-pictures", "none of --reparametrisation-test's slices");
  options.add_options("Run")
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"))
      ("impl", "force an implementation, as in conv2d=reference",
       cxxopts::value<std::vector<std::string>>())
      ("models", "the checkpoints, as arguments", cxxopts::value<std::vector<std::string>>())
      ("help", "print this");
  options.parse_positional({"models"});
  return options;
}
// clang-format on

std::string sharpness_help(const cxxopts::Options& options) {
  std::string help =
      options.help({"Measures", "Reparametrisation", "Data", "Output", "Run"}) +
      "\nMeasures (docs/measures.md has the papers; BatchNorm stays on its running statistics):\n";
  for (const MeasureKind& kind : measure_kinds())
    help += text("  ", kind.name, std::string(27 - kind.name.size(), ' '), kind.definition,
                 kind.invariant ? "" : " [a rescaling moves it]", '\n');
  return help;
}

int run_sharpness(const cxxopts::ParseResult& flags, const std::string& command) {
  require(flags.unmatched().empty(), "'", flags.unmatched().empty() ? "" : flags.unmatched()[0],
          "' is not a flag; see landscape sharpness --help");
  cli::catch_interruption();
  return SharpnessCommand(flags, command).run();
}

}  // namespace topograd
