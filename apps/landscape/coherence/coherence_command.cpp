#include "apps/landscape/coherence/coherence_command.h"

#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>
#include <map>

#include "apps/common/model_file.h"
#include "apps/common/progress.h"
#include "apps/common/table.h"
#include "apps/landscape/coherence/coherence_surface.h"
#include "kernels/core/format.h"
#include "landscape/coherence/coherence_results.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What must agree for a file to be continued.
const std::vector<std::string> kIdentity = {"batches", "batch_size", "images", "data", "loss",
                                            "bn_mode", "device",     "subset", "seed"};

/// Of a checkpoint's training, from its state or its name (epoch_12.safetensors); else NaN.
double epoch_of(const LoadedModel& model) {
  if (model.has_training_state) {
    const TrainingState state = Checkpoint::read(model.path).training_state(model.graph.layout());
    return static_cast<double>(state.epoch);
  }
  const std::string stem = fs::path(model.path).stem().string();
  const std::string prefix = "epoch_";
  if (stem.starts_with(prefix) && stem.size() > prefix.size() && stem.size() <= prefix.size() + 9 &&
      stem.find_first_not_of("0123456789", prefix.size()) == stem.npos)
    return std::stod(stem.substr(prefix.size()));
  return std::numeric_limits<double>::quiet_NaN();
}

std::string with_error(double value, double error) {
  return significant(value, 4) + " +- " + significant(error, 2);
}

class CoherenceRun {
 public:
  CoherenceRun(const cxxopts::ParseResult& flags, std::vector<std::string> models,
               const std::string& command)
      : flags_(flags),
        pool_(cli::pool(flags)),
        choice_(flags),
        models_(std::move(models)),
        output_(cli::text_of(flags, "output",
                             fs::path(models_.front()).stem().string() + "_coherence.h5")) {
    cli::force_implementations(flags, pool_);
    require(!output_.empty(), "--output is empty: it names an HDF5 file");
    find_rows(command);
    continue_or_begin();
  }

  int run() {
    for (const CoherenceRow& row : asked_) {
      if (known_.contains(row.model_hash)) continue;
      if (!compute(row)) {
        cli::say("landscape: interrupted; ", known_.size(), " of ", asked_.size(),
                 " networks are saved in ", output_, ": repeat the command to continue");
        return cli::kInterruptedStatus;
      }
      save();
    }
    report();
    if (flags_.count("no-pictures") == 0) draw();
    return 0;
  }

 private:
  /// Reads every checkpoint once, so that a wrong one is refused before anything is computed.
  void find_rows(const std::string& command) {
    for (const std::string& path : models_) {
      const LoadedModel model = load_model(path, cli::text_of(flags_, "model"));
      const SurfaceImages images = coherence_images(flags_, model);
      GradientSampler::check(choice_.spec(model.graph, images.sets[0]));
      Provenance p;
      images.describe(p);
      CoherenceRow row{.model_name = describe(model.spec),
                       .model_file = path,
                       .model_hash = weights_hash(model.weights.theta, model.weights.running_stats),
                       .data_hash = p.at("data_hash"),
                       .epoch = epoch_of(model),
                       .coherence = {},
                       .layers = {}};
      for (const LayerParameters& layer : layers_of(model.graph.layout()))
        row.layers.push_back(layer.name);
      for (const CoherenceRow& other : asked_)
        require(other.model_hash != row.model_hash, path, " and ", other.model_file,
                " hold the same network: leave out one of them");
      asked_.push_back(std::move(row));
      p.erase("data_hash");  // each network's row has its own
      if (asked_.size() > 1) continue;
      results_.provenance = p;
      note_clean_labels(flags_, images, model);
    }
    Provenance& p = results_.provenance;
    choice_.describe(p);
    describe_run(p, pool_.device(), command);
  }

