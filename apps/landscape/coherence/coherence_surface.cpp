#include "apps/landscape/coherence/coherence_surface.h"

#include <filesystem>
#include <iostream>

#include "apps/common/terminal_observer.h"
#include "apps/landscape/common/surface_map_flags.h"
#include "landscape/results/run_description.h"
#include "landscape/surface/recorded_directions.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kPlanes = {
    "coherence_cosine",    "coherence_snr",        "gradient_norm",    "coherence_accuracy",
    "coherence_cosine_se", "coherence_cosine_min", "coherence_loss",   "coherence_noise_scale",
    "coherence_snr_se",    "batch_gradient_norm",  "inner_product_min"};

SurfaceMap::Values values_of(const Coherence& found) {
  const CoherenceStatistics& s = found.all;
  return {{"coherence_loss", found.loss},
          {"coherence_accuracy", found.accuracy},
          {"coherence_cosine", s.cosine},
          {"coherence_cosine_se", s.cosine_se},
          {"coherence_cosine_min", s.cosine_min},
          {"coherence_snr", s.snr},
          {"coherence_snr_se", s.snr_se},
          {"coherence_noise_scale", s.noise_scale},
          {"gradient_norm", s.gradient_norm},
          {"batch_gradient_norm", s.batch_gradient_norm},
          {"inner_product_min", s.inner_product_min}};
}

class CoherenceSurface {
 public:
  CoherenceSurface(const cxxopts::ParseResult& flags, const std::string& model_path,
                   const std::string& command)
      : flags_(flags),
        pool_(cli::pool(flags)),
        choice_(flags),
        model_(load_model(model_path, cli::text_of(flags, "model"))),
        images_(coherence_images(flags, model_)) {
    cli::force_implementations(flags, pool_);
    GradientSampler::check(choice_.spec(model_.graph, images_.sets[0]));
    const std::string over = cli::text_of(flags, "over");
    Provenance run;
    describe_run(run, pool_.device(), command);
    const Surface source = Surface::load(over);
    map_.emplace(SurfaceMapSettings{.over = over,
                                    .output = output(),
                                    .save_seconds = cli::real(flags, "save-seconds", 0, 1e9),
                                    .quantity = "coherence of gradients",
                                    .planes = kPlanes,
                                    .choices = choices(),
                                    .run = run},
                 source,
                 directions_of_surface(source, over, model_, cli::text_of(flags, "dir-file")),
                 model_, observer_);
  }

  int run() {
    note_clean_labels(flags_, images_, model_);
    GradientSampler sampler(choice_.spec(model_.graph, images_.sets[0]), pool_);
    map_->compute([&](const SurfaceMap::Point& point) -> std::optional<SurfaceMap::Values> {
      const std::optional<Coherence> found =
          sampler.at(point.theta, point.running_stats, [](int64_t) { return !cli::interrupted(); });
      if (!found) return std::nullopt;
      return values_of(*found);
    });
    report();
    return 0;
  }

 private:
  std::string output() const {
    return cli::text_of(flags_, "output",
                        fs::path(cli::text_of(flags_, "over")).stem().string() + "_coherence.h5");
  }

  Provenance choices() const {
    Provenance p;
    images_.describe(p);
    choice_.describe(p);
    p["precision"] = "f32";
    return p;
  }

  void report() const {
    const std::string sample = text(choice_.batches, " minibatches of ", choice_.batch_size,
                                    " images, ", images_.description, ", BatchNorm ");
    std::cout << output() << ": " << map_->surface().points() << " points, gradients of " << sample
              << map_->surface().provenance.at("bn_mode") << '\n';
    print_ranges(map_->surface());
    if (flags_.count("no-pictures") != 0 || !can_draw_map(map_->surface())) return;
    draw_map(map_->surface(), output(), "coherence_cosine",
             "mean cosine of two minibatches' gradients", "cosine", sample + choice_.bn);
    draw_map(map_->surface(), output(), "coherence_snr",
             "signal-to-noise ratio of a minibatch's gradient", "snr", sample + choice_.bn);
  }

  const cxxopts::ParseResult& flags_;
  ThreadPool pool_;
  CoherenceChoice choice_;
  LoadedModel model_;
  SurfaceImages images_;
  cli::TerminalObserver observer_{"landscape"};
  std::optional<SurfaceMap> map_;
};

}  // namespace

int run_coherence_surface(const cxxopts::ParseResult& flags, const std::string& model_path,
                          const std::string& command) {
  return cli::run_interruptible("landscape",
                                [&] { return CoherenceSurface(flags, model_path, command).run(); });
}

}  // namespace topograd
