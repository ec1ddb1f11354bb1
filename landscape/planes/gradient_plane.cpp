#include "landscape/planes/gradient_plane.h"

#include <cmath>

#include "kernels/core/format.h"
#include "kernels/vector/vector.h"
#include "landscape/curvature/curvature_operator.h"
#include "landscape/directions/plane.h"
#include "landscape/planes/direction_recipe.h"
#include "landscape/planes/eigenvector_plane.h"

namespace topograd {

SurfaceDirections gradient_plane(const GradientPlane& settings, const LoadedModel& model,
                                 const ImageSets& images, ThreadPool& pool) {
  const Tensor& theta = model.weights.theta;
  Directions plane;
  plane.y = random_direction(model.graph.layout(), theta, model.weights.running_stats,
                             settings.seed, 1, settings.norm, settings.ignore);
  Context& context = pool.main_context();
  const bool batch = settings.batch > 0;
  CurvatureOperator curvature({.graph = model.graph,
                               .theta = theta,
                               .running_stats = model.weights.running_stats,
                               .images = images.sets[0],
                               .loss = settings.loss,
                               .mode = batch ? BatchnormMode::batch : BatchnormMode::frozen,
                               .batch = batch ? settings.batch : 128},
                              pool);
  const Tensor gradient({curvature.size()}, DType::f32, pool.device());
  curvature.gradient(gradient);
  const Tensor product({curvature.size()}, DType::f32, pool.device());
  curvature.multiply(product, gradient);
  const double length = norm(gradient, context);
  require(length > 0 && std::isfinite(length), "the gradient's length is ", length,
          ": it has no direction");
  Context on_cpu;
  const double as_long = norm(plane.y->parameters, on_cpu);
  plane.x = scaled(gradient.to(Device::cpu), -as_long / length);
  const double curved = dot(gradient, product, context) / (length * length);
  const double reach = std::min(1.0, reach_of(curved, theta) / as_long);
  SurfaceDirections made;
  made.planes.push_back(plane);
  made.seed = settings.seed;
  made.x_axis = covering_axis({-reach, reach}, 0, 51);
  made.x_text = "down the gradient, of length " + significant(length) + "; as long as y";
  made.y_text = text("random direction, norm ", name_of(settings.norm));
  made.recipe = to_json(DirectionRecipe(settings));
  return made;
}

}  // namespace topograd
