#include "apps/landscape/common/loss_flags.h"

#include <algorithm>

#include "apps/common/spelling.h"
#include "kernels/core/check.h"
#include "landscape/evaluation/model_data.h"

namespace topograd {

namespace {

constexpr const char* kHelp =
    "mse is of the softmax; a constant stands after a colon, as in huber:0.5 or focal:2, class "
    "weights after another, as in cross_entropy:weights=1/1/2";
constexpr const char* kDefault = "that of the network's training";

std::vector<std::string> words_in(const std::string& list) {
  TextReader in(list + ",");  // the added comma makes an empty last word count too
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

/// Adds a loss to those that a list names, each kind once, and of top_k each k: planes are called by
/// them.
void add_once(std::vector<Loss>& losses, const Loss& loss, const char* option,
              const std::string& word) {
  require(std::none_of(losses.begin(), losses.end(),
                       [&](const Loss& other) {
                         return other.kind == loss.kind &&
                                (loss.kind != LossKind::top_k || other.constant == loss.constant);
                       }),
          option, " names ", word, " twice: once is enough");
  losses.push_back(loss);
}

}  // namespace

void LossFlag::add_to(cli::Options& options) {
  options.group("Data").named("loss,l,loss-name", chosen, loss_named, loss_names(), kDefault,
                              kHelp);
}

Loss LossFlag::of(const CheckpointInfo& network) const {
  return chosen ? *chosen : trained_loss(network);
}

Loss LossFlag::of(const std::string& path) const {
  return chosen ? *chosen : trained_loss(load_model(path).info);
}

void LossesFlag::add_to(cli::Options& options) {
  options.group("Data")
      .value("loss,l,loss-name", "NAME,...",
             cli::enumerated(loss_names()) +
                 "; or both, cross_entropy and mse; of several the first is the one that pictures "
                 "show; " +
                 kHelp,
             "",
             [this](const std::string&, const std::string& list) {
               chosen.clear();
               for (const std::string& word : words_in(list == "both" ? "cross_entropy,mse" : list))
                 add_once(chosen, loss_named(word), "--loss", word);
             })
      .shown_default(kDefault)
      .value("measures", "NAME,...",
             "beside the loss and the accuracy: top5 (or another number), confidence, margin, "
             "calibration",
             "",
             [this](const std::string&, const std::string& list) {
               measures.clear();
               for (const std::string& word : words_in(list))
                 add_once(measures, measure_named(word), "--measures", word);
             })
      .shown_default("none");
}

std::vector<Loss> LossesFlag::of(const CheckpointInfo& network) const {
  return chosen.empty() ? std::vector{trained_loss(network)} : chosen;
}

}  // namespace topograd
