#include "nn/checkpoint.h"

#include "kernels/core/hash.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "topograd-checkpoint-1";
constexpr const char* kMomentum = "optimizer.momentum.";
constexpr const char* kSecondMoment = "optimizer.second_moment.";
constexpr const char* kEma = "average.ema.";
constexpr const char* kSwa = "average.swa.";

/// Whether a tensor belongs to the training state and not to the network.
bool is_of_training(const std::string& name) {
  return name.starts_with("optimizer.") || name.starts_with("average.");
}

std::string get(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

/// Appends the entries' tensors, in PyTorch's order and shapes, from a flat vector on any device.
void scatter(SafetensorsFile& file, const std::vector<ParameterEntry>& entries,
             const Tensor& vector, const std::string& prefix) {
  const Tensor flat = vector.to(Device::cpu);
  for (const ParameterEntry& entry : entries) {
    const Tensor tensor(entry.torch_shape());
    to_torch_order(entry, flat.data<float>() + entry.offset, tensor.data<float>());
    file.tensors.emplace(prefix + entry.name, tensor);
  }
}

/// Numbers in JSON are written with the digits that read back to the same bits.
std::string progress_json(const TrainingState& state) {
  Json progress{{"epoch", state.epoch},
                {"step", state.step},
                {"optimizer_steps", state.optimizer_steps},
                {"epoch_loss", state.epoch_sums.loss},
                {"epoch_correct", state.epoch_sums.correct},
                {"epoch_count", state.epoch_sums.count},
                {"epoch_gradient_squares", state.gradient_squares}};
  if (state.swa_theta.defined()) progress["swa_count"] = state.swa_count;
  return json_text(progress);
}

void parse_progress(const std::string& json, TrainingState& state) {
  const Json j = parse_json(json);
  state.epoch = j.at("epoch").get<int64_t>();
  state.step = j.at("step").get<int64_t>();
  state.optimizer_steps = j.at("optimizer_steps").get<int64_t>();
  state.epoch_sums.loss = j.at("epoch_loss").get<double>();
  state.epoch_sums.correct = j.at("epoch_correct").get<int64_t>();
  state.epoch_sums.count = j.at("epoch_count").get<int64_t>();
  state.gradient_squares = j.value("epoch_gradient_squares", 0.0);
  if (state.swa_theta.defined()) state.swa_count = j.at("swa_count").get<int64_t>();
}

}  // namespace

Checkpoint Checkpoint::read(const std::string& path) {
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  checkpoint.file_ = read_safetensors(path);
  auto metadata = checkpoint.file_.metadata;
  require(get(metadata, "format") == kFormat, path,
          " is a safetensors file, but not a Topograd checkpoint; make one with train or ",
          "apps/import_torch.py");
  try {
    const Json normalisation = parse_json(get(metadata, "normalisation"));
    checkpoint.info_.normalisation = {normalisation.at("mean").get<std::vector<double>>(),
                                      normalisation.at("std").get<std::vector<double>>()};
  } catch (const std::exception& error) {
    fail(path, ": its normalisation cannot be read: ", error.what());
  }
  checkpoint.info_.model = get(metadata, "model");
  checkpoint.info_.config = get(metadata, "config");
  for (const char* key : {"format", "model", "normalisation", "config", "progress"})
    metadata.erase(key);
  checkpoint.info_.notes = metadata;
  return checkpoint;
}

bool Checkpoint::has_training_state() const {
  return file_.metadata.contains("progress");
}

