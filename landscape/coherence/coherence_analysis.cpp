#include "landscape/coherence/coherence_analysis.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>

#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Returns the epoch of a checkpoint's training, from its state or its name (epoch_12.safetensors);
/// else NaN.
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

class CoherenceAnalysis {
 public:
  CoherenceAnalysis(const CoherenceSettings& settings, const ImageSelection& selection,
                    const std::string& output, ThreadPool& pool, Observer& observer)
      : settings_(settings),
        selection_(selection),
        output_(output),
        pool_(pool),
        observer_(observer) {}

  void claim() { claim_.emplace(claim_output(output_)); }

  /// Reads every checkpoint once.
  void find_rows(const std::vector<std::string>& models, const std::string& expected_model) {
    for (const std::string& path : models) {
      const LoadedModel model = load_model(path, expected_model);
      const ImageSets images = select_coherence_images(selection_, model);
      settings_ = settings_.fitted(images.sets[0].count());
      GradientSampler::check(settings_.spec(model.graph, images.sets[0]));
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
      if (const std::string note = clean_labels_note(selection_, model); !note.empty())
        observer_.note("note: " + note);
    }
  }

  /// Takes over what the file has.
  void take_saved(const Provenance& run) {
    Provenance& p = results_.provenance;
    settings_.describe(p);
    for (const auto& [key, value] : run) p[key] = value;
    const auto saved = load_saved(
        output_, p, identity_with({"batches", "batch_size", "seed"}),
        [&] { return CoherenceResults::load(output_); },
        [&](const CoherenceResults& file) { return foreign_rows(file); });
    if (saved)
      for (const CoherenceRow& row : saved->rows) known_[row.model_hash] = row.coherence;
  }

  CoherenceAhead ahead() const {
    LoadedModel first = load_model(asked_.front().model_file);
    ImageSets images = select_coherence_images(selection_, first);
    const auto is_known = [&](const CoherenceRow& row) { return known_.contains(row.model_hash); };
    return {.settings = settings_,
            .first = std::move(first),
            .images = std::move(images),
            .networks = asked_.size(),
            .done = static_cast<size_t>(std::count_if(asked_.begin(), asked_.end(), is_known))};
  }

  CoherenceResults run() {
    save();  // so that a place that cannot be written fails now
    for (const CoherenceRow& row : asked_) {
      if (known_.contains(row.model_hash)) continue;
      compute(row);
      save();
    }
    return results_;
  }

 private:
  /// Returns the rows of the file that this computation does not ask for.
  std::vector<std::string> foreign_rows(const CoherenceResults& file) const {
    std::vector<std::string> reasons;
    for (const CoherenceRow& row : file.rows) {
      bool is_asked = false;
      for (const CoherenceRow& asked : asked_)
        is_asked =
            is_asked || (asked.model_hash == row.model_hash && asked.data_hash == row.data_hash);
      if (!is_asked)
        reasons.push_back(text("the file has ", row.model_file, " (", row.model_hash,
                               "), this command has other networks or images"));
    }
    return reasons;
  }

  /// Writes the networks that are known, in the order in which they were asked for.
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

  void compute(const CoherenceRow& row) {
    const LoadedModel model = load_model(row.model_file);
    const ImageSets images = select_coherence_images(selection_, model);
    GradientSampler sampler(settings_.spec(model.graph, images.sets[0]), pool_);
    const Stage stage(observer_, fs::path(row.model_file).filename().string(), *settings_.batches);
    const std::optional<Coherence> found =
        sampler.at(model.weights.theta, model.weights.running_stats, [&](int64_t done) {
          observer_.advance(done, [&] { return text(done, " minibatches"); });
          return !observer_.stop_requested();
        });
    if (!found)
      throw Interrupted(
          text(known_.size(), " of ", asked_.size(), " networks are saved in ", output_));
    known_[row.model_hash] = *found;
  }

  CoherenceSettings settings_;  // fitted to the first network's images
  const ImageSelection& selection_;
  const std::string& output_;
  std::optional<OutputClaim> claim_;
  ThreadPool& pool_;
  Observer& observer_;
  std::vector<CoherenceRow> asked_;         // without values
  std::map<std::string, Coherence> known_;  // by the networks' hashes
  CoherenceResults results_;
};

}  // namespace

CoherenceSettings CoherenceSettings::fitted(int64_t images) const {
  constexpr int64_t kBatches = 16, kFewestBatches = 4, kBatchSize = 64;
  CoherenceSettings s = *this;
  // A statistic of minibatches depends on their size; on their number only how well it is known.
  if (!s.batches)
    s.batches = std::clamp(images / s.batch_size.value_or(kBatchSize), kFewestBatches, kBatches);
  if (!s.batch_size) s.batch_size = std::clamp(images / *s.batches, int64_t{1}, kBatchSize);
  return s;
}

std::string CoherenceSettings::minibatches() const {
  return text(batches.value(), " minibatches of ", batch_size.value(), " images");
}

CoherenceSpec CoherenceSettings::spec(const Graph& graph, const LabelledImages& images) const {
  return {.graph = graph,
          .images = images,
          .loss = loss,
          .mode = batchnorm,
          .batches = batches.value(),
          .batch_size = batch_size.value(),
          .seed = seed};
}

void CoherenceSettings::describe(Provenance& p) const {
  p["batches"] = text(batches.value());
  p["batch_size"] = text(batch_size.value());
  p["bn_mode"] = batchnorm == BatchnormMode::frozen ? "frozen" : text("batch of ", *batch_size);
  p["loss"] = text_of(loss);
  p["seed"] = text(seed);
}

ImageSets select_coherence_images(const ImageSelection& selection, const LoadedModel& model) {
  ImageSets images = select_images(selection, model);
  require(images.sets.size() == 1,
          "--split both: gradients are of one set's images; choose train or test");
  return images;
}

CoherenceResults analyse_coherence(const CoherenceSettings& settings,
                                   const std::vector<std::string>& models,
                                   const std::string& expected_model,
                                   const ImageSelection& selection, const Provenance& run,
                                   const std::string& output, ThreadPool& pool,
                                   Observer& observer) {
  CoherenceAnalysis analysis(settings, selection, output, pool, observer);
  analysis.claim();
  analysis.find_rows(models, expected_model);
  analysis.take_saved(run);
  return analysis.run();
}

CoherenceAhead coherence_ahead(const CoherenceSettings& settings,
                               const std::vector<std::string>& models,
                               const std::string& expected_model, const ImageSelection& selection,
                               const Provenance& run, const std::string& output, ThreadPool& pool) {
  Observer nobody;
  CoherenceAnalysis analysis(settings, selection, output, pool, nobody);
  analysis.find_rows(models, expected_model);
  analysis.take_saved(run);
  return analysis.ahead();
}

}  // namespace topograd
