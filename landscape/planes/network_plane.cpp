#include "landscape/planes/network_plane.h"

#include "landscape/directions/plane.h"
#include "landscape/planes/direction_recipe.h"
#include "landscape/results/result_names.h"

namespace topograd {

SurfaceDirections network_plane(const NetworkPlane& settings, const LoadedModel& model) {
  Directions plane{direction_to(model, settings.second, settings.type),
                   direction_to(model, settings.third, settings.type)};
  const OrthonormalPlane orthonormal = orthonormal_plane(plane.x, *plane.y);
  const std::string a = network_name(model.path);
  const std::string b = network_name(settings.second), c = network_name(settings.third);
  SurfaceDirections made;
  made.type = settings.type;
  made.recipe = to_json(DirectionRecipe(settings));
  if (settings.orthonormal) {
    const auto [basis, bx, cx, cy] = orthonormal;
    plane = basis;
    const double margin = 0.25 * std::max(bx, cy);
    made.x_axis = covering_axis({bx, cx}, margin, 41);
    made.y_axis = covering_axis({cy}, margin, 41);
    made.x_text = "towards " + b + ", in units of length";
    made.y_text = "orthogonal to it, towards " + c;
    made.networks = {{a, 0, 0}, {b, bx, 0}, {c, cx, cy}};
  } else {
    made.x_axis = made.y_axis = {-0.5, 1.5, 41};
    made.x_text = "from " + a + " to " + b;
    made.y_text = "from " + a + " to " + c;
    made.networks = {{a, 0, 0}, {b, 1, 0}, {c, 0, 1}};
  }
  made.planes.push_back(plane);
  return made;
}

}  // namespace topograd