Tensor Checkpoint::gather(const std::vector<ParameterEntry>& entries, int64_t size,
                          const std::string& prefix) const {
  const Tensor flat({size});
  for (const ParameterEntry& entry : entries) {
    const auto found = file_.tensors.find(prefix + entry.name);
    require(found != file_.tensors.end(), path_, " has no tensor '", prefix, entry.name,
            "': it was made for another model than ", info_.model);
    const Tensor& tensor = found->second;
    require(tensor.shape() == entry.torch_shape(), path_, ": '", prefix, entry.name, "' is ",
            tensor.shape(), ", the model ", info_.model, " has ", entry.torch_shape());
    require(tensor.dtype() == DType::f32, path_, ": '", prefix, entry.name, "' holds ",
            name_of(tensor.dtype()), ", a checkpoint f32");
    from_torch_order(entry, tensor.data<float>(), flat.data<float>() + entry.offset);
  }
  return flat;
}

ModelState Checkpoint::weights(const ParameterLayout& layout) const {
  ModelState state;
  state.theta = gather(layout.parameters(), layout.parameter_count(), "");
  state.running_stats = gather(layout.running_stats(), layout.state_count(), "");
  size_t known = layout.state_dict().size();
  for (const auto& [name, tensor] : file_.tensors) known += is_of_training(name);
  if (known == file_.tensors.size()) return state;
  for (const auto& [name, tensor] : file_.tensors) {
    bool found = is_of_training(name);
    for (const ParameterEntry& entry : layout.state_dict()) found = found || entry.name == name;
    require(found, path_, ": the model ", info_.model, " has no tensor '", name, "'");
  }
  return state;
}

TrainingState Checkpoint::training_state(const ParameterLayout& layout) const {
  require(has_training_state(), path_,
          " holds weights only: training cannot continue from it (the run's last.safetensors can)");
  TrainingState state;
  static_cast<ModelState&>(state) = weights(layout);
  state.momentum = gather(layout.parameters(), layout.parameter_count(), kMomentum);
  const std::string& first = layout.parameters()[0].name;
  if (file_.tensors.contains(kSecondMoment + first))
    state.second_moment = gather(layout.parameters(), layout.parameter_count(), kSecondMoment);
  if (file_.tensors.contains(kEma + first)) {
    state.ema_theta = gather(layout.parameters(), layout.parameter_count(), kEma);
    state.ema_states = gather(layout.running_stats(), layout.state_count(), kEma);
  }
  if (file_.tensors.contains(kSwa + first))
    state.swa_theta = gather(layout.parameters(), layout.parameter_count(), kSwa);
  try {
    parse_progress(file_.metadata.at("progress"), state);
  } catch (const std::exception& error) {
    fail(path_, ": its training state cannot be read: ", error.what());
  }
  return state;
}

void write_checkpoint(const std::string& path, const ParameterLayout& layout,
                      const TrainingState& state, const CheckpointInfo& info,
                      bool with_training_state) {
  SafetensorsFile file;
  file.metadata = info.notes;
  file.metadata["format"] = kFormat;
  file.metadata["model"] = info.model;
  file.metadata["normalisation"] =
      json_text(Json{{"mean", info.normalisation.mean}, {"std", info.normalisation.std_dev}});
  if (!info.config.empty()) file.metadata["config"] = info.config;
  scatter(file, layout.parameters(), state.theta, "");
  scatter(file, layout.running_stats(), state.running_stats, "");
  if (with_training_state) {
    file.metadata["progress"] = progress_json(state);
    scatter(file, layout.parameters(), state.momentum, kMomentum);
    if (state.second_moment.defined())
      scatter(file, layout.parameters(), state.second_moment, kSecondMoment);
    if (state.ema_theta.defined()) {
      scatter(file, layout.parameters(), state.ema_theta, kEma);
      scatter(file, layout.running_stats(), state.ema_states, kEma);
    }
    if (state.swa_theta.defined()) scatter(file, layout.parameters(), state.swa_theta, kSwa);
  }
  write_safetensors(path, file);
}

std::string weights_hash(const Tensor& theta, const Tensor& running_stats) {
  const uint64_t first = content_hash(theta.raw(), static_cast<size_t>(theta.bytes()));
  return hex(content_hash(running_stats.raw(), static_cast<size_t>(running_stats.bytes()), first));
}

}  // namespace topograd
