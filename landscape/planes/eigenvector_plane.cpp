#include "landscape/planes/eigenvector_plane.h"

#include <cmath>

#include "kernels/core/format.h"
#include "kernels/vector/vector.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/directions/plane.h"
#include "landscape/planes/direction_recipe.h"

namespace topograd {

namespace {

/// An eigenvector as a direction, with its axis and its description.
struct EigenvectorAxis {
  Direction direction;
  Axis axis;
  std::string text;
};

EigenvectorAxis axis_along(const EigenvectorPlane& settings, const CurvatureResults& results,
                           const EigenvectorName& name, const LoadedModel& model) {
  const std::string end = name.largest ? "largest" : "smallest";
  const std::optional<Eigenvalues>& found = name.largest ? results.largest : results.smallest;
  const int64_t count =
      found && found->vectors.defined() ? static_cast<int64_t>(found->values.size()) : 0;
  require(name.number <= count, settings.file, " holds ", count, " eigenvectors of the ", end,
          " eigenvalues, not number ", name.number, ": landscape hessian --", end, " ", name.number,
          " computes it");
  const Tensor& theta = model.weights.theta;
  const double value = found->values[static_cast<size_t>(name.number - 1)];
  const Tensor vector = found->vectors.rows(name.number - 1, name.number).reshaped({theta.size()});
  const bool normed = settings.norm != DirectionNorm::none;
  const double reach = reach_of(value, theta);
  return {
      normalised(scaled(vector, 1), model.graph.layout(), theta, settings.norm, settings.ignore),
      normed ? Axis{-1, 1, 51} : covering_axis({-reach, reach}, 0, 51),
      text(normed ? text(name_of(settings.norm), "-normalised") : "unit", " eigenvector, ",
           name.number == 1 ? end : text(end, " ", name.number), " eigenvalue ", significant(value),
           settings.ignore == Ignore::biasbn ? ", without biases and BatchNorm" : "")};
}

}  // namespace

std::string EigenvectorName::text() const {
  return topograd::text(largest ? "largest:" : "smallest:", number);
}

EigenvectorName eigenvector_named(const std::string& word) {
  const size_t colon = word.find(':');
  const std::string end = word.substr(0, colon);
  require(end == "largest" || end == "smallest", "--vectors: '", word,
          "' is no eigenvector: write such as largest:1,smallest:1");
  if (colon == word.npos) return {.largest = end == "largest"};
  const std::string digits = word.substr(colon + 1);
  require(!digits.empty() && digits.size() < 9 &&
              digits.find_first_not_of("0123456789") == digits.npos && std::stoll(digits) > 0,
          "--vectors: '", word, "' is no eigenvector: they are counted from 1");
  return {.largest = end == "largest", .number = std::stoll(digits)};
}

double reach_of(double curvature, const Tensor& theta) {
  Context context;
  return std::min(std::sqrt(2 / std::abs(curvature)), 0.5 * norm(theta, context));
}

SurfaceDirections eigenvector_plane(const EigenvectorPlane& settings, const LoadedModel& model) {
  require(settings.x != settings.y, "--vectors names one eigenvector twice: they span no plane");
  const CurvatureResults results = CurvatureResults::load(settings.file, model.graph.layout());
  require(value_of(results.provenance, "model_hash") ==
              weights_hash(model.weights.theta, model.weights.running_stats),
          settings.file, " was computed at another network than ", model.path);
  EigenvectorAxis x = axis_along(settings, results, settings.x, model);
  EigenvectorAxis y = axis_along(settings, results, settings.y, model);
  SurfaceDirections made;
  made.planes.push_back({x.direction, y.direction});
  made.x_text = x.text;
  made.y_text = y.text;
  made.x_axis = x.axis;
  made.y_axis = y.axis;
  made.recipe = to_json(DirectionRecipe(settings));
  return made;
}

}  // namespace topograd
