// The loss on a plane through a trained network, at 5x3 points: surface MODEL.safetensors DATA
#include <cstdio>

#include "landscape/planes/random_directions.h"
#include "landscape/surface/surface_computation.h"

using namespace topograd;

int main(int, char** argv) {
  const LoadedModel model = load_model(argv[1]);
  const ImageSets images = select_images({.source = argv[2], .count = 200}, model);
  const SurfaceDirections directions = random_directions({.seed = 1}, model);
  const SurfaceSettings settings{.x = Axis{-1, 1, 5}, .y = Axis{-1, 1, 3}};
  ThreadPool pool;
  Observer observer;
  const Surface surface = compute_surface(settings, model, images, directions, pool, observer);
  for (const double loss : surface.plane("train_loss")) std::printf("%.17g\n", loss);
  surface.save("surface.h5");
}
