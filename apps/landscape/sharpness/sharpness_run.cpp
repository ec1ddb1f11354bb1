#include "apps/landscape/sharpness/sharpness_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"
#include "landscape/sharpness/reparametrisation.h"
#include "landscape/surface/non_convex_share.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What must agree for a file to be continued. A measure's own settings are beside it.
const std::vector<std::string> kIdentity = {"model_hash", "data_hash", "images", "data",
                                            "loss",       "bn_mode",   "device", "subset"};

/// Logits of the rescaled network may differ by that share of the largest.
constexpr double kSameFunction = 1e-3;
constexpr int kSlicePoints = 41;

double length(const Tensor& v) {
  double squares = 0;
  for (int64_t i = 0; i < v.size(); ++i)
    squares += static_cast<double>(v.data<float>()[i]) * v.data<float>()[i];
  return std::sqrt(squares);
}

bool is_of_test_images(const std::string& name) {
  return name == "test_loss" || name == "test_error" || name == "gap";
}

std::vector<double> losses_along(NetworkLoss& loss, const Tensor& direction,
                                 const std::vector<double>& alphas) {
  std::vector<double> losses;
  for (const LossValue& there : loss.along(direction, alphas)) losses.push_back(there.loss);
  return losses;
}

}  // namespace

SharpnessRun::SharpnessRun(const cxxopts::ParseResult& flags, const SharpnessSettings& settings,
                           const std::string& command, const std::string& model,
                           const std::string& output, const std::string& surface, ThreadPool& pool)
    : flags_(flags),
      settings_(settings),
      pool_(pool),
      model_(load_model(model)),
      output_(output),
      surface_(surface),
      images_(surface_images(flags, model_, false)) {
  require(images_.sets.size() == 1,
          "--split both: sharpness is of one set; choose train or test (test_error is of the test "
          "images in any case)");
  // Of a few images there is no need to keep the rest of their split, for every network.
  LabelledImages& images = images_.sets[0];
  if (cli::whole(flags, "images", 0, 1 << 30) > 0) {
    images.images = images.images.clone();
    images.labels = images.labels.clone();
  }
  describe(command);
  continue_or_begin();
  if (model_.spec.activation != Activation::relu)
    cli::say("landscape: note: ", model,
             ": filter-normalised measures are invariant to rescaling because ReLU networks are; "
             "this one uses ",
             name_of(model_.spec.activation));
  note_clean_labels(flags_, images_, model_);
}

void SharpnessRun::describe(const std::string& command) {
  Provenance& p = panel_.provenance;
  describe_model(p, model_);
  images_.describe(p);
  p["loss"] = name_of(cli::loss(flags_));
  p["bn_mode"] = "frozen";
  p["parameters"] = text(model_.graph.layout().parameter_count());
  describe_run(p, pool_.device(), command);
}

void SharpnessRun::continue_or_begin() {
  if (is_there(output_)) {
    const SharpnessPanel saved = SharpnessPanel::load(output_);
    require_same_command(output_, saved.provenance, panel_.provenance, kIdentity);
    panel_.measures = saved.measures;
    panel_.test = saved.test;
  }
  take_surface();
  save();
}

void SharpnessRun::take_surface() {
  if (surface_.empty()) return;
  const Surface surface = Surface::load(surface_);
  const auto hash = surface.provenance.find("model_hash");
  require(hash == surface.provenance.end() || hash->second == panel_.provenance.at("model_hash"),
          "--surface ", surface_, " is of another network than ", model_.path);
  const std::string plane = images_.names[0] + "_loss";
  const NonConvexShare found = non_convex_share(surface, plane);
  require(found.points > 0, "--surface ", surface_,
          " has no interior point that is done, with all of its neighbours");
  SharpnessPanel::put(panel_.measures,
                      {"non_convex_share",
                       {found.share, std::numeric_limits<double>::quiet_NaN()},
                       text(plane, " at ", found.points, " points of ", surface.nx(), "x",
                            surface.ny(), ", x ", surface.x().front(), " to ", surface.x().back(),
                            ", y ", surface.y().front(), " to ", surface.y().back())});
}

NetworkLoss SharpnessRun::loss_of(const Tensor& theta, const Tensor& running_stats,
                                  const StopFlag& stop) {
  return NetworkLoss({.graph = model_.graph,
                      .theta = theta,
                      .running_stats = running_stats,
                      .images = images_.sets[0],
                      .loss = cli::loss(flags_),
                      .forced = cli::forced_implementations(flags_)},
                     pool_, stop);
}

LossSums SharpnessRun::test_sums() {
  if (test_sums_) return *test_sums_;
  const std::string source = cli::text_of(flags_, "data", "synthetic");
  const DataSplits data = load_data({.source = source, .image_size = model_.spec.image_size});
  LabelledImages images = data.test.view();
  images.normalisation = model_.info.normalisation;
  require(settings_.test_images <= images.count(), "--test-images ", settings_.test_images,
          ": the test split has only ", images.count());
  test_sums_ = evaluate(model_.graph, model_.weights.theta, model_.weights.running_stats,
                        images.first(settings_.test_images), cli::loss(flags_), pool_);
  return *test_sums_;
}

