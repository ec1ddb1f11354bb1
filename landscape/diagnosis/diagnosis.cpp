#include "landscape/diagnosis/diagnosis.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/core/format.h"
#include "landscape/diagnosis/chance.h"
#include "landscape/directions/direction.h"
#include "landscape/evaluation/evaluator.h"
#include "landscape/sharpness/network_loss.h"

namespace topograd {

namespace {

/// Shares of the loss beyond which a finding is a warning, if it is one of the picture's range as
/// well: a network that fits its images has a loss near 0, of which anything is a large share.
constexpr double kStaleStatistics = 0.2, kDescent = 0.1, kVisible = 0.01;
/// Distances along a filter-normalised direction, in lengths of the filters.
constexpr std::array<double, 9> kDistances = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};

std::string percent(double value) {
  return text(significant(value, 4), " %");
}

int64_t not_finite(const Tensor& tensor) {
  if (!tensor.defined()) return 0;
  const Tensor values = tensor.to(Device::cpu);
  const float* begin = values.data<float>();
  return std::count_if(begin, begin + values.size(), [](float x) { return !std::isfinite(x); });
}

class Diagnosis {
 public:
  Diagnosis(const DiagnosisSettings& settings, const LoadedModel& model, const ImageSets& images,
            ThreadPool& pool, Observer& observer)
      : settings_(settings),
        model_(model),
        images_(images),
        pool_(pool),
        observer_(observer),
        loss_({.graph = model.graph,
               .theta = model.weights.theta,
               .running_stats = model.weights.running_stats,
               .images = images.sets.front(),
               .loss = settings.loss,
               .forced = settings.forced},
              pool, [&observer] { return observer.stop_requested(); }) {}

  std::vector<Finding> run() {
    Stage stage(observer_, "diagnosis", 4);
    if (!examine_weights()) return findings_;
    using Step = void (Diagnosis::*)();
    for (const Step step : {&Diagnosis::examine_accuracy, &Diagnosis::examine_range,
                            &Diagnosis::examine_statistics, &Diagnosis::examine_gradient}) {
      observer_.advance(++done_, [] { return std::string(); });
      stop_if_requested(observer_, "nothing was written");
      (this->*step)();
    }
    return findings_;
  }

 private:
  const Tensor& theta() const { return model_.weights.theta; }
  /// What a guess gives, percent; 0 where images have numbers in place of a class.
  double chance() const { return images_.chance(model_.graph.classes()); }
  double images() const { return static_cast<double>(loss_.images()); }
  void fine(const std::string& subject, const std::string& text) {
    findings_.push_back({false, subject, text});
  }
  void warn(const std::string& subject, const std::string& text) {
    findings_.push_back({true, subject, text});
  }

  bool examine_weights() {
    const int64_t weights = not_finite(theta()),
                  statistics = not_finite(model_.weights.running_stats);
    if (weights + statistics > 0) {
      warn("weights", text(weights, " of ", theta().size(), " parameters and ", statistics,
                           " of BatchNorm's statistics are NaN or infinite: the training diverged; "
                           "take an earlier checkpoint"));
      return false;
    }
    fine("weights", text(theta().size(), " parameters, all finite"));
    return true;
  }

  /// Whether the images, as they are read and standardised here, are those that it was trained on.
  void examine_accuracy() {
    const double accuracy = 100 - loss_.centre().error;
    const std::string said = text(percent(accuracy), " of ", loss_.images(), ' ', images_.names[0],
                                  " images, loss ", significant(loss_.centre().loss, 4));
    if (chance() == 0)
      fine(std::isnan(accuracy) ? "loss" : "accuracy",
           text(std::isnan(accuracy) ? "" : percent(accuracy) + " of ", loss_.images(), ' ',
                images_.names[0], " images, loss ", significant(loss_.centre().loss, 4)));
    else if (!is_chance(accuracy, chance(), images()))
      fine("accuracy", text(said, "; by chance ", percent(chance())));
    else {
      is_chance_ = true;
      warn("accuracy", text(said, ", which is what chance gives (", percent(chance()),
                            "): another data set, another normalisation, classes in another order, "
                            "or an untrained network"));
    }
  }

  /// Whether BatchNorm's running statistics are those of the weights.
  void examine_statistics() {
    if (!model_.weights.running_stats.defined() || model_.weights.running_stats.size() == 0) {
      fine("BatchNorm", "none");
      return;
    }
    const Directions line{.x = {Tensor::zeros(theta().shape()), Tensor()}, .y = {}};
    const int64_t batch = std::min<int64_t>(128, loss_.images());
    if (batch < 2) return;
    Evaluator evaluator({.graph = model_.graph,
                         .theta = theta(),
                         .running_stats = model_.weights.running_stats,
                         .planes = {&line, 1},
                         .sets = {images_.sets.data(), 1},
                         .losses = {settings_.loss},
                         .batchnorm = PointBatchnorm::recomputed,
                         .statistics_batch = batch,
                         .forced = settings_.forced},
                        pool_);
    const PlanePosition origin;
    const LossSums again = evaluator.evaluate({&origin, 1})[0][0][0];
    const double before = loss_.centre().loss, after = again.mean();
    const std::string said = text("loss ", significant(before, 4), " with its running statistics, ",
                                  significant(after, 4), " with those of these images");
    // Below a standard error a difference says nothing, and tiny losses differ by large shares.
    const double noise = 3 * loss_.centre().loss_standard_error;
    if (std::isfinite(before) &&
        before - after <= std::max({kStaleStatistics * after, kVisible * rise_, noise}))
      fine("BatchNorm", said);
    else
      warn("BatchNorm", said +
                            ": they do not fit the weights (averaged or edited weights, a small "
                            "momentum, frozen layers); --bn recompute estimates them anew");
  }

