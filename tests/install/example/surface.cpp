// The loss on a plane through a trained network, at 5x3 points: surface MODEL.safetensors DATA
#include <cstdio>

#include "landscape/directions/direction.h"
#include "landscape/evaluation/evaluator.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/surface/grid.h"

using namespace topograd;

int main(int, char** argv) {
  const LoadedModel model = load_model(argv[1]);
  const Tensor theta = model.weights.theta, running_stats = model.weights.running_stats;
  const ImageSets images = select_images({.source = argv[2], .count = 200}, model);
  const auto direction = [&](uint32_t number) {
    return random_direction(model.graph.layout(), theta, running_stats, /*seed=*/1, number);
  };
  const std::vector<Directions> planes = {{direction(0), direction(1)}};
  ThreadPool pool;
  Evaluator evaluator({model.graph, theta, running_stats, planes, images.sets}, pool);
  for (const double beta : Axis{-1, 1, 3}.coordinates())
    for (const double alpha : Axis{-1, 1, 5}.coordinates())
      std::printf("%g %g %.17g\n", alpha, beta,
                  evaluator.evaluate({{{alpha, beta}}})[0][0][0].mean());
}
