#include "apps/landscape/plane/plane_command.h"

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "kernels/vector/vector.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/directions/plane.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Six digits.
std::string number(double value) {
  char shown[32];
  std::snprintf(shown, sizeof shown, "%.6g", value);
  return shown;
}

/// A network's name on a picture: its file's, or its folder's where the file is a run's.
std::string name_of_model(const std::string& path) {
  const fs::path absolute = fs::absolute(path).lexically_normal();
  const std::string stem = absolute.stem().string();
  if (stem != "model" && stem != "last" && stem != "ema" && stem != "swa") return stem;
  return absolute.parent_path().filename().string() + (stem == "model" ? "" : " " + stem);
}

/// "largest:2": which eigenvector of a file.
struct EigenvectorName {
  bool largest = true;
  int64_t number = 1;  ///< from 1

  explicit EigenvectorName(const std::string& word) {
    const size_t colon = word.find(':');
    const std::string end = word.substr(0, colon);
    require(end == "largest" || end == "smallest", "--vectors: '", word,
            "' is no eigenvector: write such as largest:1,smallest:1");
    largest = end == "largest";
    if (colon == word.npos) return;
    const std::string digits = word.substr(colon + 1);
    require(!digits.empty() && digits.size() < 9 &&
                digits.find_first_not_of("0123456789") == digits.npos && std::stoll(digits) > 0,
            "--vectors: '", word, "' is no eigenvector: they are counted from 1");
    number = std::stoll(digits);
  }
};

/// Where a plane's directions come from.
class PlaneMaker {
 public:
  PlaneMaker(const cxxopts::ParseResult& flags, SurfaceInputs& inputs)
      : flags_(flags), inputs_(inputs), layout_(inputs.model.graph.layout()) {
    place_.directions.type = inputs.batchnorm.directions;
  }

  SurfaceGeometry through_models() {
    const std::string first = cli::text_of(flags_, "model-file2");
    const std::string second = cli::text_of(flags_, "model-file3");
    Directions plane{direction_to(inputs_.model, first, type()),
                     direction_to(inputs_.model, second, type())};
    const OrthonormalPlane orthonormal = orthonormal_plane(plane.x, *plane.y);
    const std::string a = name_of_model(inputs_.model.path);
    const std::string b = name_of_model(first), c = name_of_model(second);
    PlanePoint at_b{1, 0}, at_c{0, 1};
    place_.x_axis = place_.y_axis = {-0.5, 1.5, 41};
    place_.directions.x_text = "from " + a + " to " + b;
    place_.directions.y_text = "from " + a + " to " + c;
    if (flags_.count("orthonormal")) {
      plane = orthonormal.basis;
      at_b = {orthonormal.first_x, 0};
      at_c = {orthonormal.second_x, orthonormal.second_y};
      const double margin = 0.25 * std::max(at_b.x, at_c.y);
      place_.x_axis = covering_axis({at_b.x, at_c.x}, margin, 41);
      place_.y_axis = covering_axis({at_c.y}, margin, 41);
      place_.directions.x_text = "towards " + b + ", in units of length";
      place_.directions.y_text = "orthogonal to it, towards " + c;
    }
    place_.directions.planes.push_back(plane);
    place_.marks.origin = a;
    place_.marks.networks = {{{0, 0}, a}, {at_b, b}, {at_c, c}};
    return place_;
  }

  SurfaceGeometry along_eigenvectors() {
    require_fixed_statistics();
    const std::string path = flags_["eigenvectors"].as<std::string>();
    const CurvatureResults results = CurvatureResults::load(path, layout_);
    const auto hash = results.provenance.find("model_hash");
    require(hash != results.provenance.end() &&
                hash->second == weights_hash(theta(), inputs_.model.weights.running_stats),
            path, " was computed at another network than ", inputs_.model.path);
    const std::vector<std::string> names = cli::words(flags_["vectors"].as<std::string>());
    require(names.size() == 2, "--vectors names ", names.size(),
            " eigenvectors; a plane needs two, as in largest:1,smallest:1");
    const EigenvectorName x(names[0]), y(names[1]);
    require(x.largest != y.largest || x.number != y.number,
            "--vectors names one eigenvector twice: they span no plane");
    Directions plane;
    plane.x = eigenvector(path, results, x, place_.x_axis, place_.directions.x_text);
    plane.y = eigenvector(path, results, y, place_.y_axis, place_.directions.y_text);
    place_.directions.planes.push_back(plane);
    return place_;
  }