  /// Whether a step along the gradient lowers the loss.
  void examine_gradient() {
    const Tensor gradient = Tensor::zeros(theta().shape());
    loss_.gradient(gradient, Tensor());
    double length = 0;
    float* g = gradient.data<float>();
    for (int64_t i = 0; i < gradient.size(); ++i) length += double{g[i]} * double{g[i]};
    length = std::sqrt(length);
    const double loss = loss_.centre().loss;
    if (!(length > 0)) {
      fine("minimum", "the gradient is 0");
      return;
    }
    for (int64_t i = 0; i < gradient.size(); ++i) g[i] = static_cast<float>(-g[i] / length);
    // Losses at steps of all sizes: a Newton step needs a positive curvature, which may not be there.
    std::vector<double> steps;
    for (double step = 1e-4; step < 2; step *= 2) steps.push_back(step);
    double lowest = loss, at = 0;
    const std::vector<LossValue> along = loss_.along(gradient, steps);
    for (size_t k = 0; k < steps.size(); ++k)
      if (along[k].loss < lowest) {
        lowest = along[k].loss;
        at = steps[k];
      }
    const std::string said = text(
        "|gradient| ", significant(length, 3), "; the best step along it, ", significant(at, 2),
        " long, lowers the loss from ", significant(loss, 4), " to ", significant(lowest, 4));
    if (loss - lowest <= std::max(kDescent * loss, kVisible * rise_))
      fine("minimum", said);
    else
      warn("minimum",
           said +
               ": the network is not at a minimum of this loss over these images (too "
               "few epochs, another loss, other images or augmentation); the lowest point "
               "of a picture will not be its centre");
  }

  /// Which range of a random direction shows more than the plateau, and more than noise.
  void examine_range() {
    const Direction d = random_direction(model_.graph.layout(), theta(),
                                         model_.weights.running_stats, settings_.seed, 0);
    std::vector<double> at;
    for (const double distance : kDistances) at.insert(at.end(), {-distance, distance});
    const std::vector<LossValue> along = loss_.along(d.parameters, at);
    const LossValue& centre = loss_.centre();
    double seen = 0, plateau = 0;  // the nearest distances at which the loss moves, and is lost
    for (size_t k = 0; k < kDistances.size(); ++k) {
      const LossValue &left = along[2 * k], &right = along[2 * k + 1];
      const double rise =
          std::max(std::abs(left.loss - centre.loss), std::abs(right.loss - centre.loss));
      if (seen == 0 && !(rise <= std::max(0.1 * centre.loss, 3 * centre.loss_standard_error)))
        seen = kDistances[k];
      if (kDistances[k] == 1 && std::isfinite(rise))
        rise_ = std::min(rise, std::log(static_cast<double>(model_.spec.classes)));
      const double lost = 100 - 1.5 * chance();
      if (plateau == 0 && left.error >= lost && right.error >= lost) plateau = kDistances[k];
    }
    if (seen == 0) {
      warn("range",
           text("up to ", kDistances.back(),
                " along a filter-normalised random direction the "
                "loss stays within a tenth, or three standard errors: such a picture shows "
                "nothing; try --norm none, or another direction"));
      return;
    }
    const std::string said = text("along a filter-normalised random direction the loss moves from ",
                                  significant(seen, 2), " on");
    if (plateau == 0 || plateau >= 1 || is_chance_)
      fine("range", text(said, "; -1:1 shows it"));
    else
      warn("range", text(said, ", and from ", significant(plateau, 2),
                         " on the accuracy is chance: -1:1 "
                         "shows mostly that plateau, -",
                         significant(plateau, 2), ':', significant(plateau, 2), " the minimum"));
  }

  const DiagnosisSettings& settings_;
  const LoadedModel& model_;
  const ImageSets& images_;
  ThreadPool& pool_;
  Observer& observer_;
  NetworkLoss loss_;
  int64_t done_ = 0;
  bool is_chance_ = false;  // its accuracy
  double rise_ = 0;  // of the loss at the ends of -1:1 along a random direction; at most to chance
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> diagnose(const DiagnosisSettings& settings, const LoadedModel& model,
                              const ImageSets& images, ThreadPool& pool, Observer& observer) {
  return Diagnosis(settings, model, images, pool, observer).run();
}

}  // namespace topograd
