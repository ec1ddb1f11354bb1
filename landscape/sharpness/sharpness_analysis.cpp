#include "landscape/sharpness/sharpness_analysis.h"
#include "landscape/evaluation/model_data.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include "data/load.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"
#include "landscape/sharpness/reparametrisation.h"
#include "landscape/sharpness/rescaling_test.h"
#include "landscape/surface/non_convex_share.h"

namespace topograd {

SharpnessAnalysis::SharpnessAnalysis(const SharpnessSettings& settings, LoadedModel model,
                                     const ImageSelection& selection, const std::string& surface,
                                     const Provenance& run, std::string output, ThreadPool& pool,
                                     Observer& observer, Purpose purpose)
    : settings_(settings),
      pool_(pool),
      observer_(observer),
      model_(std::move(model)),
      output_(std::move(output)),
      purpose_(purpose),
      claim_(claim_unless_planned(output_, purpose)),
      source_(selection.source),
      images_(select_images(selection, model_)) {
  check(settings);
  require(images_.sets.size() == 1,
          "--split both: sharpness is of one set; choose train or test (test_error is of the test "
          "images in any case)");
  // Copy the chosen images: a view of them would keep the whole split in memory, for every network.
  LabelledImages& images = images_.sets[0];
  if (selection.count > 0) {
    images.images = images.images.clone();
    images.labels = images.labels.clone();
  }
  if (images.labels.dtype() == DType::f32 && !tells_right_from_wrong(settings_.loss.kind))
    settings_.target_of = IncreaseOf::loss;  // there is no error to increase
  describe(run);
  continue_or_begin(surface);
  if (!model_.spec.activation.is_positively_homogeneous())
    observer_.note(
        text("note: ", model_.path,
             ": filter-normalised measures are invariant to rescaling because ReLU networks are; "
             "this one uses ",
             name_of(model_.spec.activation)));
  if (const std::string note = clean_labels_note(selection, model_); !note.empty())
    observer_.note("note: " + note);
}

void SharpnessAnalysis::describe(const Provenance& run) {
  Provenance& p = panel_.provenance;
  p = run;
  describe_model(p, model_);
  images_.describe(p);
  p["loss"] = text_of(settings_.loss);
  p["bn_mode"] = "frozen";
  p["parameters"] = text(model_.graph.layout().parameter_count());
}

void SharpnessAnalysis::continue_or_begin(const std::string& surface) {
  // A measure's own settings are beside it, and decide whether it is worked out again.
  const auto saved = load_saved(output_, panel_.provenance, identity_with({}),
                                [&] { return SharpnessPanel::load(output_); });
  if (saved) panel_ = *saved;
  if (!surface.empty()) take_surface(surface);
  save();
}

void SharpnessAnalysis::take_surface(const std::string& path) {
  const Surface surface = Surface::load(path);
  const auto hash = surface.provenance.find("model_hash");
  require(hash == surface.provenance.end() || hash->second == panel_.provenance.at("model_hash"),
          "--surface ", path, " is of another network than ", model_.path);
  const std::string plane = images_.names[0] + "_loss";
  const NonConvexShare found = non_convex_share(surface, plane);
  require(found.points > 0, "--surface ", path,
          " has no interior point that is done, with all of its neighbours");
  SharpnessPanel::put(panel_.measures,
                      {"non_convex_share",
                       {found.share, std::numeric_limits<double>::quiet_NaN()},
                       text(plane, " at ", found.points, " points of ", surface.nx(), "x",
                            surface.ny(), ", x ", surface.x().front(), " to ", surface.x().back(),
                            ", y ", surface.y().front(), " to ", surface.y().back())});
}

std::vector<std::string> SharpnessAnalysis::measures_ahead() const {
  return to_do(panel_.measures, settings_.chosen());
}

int64_t SharpnessAnalysis::test_images_ahead() const {
  const std::vector<std::string> missing = measures_ahead();
  if (std::none_of(missing.begin(), missing.end(), is_of_test_images)) return 0;
  return settings_.test_images > 0 ? settings_.test_images : test_data().test.count();
}

Workload SharpnessAnalysis::work_ahead(bool rescaled) const {
  const auto images = static_cast<double>(images_.sets[0].count());
  const auto passes = [&](const std::vector<std::string>& measures) {
    Workload all{.losses = measures.empty() ? 0.0 : 1.0};
    for (const std::string& name : measures) all += passes_of(name, settings_);
    return all;
  };
  Workload work = images * passes(measures_ahead());
  if (rescaled) {
    std::vector<std::string> names = settings_.chosen();
    std::erase_if(names, is_of_test_images);
    work += images * passes(names);
    work.losses += images * kLossesOfRescaling;
  }
  work.losses += static_cast<double>(test_images_ahead());
  return work;
}

NetworkLoss SharpnessAnalysis::loss_of(const Tensor& theta, const Tensor& running_stats,
                                       const StopFlag& stop) {
  return NetworkLoss({.graph = model_.graph,
                      .theta = theta,
                      .running_stats = running_stats,
                      .images = images_.sets[0],
                      .population = images_.population(0),
                      .loss = settings_.loss,
                      .forced = settings_.forced},
                     pool_, stop, "what was finished is saved in " + output_);
}

DataSplits SharpnessAnalysis::test_data() const {
  DataSplits data =
      load_data_for(model_, {.source = source_, .image_size = model_.spec.image_size});
  require(settings_.test_images <= data.test.count(), "--test-images ", settings_.test_images,
          ": the test split has only ", data.test.count());
  return data;
}

SampledSums SharpnessAnalysis::test_sums() {
  if (test_sums_) return *test_sums_;
  const DataSplits data = test_data();
  LabelledImages images = data.test.view();
  images.normalisation = images_.sets[0].normalisation;
  test_sums_ = {evaluate(model_.graph, model_.weights.theta, model_.weights.running_stats,
                         images.first(settings_.test_images), settings_.loss, pool_),
                settings_.test_population == Population::set ? images.count() : 0};
  return *test_sums_;
}

std::vector<std::string> SharpnessAnalysis::to_do(const std::vector<Measure>& measures,
                                                  const std::vector<std::string>& names) const {
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    const Measure* there = SharpnessPanel::find_measure(measures, name);
    if (!there || there->settings != settings_.description_of(name)) missing.push_back(name);
  }
  return missing;
}

