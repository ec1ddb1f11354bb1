// One network's panel of measures, and its file.
#pragma once

#include <memory>
#include <string>

#include "apps/common/model_file.h"
#include "apps/common/progress.h"
#include "apps/landscape/common/image_flags.h"
#include "apps/landscape/sharpness/sharpness_measures.h"

namespace topograd {

class SharpnessRun {
 public:
  /// Reads the network, its images and what its file already has; writes the file, so that a place
  /// that cannot be written fails now. `surface` may be empty. Everything handed in must outlive
  /// it.
  SharpnessRun(const cxxopts::ParseResult& flags, const SharpnessSettings& settings,
               const std::string& command, const std::string& model, const std::string& output,
               const std::string& surface, ThreadPool& pool);

  /// Works out what the file lacks, and keeps every measure as it is done. Throws MeasuringStopped
  /// at Ctrl-C.
  void measure_all();
  /// The measures of the same network, rescaled by `factor`. Throws Error where nothing can be
  /// rescaled, or the logits say that it is another network.
  void test_reparametrisation(double factor);

  const SharpnessPanel& panel() const { return panel_; }
  const std::string& output() const { return output_; }
  /// "resnet20 over 512 CIFAR-10 training images".
  std::string title() const;

 private:
  void describe(const std::string& command);
  void continue_or_begin();
  void take_surface();
  void measure_into(std::vector<Measure>& measures, const std::vector<std::string>& names,
                    const Tensor& theta, const Tensor& running_stats, const std::string& label);
  std::vector<std::string> to_do(const std::vector<Measure>& measures,
                                 const std::vector<std::string>& names) const;
  void compare_logits(const Tensor& theta, const Tensor& running_stats,
                      ReparametrisationTest& test);
  void slice_both(const Tensor& theta, const Tensor& running_stats, ReparametrisationTest& test);
  NetworkLoss loss_of(const Tensor& theta, const Tensor& running_stats, const StopFlag& stop);
  LossSums test_sums();
  void save() const { panel_.save(output_); }

  const cxxopts::ParseResult& flags_;
  const SharpnessSettings& settings_;
  ThreadPool& pool_;
  LoadedModel model_;
  std::string output_, surface_;
  SurfaceImages images_;
  SharpnessPanel panel_;
  std::optional<LossSums> test_sums_;
};

}  // namespace topograd
