#include "kernels/loss/loss_function.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "kernels/core/numbers.h"

namespace topograd {

namespace {

/// What is known of a kind.
struct Known {
  LossKind kind;
  std::string_view name, title;
  bool takes_numbers, takes_weights;
  std::string_view constant;  ///< its name; "" for kinds without
  double usual, lowest, highest;
};
constexpr double kNoLimit = kInfinity;
constexpr std::array kKnown{
    Known{LossKind::cross_entropy, "cross_entropy", "cross-entropy", true, true, "label smoothing",
          0, 0, 1},
    Known{LossKind::mse, "mse", "mean squared error", false, false, "", 0, 0, 0},
    Known{LossKind::squared_error, "squared_error", "squared error", true, true, "", 0, 0, 0},
    Known{LossKind::absolute_error, "absolute_error", "absolute error", true, true, "", 0, 0, 0},
    Known{LossKind::huber, "huber", "Huber loss", true, true, "delta", 1, 0, kNoLimit},
    Known{LossKind::bce, "bce", "binary cross-entropy", true, true, "", 0, 0, 0},
    Known{LossKind::focal, "focal", "focal loss", true, true, "gamma", 2, 0, kNoLimit},
    Known{LossKind::hinge, "hinge", "hinge loss", false, true, "margin", 1, 0, kNoLimit},
    Known{LossKind::squared_hinge, "squared_hinge", "squared hinge loss", false, true, "margin", 1,
          0, kNoLimit},
    Known{LossKind::top_k, "top_k", "top-k accuracy", false, false, "k", 5, 1, 1e9},
    Known{LossKind::confidence, "confidence", "confidence", false, false, "", 0, 0, 0},
    Known{LossKind::margin, "margin", "margin", false, false, "", 0, 0, 0},
    Known{LossKind::calibration_gap, "calibration_gap", "calibration gap", false, false, "bin", 0,
          0, kCalibrationBins - 1},
};
constexpr LossKind kLosses[] = {LossKind::cross_entropy,  LossKind::mse,   LossKind::squared_error,
                                LossKind::absolute_error, LossKind::huber, LossKind::bce,
                                LossKind::focal,          LossKind::hinge, LossKind::squared_hinge};

const Known& known(LossKind kind) {
  return kKnown[static_cast<size_t>(kind)];
}

std::string listed_losses() {
  std::string names;
  for (LossKind kind : kLosses) {
    if (!names.empty()) names.append(kind == *std::rbegin(kLosses) ? " or " : ", ");
    names.append(name_of(kind));
  }
  return names;
}

/// Reads the whole of a word as a number; NaN where it is none.
double number_in(const std::string& word) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  return word.empty() || *end != '\0' ? kNaN : value;
}

/// Returns what stands between the separators; of an empty text one empty word.
std::vector<std::string> words_between(const std::string& text, char separator) {
  TextReader in(text + separator);  // what is added makes an empty last word count too
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, separator);) words.push_back(word);
  return words;
}

Tensor weights_in(const std::string& list, const std::string& whole) {
  const std::vector<std::string> words = words_between(list, '/');
  const Tensor weights({std::ssize(words)}, DType::f64);
  for (size_t c = 0; c < words.size(); ++c) {
    weights.data<double>()[c] = number_in(words[c]);
    require(std::isfinite(weights.data<double>()[c]), "loss '", whole,
            "': write class weights as numbers with a slash between, as in weights=1/1/2.5");
  }
  return weights;
}

}  // namespace

std::string_view name_of(LossKind kind) {
  return known(kind).name;
}

std::span<const LossKind> loss_kinds() {
  return kLosses;
}

std::vector<std::string> loss_names() {
  std::vector<std::string> names;
  for (LossKind kind : kLosses) names.emplace_back(name_of(kind));
  return names;
}

bool is_measure(LossKind kind) {
  return std::find(std::begin(kLosses), std::end(kLosses), kind) == std::end(kLosses);
}

bool takes_numbers(LossKind kind) {
  return known(kind).takes_numbers;
}

bool tells_right_from_wrong(LossKind kind) {
  return kind != LossKind::squared_error && kind != LossKind::absolute_error &&
         kind != LossKind::huber;
}

