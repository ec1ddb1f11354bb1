#include "landscape/results/run_description.h"

#include "kernels/core/version.h"
#include "landscape/results/result_names.h"

namespace topograd {

void describe_model(Provenance& p, const LoadedModel& model) {
  p["model"] = to_json(model.spec);
  p["model_name"] = describe(model.spec);
  p["model_file"] = model.path;
  p["network"] = network_name(model.path);
  p["model_hash"] = weights_hash(model.weights.theta, model.weights.running_stats);
}

void describe_run(Provenance& p, Device device, const std::string& typed) {
  // Devices round differently. The CPU is not named, as in files older than other devices.
  if (device != Device::cpu) p["device"] = name_of(device);
  p["version"] = version();
  p["command"] = typed;
}

}  // namespace topograd