  void continue_or_begin() {
    if (is_there(output_)) {
      const CoherenceResults saved = CoherenceResults::load(output_);
      std::vector<std::string> reasons;
      for (const CoherenceRow& row : saved.rows) take_over(row, reasons);
      require_same_command(output_, saved.provenance, results_.provenance, kIdentity, reasons);
    }
    save();  // a place that cannot be written should fail now, not in an hour
  }

  /// A row of the file, where this command asks for it too.
  void take_over(const CoherenceRow& row, std::vector<std::string>& reasons) {
    for (const CoherenceRow& asked : asked_)
      if (asked.model_hash == row.model_hash && asked.data_hash == row.data_hash) {
        known_[row.model_hash] = row.coherence;
        return;
      }
    reasons.push_back(text("the file has ", row.model_file, " (", row.model_hash,
                           "), this command has other networks or images"));
  }

  /// The networks that are known, in the command's order.
  void save() {
    results_.rows.clear();
    for (const CoherenceRow& row : asked_) {
      const auto found = known_.find(row.model_hash);
      if (found == known_.end()) continue;
      results_.rows.push_back(row);
      results_.rows.back().coherence = found->second;
    }
    results_.save(output_);
  }

  /// False when interrupted.
  bool compute(const CoherenceRow& row) {
    const LoadedModel model = load_model(row.model_file);
    const SurfaceImages images = coherence_images(flags_, model);
    GradientSampler sampler(choice_.spec(model.graph, images.sets[0]), pool_);
    ProgressBar bar(choice_.batches);
    const std::optional<Coherence> found =
        sampler.at(model.weights.theta, model.weights.running_stats, [&](int64_t done) {
          bar.update(done, fs::path(row.model_file).filename().string(),
                     text(done, " minibatches"));
          return !cli::interrupted();
        });
    bar.clear();
    if (found) known_[row.model_hash] = *found;
    return found.has_value();
  }

  void report() const {
    const Provenance& p = results_.provenance;
    std::cout << output_ << ": gradients of " << choice_.batches << " minibatches of "
              << choice_.batch_size << " images, " << p.at("data") << ", BatchNorm "
              << p.at("bn_mode") << '\n';
    std::vector<std::vector<std::string>> table = {{"network", "epoch", "loss", "|gradient|",
                                                    "|of a batch|", "cosine", "smallest", "snr",
                                                    "noise scale"}};
    for (const CoherenceRow& row : results_.rows) {
      const std::string epoch = significant(row.epoch);
      const CoherenceStatistics& s = row.coherence.all;
      table.push_back({row.model_file, epoch, significant(row.coherence.loss),
                       significant(s.gradient_norm), significant(s.batch_gradient_norm),
                       with_error(s.cosine, s.cosine_se), significant(s.cosine_min, 4),
                       with_error(s.snr, s.snr_se), significant(s.noise_scale, 4)});
    }
    print_table(table);
    if (flags_.count("per-layer"))
      for (const CoherenceRow& row : results_.rows) report_layers(row);
  }

  static void report_layers(const CoherenceRow& row) {
    std::cout << '\n';
    std::vector<std::vector<std::string>> table = {{fs::path(row.model_file).filename().string(),
                                                    "|gradient|", "cosine", "smallest", "snr",
                                                    "noise scale"}};
    for (size_t l = 0; l < row.layers.size(); ++l) {
      const CoherenceStatistics& s = row.coherence.layers[l];
      table.push_back({row.layers[l], significant(s.gradient_norm),
                       with_error(s.cosine, s.cosine_se), significant(s.cosine_min, 4),
                       with_error(s.snr, s.snr_se), significant(s.noise_scale, 4)});
    }
    print_table(table);
  }

  void draw() const {
    const std::string stem = (fs::path(output_).parent_path() / fs::path(output_).stem()).string();
    for (const std::string& path : save_figures(result_figures(results_.record()), stem))
      std::cout << path << '\n';
  }

