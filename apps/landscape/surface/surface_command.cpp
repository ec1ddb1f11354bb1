#include "apps/landscape/surface/surface_command.h"

#include <filesystem>

#include "apps/landscape/common/checkpoint_flags.h"
#include "apps/landscape/plane/plane_command.h"
#include "apps/landscape/trajectory/trajectory_command.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Does something on all ranks; where it fails on one of them, it fails on all.
void run_on_all_ranks(ProcessGroup& ranks, const std::function<void()>& work) {
  if (ranks.size() == 1) return work();
  std::string error;
  try {
    work();
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  throw_on_all_ranks(ranks, error);
}

/// landscape surface and landscape line: random directions, or other models'.
SurfaceJob around_a_model(const cxxopts::ParseResult& flags, bool line) {
  SurfaceJob command;
  command.line = line;
  command.model_path =
      required_model(cli::text_of(flags, "model-file"),
                     line ? "line MODEL.safetensors" : "surface MODEL.safetensors");
  const bool second = flags.count("model-file2") > 0;
  command.leads_to_models = second || flags.count("model-file3") > 0;
  command.output = cli::text_of(
      flags, "output",
      fs::path(command.model_path).stem().string() + (line ? "_line.h5" : "_surface.h5"));
  command.place = [line, second, &flags](SurfaceInputs& inputs, bool lead) {
    SurfaceGeometry place;
    place.directions =
        surface_directions(flags, inputs.model, inputs.batchnorm.directions, line, lead);
    place.joins_models = line && second;
    if (place.joins_models) place.x_axis = {-0.5, 1.5, 41};
    return place;
  };
  return command;
}

/// landscape surface RUN: the plane of the last checkpoint, moved to every one of them.
std::vector<SurfaceJob> around_checkpoints(const cxxopts::ParseResult& flags,
                                           const std::string& run) {
  const CheckpointList list = checkpoints_in(run, flags, 2, "a film of surfaces needs two");
  const std::string folder = cli::text_of(flags, "output", list.name + "_surfaces");
  require(!folder.empty(), "--output is empty: it names a folder");
  cli::make_folder(folder);
  const std::string last = list.paths.back();
  std::vector<SurfaceJob> commands;
  for (const std::string& path : list.paths) {
    SurfaceJob command;
    command.model_path = path;
    command.leads_to_models = flags.count("model-file2") > 0 || flags.count("model-file3") > 0;
    command.output = (fs::path(folder) / fs::path(path).stem()).string() + ".h5";
    command.pictures = false;
    command.place = [last, &flags](SurfaceInputs& inputs, bool lead) {
      const LoadedModel at = load_model(last);
      require(to_json(at.spec) == to_json(inputs.model.spec), inputs.model.path, " holds ",
              describe(inputs.model.spec), ", ", last, " ", describe(at.spec),
              ": they are of no one run");
      SurfaceGeometry place;
      place.directions = surface_directions(flags, at, inputs.batchnorm.directions, false, lead);
      const std::string whose = " of " + fs::path(last).stem().string();
      place.directions.x_text += whose;
      place.directions.y_text += whose;
      return place;
    };
    commands.push_back(command);
  }
  return commands;
}

}  // namespace

std::vector<SurfaceJob> surface_commands(const cxxopts::ParseResult& flags, SurfaceKind kind,
                                         const std::string& typed) {
  if (kind == SurfaceKind::plane) return {plane_command(flags)};
  if (kind == SurfaceKind::trajectory) return {trajectory_command(flags, typed)};
  const std::string model = cli::text_of(flags, "model-file");
  if (kind == SurfaceKind::surface && fs::is_directory(model))
    return around_checkpoints(flags, model);
  return {around_a_model(flags, kind == SurfaceKind::line)};
}

std::string name_of(SurfaceKind kind) {
  switch (kind) {
    case SurfaceKind::surface:
      return "surface";
    case SurfaceKind::line:
      return "line";
    case SurfaceKind::plane:
      return "plane";
    case SurfaceKind::trajectory:
      return "trajectory";
  }
  return "?";
}

std::optional<SurfaceKind> surface_kind_named(const std::string& name) {
  using enum SurfaceKind;
  for (SurfaceKind kind : {surface, line, plane, trajectory})
    if (name == name_of(kind)) return kind;
  return std::nullopt;
}

namespace {

int run_one(const cxxopts::ParseResult& flags, const SurfaceJob& what, const std::string& command,
            ProcessGroup& ranks) {
  std::optional<SurfaceRun> run;
  run_on_all_ranks(ranks, [&] { run.emplace(flags, what, command, ranks); });
  run_on_all_ranks(ranks, [&] { run->require_same_inputs(); });
  run_on_all_ranks(ranks, [&] { run->begin(); });
  run_on_all_ranks(ranks, [&] { run->prepare(); });
  return run->run();
}

}  // namespace

int run_surface(const cxxopts::ParseResult& flags, SurfaceKind kind, const std::string& command,
                ProcessGroup& ranks) {
  require(flags.unmatched().empty(),
          kind == SurfaceKind::surface ? "one model at a time; '" : "too many arguments; '",
          flags.unmatched().empty() ? "" : flags.unmatched()[0], "' is one too many");
  cli::catch_interruption();
  std::vector<SurfaceJob> all;
  run_on_all_ranks(ranks, [&] { all = surface_commands(flags, kind, command); });
  for (const SurfaceJob& what : all)
    if (const int status = run_one(flags, what, command, ranks); status != 0) return status;
  return 0;
}

}  // namespace topograd
