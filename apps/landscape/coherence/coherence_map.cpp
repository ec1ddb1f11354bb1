#include "apps/landscape/coherence/coherence_map.h"

#include <filesystem>

#include "apps/common/console.h"
#include "apps/landscape/coherence/coherence_plan.h"
#include "landscape/coherence/coherence_map.h"
#include "landscape/planes/recorded_directions.h"
#include "landscape/results/result_names.h"

namespace topograd {

int map_coherence(const CoherenceFlags& flags, const Provenance& run, ThreadPool& pool,
                  Observer& observer) {
  const LoadedModel model = load_model(flags.models[0], flags.expected_model.value_or(""));
  const ImageSets images = select_coherence_images(flags.images, model);
  const CoherenceSettings settings = flags.settings.fitted(images.sets[0].count());
  const CoherenceSpec spec = settings.spec(model.graph, images.sets[0]);
  GradientSampler::check(spec);
  const std::string& over = *flags.map.over;
  const std::string output = flags.output.value_or(result_beside(over, "coherence"));
  Provenance choices;
  images.describe(choices);
  settings.describe(choices);
  choices["precision"] = "f32";
  const Surface source = Surface::load(over);
  SurfaceMap map({.over = over,
                  .output = output,
                  .save_seconds = flags.map.save_seconds,
                  .quantity = "coherence of gradients",
                  .planes = CoherenceAtPoints::planes(),
                  .choices = choices,
                  .run = run},
                 source,
                 directions_of_surface(source, over, model, flags.map.dir_file.value_or("")), model,
                 observer);
  if (const std::string note = clean_labels_note(flags.images, model); !note.empty())
    observer.note("note: " + note);
  const auto plans = [&](cli::Measurement measurement) {
    return std::vector{coherence_map_plan(settings, model, images, over, source.points(),
                                          map.points_to_do(), output, pool, measurement)};
  };
  if (!cli::goes_on(flags.dry_run, plans, pool, observer)) return 0;
  CoherenceAtPoints points(spec, pool, observer);
  map.compute([&](const SurfaceMap::Point& point) { return points.measure(point); });

  const std::string sample = text(settings.minibatches(), ", ", images.description, ", BatchNorm ");
  cli::out() << output << ": " << map.surface().points() << " points, gradients of " << sample
             << choices.at("bn_mode") << '\n';
  print_ranges(map.surface());
  if (flags.map.no_pictures || !can_draw_map(map.surface())) return 0;
  const std::string subtitle =
      sample + (settings.batchnorm == BatchnormMode::frozen ? "frozen" : "batch");
  draw_map(map.surface(), output, "coherence_cosine", "mean cosine of two minibatches' gradients",
           "cosine", subtitle);
  draw_map(map.surface(), output, "coherence_snr",
           "signal-to-noise ratio of a minibatch's gradient", "snr", subtitle);
  return 0;
}

}  // namespace topograd