void SharpnessAnalysis::measure_into(std::vector<Measure>& measures,
                                     const std::vector<std::string>& names, const Tensor& theta,
                                     const Tensor& running_stats, const std::string& label) {
  const std::vector<std::string> missing = to_do(measures, names);
  if (missing.empty()) return;
  const Stage stage(observer_, label, static_cast<int64_t>(missing.size()));
  size_t done = 0;
  NetworkLoss loss = loss_of(theta, running_stats, [&] {
    observer_.advance(static_cast<int64_t>(done), [&] { return missing[done]; });
    return observer_.stop_requested();
  });
  const MeasuredNetwork network{
      model_.graph.layout(),      loss, pool_, observer_, images_.population(0),
      [&] { return test_sums(); }};
  for (; done < missing.size(); ++done) {
    const std::string& name = missing[done];
    const Estimate estimate = measure(name, settings_, network);
    SharpnessPanel::put(measures, {name, estimate, settings_.description_of(name)});
    save();
  }
}

void SharpnessAnalysis::measure_all() {
  measure_into(panel_.measures, settings_.chosen(), model_.weights.theta,
               model_.weights.running_stats, std::filesystem::path(output_).filename().string());
}

Tensor SharpnessAnalysis::logits_of(const Tensor& theta, const Tensor& running_stats) {
  const Tensor logits({images_.sets[0].count(), model_.graph.classes()});
  evaluate(model_.graph, theta, running_stats, images_.sets[0], settings_.loss, pool_, logits);
  return logits;
}

void SharpnessAnalysis::test_reparametrisation(double factor) {
  const Tensor &theta = model_.weights.theta, &running_stats = model_.weights.running_stats;
  const RescaledNetwork other = rescaled(model_.graph, theta, running_stats, factor);
  if (panel_.test &&
      (panel_.test->description != other.description || panel_.test->slice_seed != settings_.seed))
    panel_.test.reset();
  if (!panel_.test) {
    ReparametrisationTest test{.description = other.description, .slice_seed = settings_.seed};
    compare_logits(test, logits_of(theta, running_stats),
                   logits_of(other.theta, other.running_stats));
    panel_.test = test;
  }
  if (panel_.test->slices.empty()) {
    const StopFlag stop = [this] { return observer_.stop_requested(); };
    NetworkLoss before = loss_of(theta, running_stats, stop);
    NetworkLoss after = loss_of(other.theta, other.running_stats, stop);
    panel_.test->slices = slices_of(before, after, model_.graph.layout(), settings_.seed);
    save();
  }
  std::vector<std::string> names = settings_.chosen();
  std::erase_if(names, is_of_test_images);
  measure_into(panel_.test->measures, names, other.theta, other.running_stats, "rescaled");
}

std::string SharpnessAnalysis::title() const {
  return text(panel_.provenance.at("model_name"), " over ", images_.sets[0].count(), " ",
              images_.description, " images, ", panel_.provenance.at("loss"), ", BatchNorm frozen");
}

}  // namespace topograd