Loss::Loss(LossKind of_kind) : kind(of_kind), constant(known(of_kind).usual) {}

Loss Loss::to(Device device) const {
  Loss there = *this;
  there.class_weights = class_weights.to(device);
  return there;
}

void Loss::check() const {
  const Known& what = known(kind);
  // Written so that NaN does not pass.
  const bool in_range =
      what.constant.empty()
          ? constant == 0
          : constant >= what.lowest && constant <= what.highest && std::isfinite(constant);
  require(in_range, "loss ", what.name, ": ",
          what.constant.empty()
              ? std::string("it has no constant")
              : text("its ", what.constant, " has to be a number from ", what.lowest,
                     what.highest == kNoLimit ? std::string(" on") : text(" to ", what.highest)),
          ", not ", constant);
  require(kind != LossKind::huber || constant > 0, "loss huber: its delta has to be above 0");
  if (!class_weights.defined()) return;
  require(what.takes_weights, "loss ", what.name, " takes no class weights");
  require(class_weights.shape().rank() == 1 && class_weights.dtype() == DType::f64, "loss ",
          what.name, ": class weights are f64 [C], not ", class_weights.shape(), " of ",
          name_of(class_weights.dtype()));
  if (class_weights.device() != Device::cpu) return;
  for (int64_t c = 0; c < class_weights.size(); ++c) {
    const double weight = class_weights.data<double>()[c];
    require(weight >= 0 && std::isfinite(weight), "loss ", what.name, ": the weight of class ", c,
            " has to be a number from 0 on, not ", weight);
  }
}

bool operator==(const Loss& a, const Loss& b) {
  return text_of(a) == text_of(b);
}

Loss loss_named(std::string_view name) {
  const std::string whole(name);
  const std::vector<std::string> parts = words_between(whole, ':');
  // The reference tool's spelling beside ours.
  const std::string kind = parts.front() == "crossentropy" ? "cross_entropy" : parts.front();
  const auto found = std::find_if(std::begin(kLosses), std::end(kLosses),
                                  [&](LossKind k) { return kind == name_of(k); });
  require(found != std::end(kLosses), "unknown loss '", kind, "': choose ", listed_losses());
  Loss loss(*found);
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].starts_with("weights=")) {
      loss.class_weights = weights_in(parts[i].substr(std::strlen("weights=")), whole);
      continue;
    }
    require(!known(loss.kind).constant.empty(), "loss '", whole, "': ", kind,
            " has no constant to be given");
    loss.constant = number_in(parts[i]);
    require(std::isfinite(loss.constant), "loss '", whole, "': '", parts[i],
            "' is no number: write its ", known(loss.kind).constant, " as ", kind, ":",
            known(loss.kind).usual);
  }
  loss.check();
  return loss;
}

Loss without_smoothing(Loss loss) {
  if (loss.kind == LossKind::cross_entropy) loss.constant = 0;
  return loss;
}

Loss measure_named(std::string_view name) {
  if (name == "confidence") return LossKind::confidence;
  if (name == "margin") return LossKind::margin;
  if (name == "calibration") return LossKind::calibration_gap;
  const double k =
      name.starts_with("top") ? number_in(std::string(name.substr(std::strlen("top")))) : kNaN;
  require(k >= 1 && k < 1e9 && k == std::floor(k), "unknown measure '", name,
          "': choose top5 (or another number), confidence, margin or calibration");
  return {LossKind::top_k, k};
}

std::string text_of(const Loss& loss) {
  std::string words(name_of(loss.kind));
  if (loss.constant != known(loss.kind).usual) words += text(':', shortest(loss.constant));
  if (!loss.class_weights.defined()) return words;
  const Tensor weights = loss.class_weights.to(Device::cpu);
  for (int64_t c = 0; c < weights.size(); ++c)
    words += text(c == 0 ? ":weights=" : "/", shortest(weights.data<double>()[c]));
  return words;
}

std::string title_of(const Loss& loss) {
  std::string words = loss.class_weights.defined() ? "weighted " : "";
  words += known(loss.kind).title;
  if (loss.constant != known(loss.kind).usual) words += text(" (", shortest(loss.constant), ")");
  return words;
}

}  // namespace topograd
