#include "apps/landscape/plane/plane_command.h"
#include "landscape/results/result_names.h"

#include <filesystem>

namespace topograd {

namespace {

namespace fs = std::filesystem;

}  // namespace

SurfaceDirections PlaneCommand::directions(const SurfaceInputs& inputs) const {
  if (!flags_.networks.second.empty()) return network_plane(flags_.networks, inputs.model);
  if (!flags_.eigenvectors.file.empty())
    return eigenvector_plane(flags_.eigenvectors, inputs.model);
  if (flags_.along_gradient)
    return gradient_plane(flags_.gradient(inputs.settings.losses.front()), inputs.model,
                          inputs.images, *inputs.pool);
  require(fs::exists(flags_.dir_file), "--dir-file ", flags_.dir_file, " is not there");
  return directions_in_file(
      {.file = flags_.dir_file, .type = flags_.surface.batchnorm.directions(false)}, inputs.model);
}

int PlaneCommand::run_distributed(const std::string& typed, ProcessGroup& group) {
  const SurfaceFlags& flags = flags_.surface;
  const std::string output = flags.output.value_or(result_beside(flags.model, "plane"));
  std::optional<SurfaceInputs> inputs;
  SurfaceDirections spanned;
  run_on_all_ranks(group, [&] {
    inputs.emplace(flags, flags.model, output, typed, group);
    spanned = directions(*inputs);
  });
  return run_surface(flags, *inputs, spanned, surface_pictures(flags, output, spanned), group);
}

}  // namespace topograd