std::vector<std::string> SharpnessRun::to_do(const std::vector<Measure>& measures,
                                             const std::vector<std::string>& names) const {
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    const Measure* there = SharpnessPanel::find_measure(measures, name);
    if (!there || there->settings != settings_.of(name)) missing.push_back(name);
  }
  return missing;
}

void SharpnessRun::measure_into(std::vector<Measure>& measures,
                                const std::vector<std::string>& names, const Tensor& theta,
                                const Tensor& running_stats, const std::string& label) {
  const std::vector<std::string> missing = to_do(measures, names);
  ProgressBar bar(static_cast<int64_t>(missing.size()));
  int64_t done = 0;
  NetworkLoss loss = loss_of(theta, running_stats, [&] {
    if (bar.due(done)) bar.update(done, label, missing[static_cast<size_t>(done)]);
    return cli::interrupted();
  });
  const MeasuredNetwork network{model_.graph.layout(), loss, pool_, [&] { return test_sums(); }};
  for (const std::string& name : missing) {
    const Estimate estimate = measure(name, settings_, network);
    SharpnessPanel::put(measures, {name, estimate, settings_.of(name)});
    save();
    done = std::min<int64_t>(done + 1, static_cast<int64_t>(missing.size()) - 1);
  }
}

void SharpnessRun::measure_all() {
  measure_into(panel_.measures, settings_.measures, model_.weights.theta,
               model_.weights.running_stats, fs::path(output_).filename().string());
}

void SharpnessRun::test_reparametrisation(double factor) {
  const RescaledNetwork other =
      rescaled(model_.graph, model_.weights.theta, model_.weights.running_stats, factor);
  if (panel_.test && panel_.test->description != other.description) panel_.test.reset();
  if (!panel_.test) {
    ReparametrisationTest test{.description = other.description};
    compare_logits(other.theta, other.running_stats, test);
    panel_.test = test;
  }
  if (panel_.test->slices.empty()) slice_both(other.theta, other.running_stats, *panel_.test);
  std::vector<std::string> names;
  for (const std::string& name : settings_.measures)
    if (!is_of_test_images(name)) names.push_back(name);
  measure_into(panel_.test->measures, names, other.theta, other.running_stats, "rescaled");
}

void SharpnessRun::compare_logits(const Tensor& theta, const Tensor& running_stats,
                                  ReparametrisationTest& test) {
  const LabelledImages& images = images_.sets[0];
  const Shape shape{images.count(), model_.graph.classes()};
  const Tensor before(shape), after(shape);
  const LossKind kind = cli::loss(flags_);
  evaluate(model_.graph, model_.weights.theta, model_.weights.running_stats, images, kind, pool_,
           before);
  evaluate(model_.graph, theta, running_stats, images, kind, pool_, after);
  bool numbers = true;
  for (int64_t i = 0; i < before.size(); ++i) {
    const double was = before.data<float>()[i], is = after.data<float>()[i];
    numbers = numbers && std::isfinite(was) && std::isfinite(is);
    test.largest_logit = std::max(test.largest_logit, std::abs(was));
    test.largest_difference = std::max(test.largest_difference, std::abs(is - was));
  }
  require(numbers && test.largest_difference <= kSameFunction * test.largest_logit,
          "rescaling changed what the network computes: logits up to ", test.largest_logit,
          " differ by ", numbers ? text(test.largest_difference) : "what is no number",
          "; choose a --factor nearer to 1");
}

void SharpnessRun::slice_both(const Tensor& theta, const Tensor& running_stats,
                              ReparametrisationTest& test) {
  const ParameterLayout& layout = model_.graph.layout();
  const StopFlag stop = [] { return cli::interrupted(); };
  NetworkLoss before = loss_of(model_.weights.theta, model_.weights.running_stats, stop);
  NetworkLoss after = loss_of(theta, running_stats, stop);
  std::vector<double> alphas;
  for (int i = 0; i < kSlicePoints; ++i) alphas.push_back(-1 + 2.0 * i / (kSlicePoints - 1));
  const auto filter_direction = [&](const NetworkLoss& loss) {
    return filter_normalised_directions(layout, loss.theta(), 1, settings_.seed)[0];
  };
  const Tensor own = filter_direction(before);
  // The same vector for both networks, as long as the original's filter-normalised one.
  const Tensor plain = normal_directions(layout, before.theta(), false, 1, settings_.seed)[0];
  const double scale = length(own) / length(plain);
  for (int64_t i = 0; i < plain.size(); ++i)
    plain.data<float>()[i] = static_cast<float>(scale * plain.data<float>()[i]);
  test.slices = {
      {"filter", alphas, losses_along(before, own, alphas),
       losses_along(after, filter_direction(after), alphas)},
      {"plain", alphas, losses_along(before, plain, alphas), losses_along(after, plain, alphas)}};
  save();
}

std::string SharpnessRun::title() const {
  return text(panel_.provenance.at("model_name"), " over ", images_.sets[0].count(), " ",
              images_.description, " images, ", panel_.provenance.at("loss"), ", BatchNorm frozen");
}

}  // namespace topograd