  /// Downhill, and a random direction as long.
  SurfaceGeometry along_gradient() {
    require_fixed_statistics();
    const uint64_t seed = cli::seed(flags_);
    const DirectionNorm norm = this->norm(DirectionNorm::filter);
    Directions plane;
    plane.y = random_direction(layout_, theta(), inputs_.model.weights.running_stats, seed, 1, norm,
                               ignore(Ignore::biasbn));
    Context& context = inputs_.pool.main_context();
    const bool batch = inputs_.batchnorm.at_point == PointBatchnorm::batch;
    CurvatureOperator curvature({.graph = inputs_.model.graph,
                                 .theta = theta(),
                                 .running_stats = inputs_.model.weights.running_stats,
                                 .images = inputs_.images.sets[0],
                                 .loss = inputs_.losses[0],
                                 .mode = batch ? BatchnormMode::batch : BatchnormMode::frozen,
                                 .batch = batch ? inputs_.batchnorm.batch : 128},
                                inputs_.pool);
    const Tensor gradient({curvature.size()}, DType::f32, inputs_.pool.device());
    curvature.gradient(gradient);
    const Tensor product({curvature.size()}, DType::f32, inputs_.pool.device());
    curvature.multiply(product, gradient);
    const double length = norm_of(gradient, context);
    require(length > 0 && std::isfinite(length), "the gradient's length is ", length,
            ": it has no direction");
    Context on_cpu;
    const double as_long = norm_of(plane.y->parameters, on_cpu);
    plane.x = scaled(gradient.to(Device::cpu), -as_long / length);
    const double curved = dot(gradient, product, context) / (length * length);
    const double reach = std::min(1.0, reach_of(curved) / as_long);
    place_.x_axis = covering_axis({-reach, reach}, 0, 51);
    place_.directions.planes.push_back(plane);
    place_.directions.seed = seed;
    place_.directions.x_text = "down the gradient, of length " + number(length) + "; as long as y";
    place_.directions.y_text = text("random direction, norm ", topograd::name_of(norm));
    return place_;
  }

 private:
  static double norm_of(const Tensor& vector, Context& context) {
    return topograd::norm(vector, context);
  }
  void require_fixed_statistics() const {
    require(
        type() == DirectionType::weights,
        "neither eigenvectors nor the gradient move BatchNorm's statistics: leave out --dir-type "
        "states or --bn states");
  }
  DirectionType type() const { return place_.directions.type; }
  const Tensor& theta() const { return inputs_.model.weights.theta; }

  DirectionNorm norm(DirectionNorm fallback) const {
    return flags_.count("norm") ? direction_norm_named(flags_["norm"].as<std::string>()) : fallback;
  }
  Ignore ignore(Ignore fallback) const {
    return flags_.count("ignore") ? ignore_named(flags_["ignore"].as<std::string>()) : fallback;
  }

  /// How far to look along a direction of this curvature: where the loss would have risen (or
  /// fallen) by 1 if the curvature stayed, never further than half the way to 0.
  double reach_of(double curvature) const {
    Context context;
    return std::min(std::sqrt(2 / std::abs(curvature)), 0.5 * norm_of(theta(), context));
  }

