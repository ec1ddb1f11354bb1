// One network's panel of measures: a computation that keeps each of them in a file when it is done,
// and continues that file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/load.h"
#include "kernels/core/thread_pool.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"
#include "landscape/results/resumable_file.h"
#include "landscape/sharpness/panel_measures.h"
#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

class SharpnessAnalysis {
 public:
  /// Chooses the images, reads what the file at `output` already has of them, and, unless it is only
  /// planned, writes it, so that a place that cannot be written fails now. `run` says how this was asked for
  /// (describe_run); `surface`, where not empty, is the file of a surface of the same network, for
  /// non_convex_share. Throws Error where the output is of another network, of other images or
  /// another loss. Settings, pool and observer must outlive it.
  SharpnessAnalysis(const SharpnessSettings& settings, LoadedModel model,
                    const ImageSelection& selection, const std::string& surface,
                    const Provenance& run, std::string output, ThreadPool& pool, Observer& observer,
                    Purpose purpose = Purpose::run);

  /// Returns the measures that the file lacks.
  std::vector<std::string> measures_ahead() const;
  /// Returns the work of what the file lacks; with `rescaled` also that of test_reparametrisation(),
  /// as if nothing of it were there.
  Workload work_ahead(bool rescaled) const;
  /// Returns the number of test images that it will evaluate.
  int64_t test_images_ahead() const;

  /// Works out what the file lacks, and keeps every measure as it is done. Throws Interrupted where
  /// the observer asks to stop.
  void measure_all();
  /// Works out the same measures of the network rescaled by `factor`. Throws Error where nothing
  /// can be rescaled, or the logits say that it is another function; Interrupted as above.
  void test_reparametrisation(double factor);

  const LoadedModel& model() const { return model_; }
  const LabelledImages& images() const { return images_.sets[0]; }
  /// Returns "train" or "test".
  const std::string& image_set() const { return images_.names[0]; }
  /// Returns the accuracy of a guess, percent; 0 where images have numbers.
  double chance() const { return images_.chance(model_.graph.classes()); }
  const std::string& image_description() const { return images_.description; }
  const SharpnessPanel& panel() const { return panel_; }
  /// Describes it for a reader: "resnet20 over 512 CIFAR-10 training images, ...".
  std::string title() const;

 private:
  void describe(const Provenance& run);
  void continue_or_begin(const std::string& surface);
  void take_surface(const std::string& path);
  void measure_into(std::vector<Measure>& measures, const std::vector<std::string>& names,
                    const Tensor& theta, const Tensor& running_stats, const std::string& label);
  std::vector<std::string> to_do(const std::vector<Measure>& measures,
                                 const std::vector<std::string>& names) const;
  Tensor logits_of(const Tensor& theta, const Tensor& running_stats);
  NetworkLoss loss_of(const Tensor& theta, const Tensor& running_stats, const StopFlag& stop);
  SampledSums test_sums();
  DataSplits test_data() const;
  void save() const {
    if (purpose_ == Purpose::run) panel_.save(output_);
  }

  SharpnessSettings settings_;
  ThreadPool& pool_;
  Observer& observer_;
  LoadedModel model_;
  std::string output_;
  Purpose purpose_;
  std::optional<OutputClaim> claim_;
  std::string source_;
  ImageSets images_;
  SharpnessPanel panel_;
  std::optional<SampledSums> test_sums_;  // worked out once
};

}  // namespace topograd