  const cxxopts::ParseResult& flags_;
  ThreadPool pool_;
  CoherenceChoice choice_;
  std::vector<std::string> models_;
  std::string output_;
  std::vector<CoherenceRow> asked_;         // what the command asks for, without values
  std::map<std::string, Coherence> known_;  // by the networks' hashes
  CoherenceResults results_;
};

}  // namespace

CoherenceChoice::CoherenceChoice(const cxxopts::ParseResult& flags)
    : batches(cli::whole(flags, "batches", 2, 100'000)),
      batch_size(cli::whole(flags, "batch-size", 1, 1 << 20)),
      bn(flags["bn"].as<std::string>()),
      loss(cli::loss(flags)),
      seed(cli::seed(flags)) {
  require(bn == "frozen" || bn == "batch", "--bn ", bn, ": choose frozen or batch");
}

CoherenceSpec CoherenceChoice::spec(const Graph& graph, const LabelledImages& images) const {
  return {.graph = graph,
          .images = images,
          .loss = loss,
          .mode = bn == "batch" ? BatchnormMode::batch : BatchnormMode::frozen,
          .batches = batches,
          .batch_size = batch_size,
          .seed = seed};
}

void CoherenceChoice::describe(Provenance& provenance) const {
  provenance["batches"] = text(batches);
  provenance["batch_size"] = text(batch_size);
  provenance["bn_mode"] = bn == "frozen" ? bn : text("batch of ", batch_size);
  provenance["loss"] = name_of(loss);
  provenance["seed"] = text(seed);
}

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options coherence_flags() {
  cxxopts::Options options("landscape coherence",
                           "How well the gradients of minibatches agree: their norms, cosines and ratio of signal\n"
                           "to noise at each network, layer by layer too, or all over a surface.\n");
  options.positional_help("MODEL.safetensors...").show_positional_help().set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Gradients")
      ("batches", "how many minibatches; their gradients are kept, 4 bytes a parameter each", value("16"))
      ("batch-size", "images of each; no image is in two of them", value("64"))
      ("bn", "BatchNorm: frozen, the running statistics; batch, each minibatch's own, as in training",
       value("frozen"))
      ("seed", "of the choice of images", value("1"));
  add_image_flags(options);
  options.add_options("Over a surface")
      ("over", "at every point of this surface, which landscape surface, line or plane computed", string())
      ("dir-file", "the surface's directions, where they cannot be found again", string())
      ("save-seconds", "save no more often than this", value("5"))
      ("no-pictures", "write the HDF5 file alone");
  options.add_options("Data")
      ("loss,l,loss-name", "cross_entropy or mse", value("cross_entropy"));
  options.add_options("Output")
      ("output,o", "the results' HDF5 file; what it lacks is computed", string())
      ("per-layer", "print a table of every network's layers, too");
  options.add_options("Run")
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"))
      ("impl", "force an implementation, as in conv2d=reference",
       cxxopts::value<std::vector<std::string>>())
      ("models", "the checkpoints, as the first arguments", cxxopts::value<std::vector<std::string>>())
      ("model", "refuse checkpoints unless they are this network", string())
      ("help", "print this");
  options.parse_positional({"models"});
  return options;
}
// clang-format on

SurfaceImages coherence_images(const cxxopts::ParseResult& flags, const LoadedModel& model) {
  SurfaceImages images = surface_images(flags, model, false);
  require(images.sets.size() == 1,
          "--split both: gradients are of one set's images; choose train or test");
  return images;
}

int run_coherence(const cxxopts::ParseResult& flags, const std::string& command) {
  const auto models = flags.count("models") ? flags["models"].as<std::vector<std::string>>()
                                            : std::vector<std::string>();
  required_model(models.empty() ? "" : models.front(), "coherence MODEL.safetensors");
  cli::catch_interruption();
  if (flags.count("over") == 0) return CoherenceRun(flags, models, command).run();
  require(models.size() == 1, "--over is for one model at a time, here are ", models.size());
  return run_coherence_surface(flags, models.front(), command);
}

}  // namespace topograd
