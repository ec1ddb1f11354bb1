#include "apps/landscape/surface/direction_flags.h"

#include <filesystem>

#include "kernels/core/version.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// How one axis's direction is made.
struct DirectionPlan {
  DirectionNorm norm = DirectionNorm::filter;
  Ignore ignore = Ignore::biasbn;
  uint32_t number = 0;
  std::string target;  ///< another model's file: the direction leads there

  std::string describe() const {
    if (!target.empty()) return "towards " + fs::path(target).stem().string();
    switch (norm) {
      case DirectionNorm::filter:
        return "filter-normalised random direction";
      case DirectionNorm::layer:
        return "layer-normalised random direction";
      case DirectionNorm::weight:
        return "weight-scaled random direction";
      case DirectionNorm::dfilter:
        return "random direction, unit filters";
      case DirectionNorm::dlayer:
        return "random direction, unit layers";
      case DirectionNorm::none:
        return "random direction";
    }
    return {};
  }
};

class DirectionMaker {
 public:
  DirectionMaker(const cxxopts::ParseResult& flags, const LoadedModel& model, DirectionType type,
                 bool line)
      : flags_(flags), model_(model), line_(line), file_(cli::text_of(flags, "dir-file")) {
    made_.type = type;
    made_.file = file_;
    made_.seed = cli::seed(flags);
  }

  SurfaceDirections make(bool may_write) {
    const uint32_t index = static_cast<uint32_t>(cli::whole(flags_, "idx", 0, 1 << 30));
    const DirectionPlan x = plan_for("x", 2 * index);
    const DirectionPlan y = plan_for("y", 2 * index + 1);
    if (!file_.empty() && fs::exists(file_)) {
      require(cli::whole(flags_, "seeds", 1, kMaxSeeds) == 1,
              "--seeds draws directions of its own, ", file_,
              " holds one pair: leave out one of them");
      return directions_in_file(file_, model_, made_.type, line_);
    }
    const bool same = flags_.count("same-dir") > 0;
    made_.x_text = x.describe();
    if (!line_) made_.y_text = same ? made_.x_text : y.describe();
    const uint64_t seed = cli::seed(flags_);
    const auto count = static_cast<uint64_t>(cli::whole(flags_, "seeds", 1, kMaxSeeds));
    if (count > 1) require_several(count, seed, x, y);
    for (uint64_t k = 0; k < count; ++k) {
      Directions directions{direction(x, seed + k), {}};
      if (!line_) directions.y = same ? directions.x : direction(y, seed + k);
      made_.planes.push_back(directions);
      if (count > 1) made_.seeds.push_back(seed + k);
    }
    if (!file_.empty() && may_write) write();
    return made_;
  }

 private:
  DirectionPlan plan_for(const std::string& axis, uint32_t number) const {
    DirectionPlan plan;
    const bool own = flags_.count(axis + "norm") > 0;
    plan.norm = direction_norm_named(flags_[own ? axis + "norm" : "norm"].as<std::string>());
    const bool own_ignore = flags_.count(axis + "ignore") > 0;
    plan.ignore = ignore_named(flags_[own_ignore ? axis + "ignore" : "ignore"].as<std::string>());
    plan.number = number;
    plan.target = cli::text_of(flags_, axis == "x" ? "model-file2" : "model-file3");
    return plan;
  }

  static constexpr int64_t kMaxSeeds = 1000;

  /// Refuses more planes than one where they would be the same.
  void require_several(uint64_t count, uint64_t seed, const DirectionPlan& x,
                       const DirectionPlan& y) const {
    require(file_.empty(),
            "--seeds draws directions of its own, --dir-file has one pair: leave out "
            "one of them");
    require(x.target.empty() || (!line_ && y.target.empty() && flags_.count("same-dir") == 0),
            "--seeds needs a random direction; all of these lead to other models");
    require(seed <= UINT64_MAX - count, "--seed ", seed, ": there are no ", count,
            " seeds from there on; choose a smaller one");
  }

  Direction direction(const DirectionPlan& plan, uint64_t seed) const {
    if (!plan.target.empty()) return direction_to(model_, plan.target, made_.type);
    const ModelState& w = model_.weights;
    return random_direction(model_.graph.layout(), w.theta, w.running_stats, seed, plan.number,
                            plan.norm, plan.ignore, made_.type);
  }

  void write() const {
    const Provenance provenance{
        {"model_hash", weights_hash(model_.weights.theta, model_.weights.running_stats)},
        {"seed", text(cli::seed(flags_))},
        {"x", made_.x_text},
        {"y", made_.y_text},
        {"version", version()}};
    const Directions& directions = made_.planes.front();
    write_directions(file_, model_.graph.layout(), made_.type, directions.x, directions.y,
                     provenance);
  }

  const cxxopts::ParseResult& flags_;
  const LoadedModel& model_;
  bool line_;
  std::string file_;
  SurfaceDirections made_;
};

}  // namespace

SurfaceDirections surface_directions(const cxxopts::ParseResult& flags, const LoadedModel& model,
                                     DirectionType type, bool line, bool may_write) {
  return DirectionMaker(flags, model, type, line).make(may_write);
}

}  // namespace topograd