  Direction eigenvector(const std::string& path, const CurvatureResults& results,
                        const EigenvectorName& name, Axis& axis, std::string& label) const {
    const std::string end = name.largest ? "largest" : "smallest";
    const std::optional<Eigenvalues>& found = name.largest ? results.largest : results.smallest;
    const int64_t count =
        found && found->vectors.defined() ? static_cast<int64_t>(found->values.size()) : 0;
    require(name.number <= count, path, " holds ", count, " eigenvectors of the ", end,
            " eigenvalues, not number ", name.number, ": landscape hessian --", end, " ",
            name.number, " computes it");
    const double value = found->values[static_cast<size_t>(name.number - 1)];
    const Tensor vector =
        found->vectors.rows(name.number - 1, name.number).reshaped({theta().size()});
    const DirectionNorm norm = this->norm(DirectionNorm::none);
    const Ignore ignore = this->ignore(Ignore::none);
    const bool scaled_by_filter = norm != DirectionNorm::none;
    label =
        text(scaled_by_filter ? text(topograd::name_of(norm), "-normalised") : "unit",
             " eigenvector, ", name.number == 1 ? end : text(end, " ", name.number), " eigenvalue ",
             number(value), ignore == Ignore::biasbn ? ", without biases and BatchNorm" : "");
    const double reach = reach_of(value);
    axis = scaled_by_filter ? Axis{-1, 1, 51} : covering_axis({-reach, reach}, 0, 51);
    return normalised(scaled(vector, 1), layout_, theta(), norm, ignore);
  }

  const cxxopts::ParseResult& flags_;
  SurfaceInputs& inputs_;
  const ParameterLayout& layout_;
  SurfaceGeometry place_;
};

/// Flags that decide nothing here are refused: whoever wrote one expects something.
void require_no(const cxxopts::ParseResult& flags, const std::string& source,
                const std::vector<std::string>& others) {
  for (const std::string& flag : others)
    require(flags.count(flag) == 0, "--", flag, " decides nothing on a plane ", source,
            ": leave it out");
}

}  // namespace

SurfaceJob plane_command(const cxxopts::ParseResult& flags) {
  SurfaceJob command;
  command.model_path = cli::text_of(flags, "model-file");
  require(!command.model_path.empty(),
          "no model given; write landscape plane A.safetensors B.safetensors C.safetensors, or one "
          "model with --eigenvectors, --gradient or --dir-file");
  const bool models = flags.count("model-file2") > 0;
  const std::string file = cli::text_of(flags, "dir-file");
  const int sources =
      models + (flags.count("eigenvectors") > 0) + (flags.count("gradient") > 0) + !file.empty();
  require(sources == 1, sources == 0 ? "nothing spans a plane" : "too much spans the plane",
          ": choose two more models, --eigenvectors, --gradient or --dir-file");
  require(!models || flags.count("model-file3") > 0,
          "two models make a line, not a plane: write landscape line, or give a third model");
  if (models) require_no(flags, "through models", {"norm", "ignore", "seed", "vectors"});
  if (flags.count("eigenvectors")) require_no(flags, "along eigenvectors", {"seed", "orthonormal"});
  if (flags.count("gradient")) require_no(flags, "along the gradient", {"vectors", "orthonormal"});
  if (!file.empty())
    require_no(flags, "of a file", {"norm", "ignore", "seed", "vectors", "orthonormal"});
  command.leads_to_models = models;
  command.output =
      cli::text_of(flags, "output", fs::path(command.model_path).stem().string() + "_plane.h5");
  command.scale = std::nullopt;
  command.place = [models, file, &flags](SurfaceInputs& inputs, bool) {
    PlaneMaker maker(flags, inputs);
    if (models) return maker.through_models();
    if (flags.count("eigenvectors")) return maker.along_eigenvectors();
    if (flags.count("gradient")) return maker.along_gradient();
    require(fs::exists(file), "--dir-file ", file, " is not there");
    SurfaceGeometry place;
    place.directions = directions_in_file(file, inputs.model, inputs.batchnorm.directions, false);
    return place;
  };
  return command;
}

}  // namespace topograd
