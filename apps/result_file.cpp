#include "apps/result_file.h"

#include <filesystem>

namespace topograd {

void describe_model(Provenance& p, const LoadedModel& model) {
  p["model"] = to_json(model.spec);
  p["model_name"] = describe(model.spec);
  p["model_file"] = model.path;
  p["model_hash"] = weights_hash(model.weights.theta, model.weights.states);
}

void describe_run(Provenance& p, Device device, const std::string& typed) {
  // Devices round differently. The CPU is not named: files made before there were others are its.
  if (device != Device::cpu) p["device"] = name_of(device);
  p["version"] = cli::version();
  p["command"] = typed;
}

bool is_there(const std::string& output) {
  require(!std::filesystem::is_directory(output), output, " is a directory; --output names a file");
  return std::filesystem::exists(output);
}

void require_same_command(const std::string& output, const Provenance& saved,
                          const Provenance& asked, const std::vector<std::string>& keys,
                          std::vector<std::string> reasons) {
  for (std::string& reason : differences(saved, asked, keys)) reasons.push_back(std::move(reason));
  std::string all;
  for (const std::string& reason : reasons) all += (all.empty() ? "" : "; ") + reason;
  require(all.empty(), output, " belongs to another command (", all,
          "); choose another --output, or remove the file");
}

void continue_or_begin(Surface& surface, const std::string& output,
                       const std::vector<std::string>& keys) {
  if (!is_there(output)) {
    surface.save(output);
    return;
  }
  Surface saved = Surface::load(output);
  std::vector<std::string> reasons;
  if (!saved.same_points(surface)) reasons.push_back("the grid is another one");
  require_same_command(output, saved.provenance, surface.provenance, keys, reasons);
  saved.provenance = surface.provenance;
  surface = saved;
  if (surface.done_count() > 0)
    cli::say("landscape: continuing ", output, ": ", surface.done_count(), " of ", surface.points(),
             " points are done");
  if (surface.done_count() < surface.points()) surface.save(output);
}

}  // namespace topograd
