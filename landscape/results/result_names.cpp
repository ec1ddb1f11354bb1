#include "landscape/results/result_names.h"

#include <filesystem>

#include "kernels/core/in_memory.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Returns whether every training has a checkpoint of this name.
bool is_of_every_run(const std::string& stem) {
  for (const char* name : {"model", "best", "last", "ema", "swa"})
    if (stem == name) return true;
  return stem.starts_with("epoch_");
}

}  // namespace

std::string network_name(const std::string& path) {
  if (is_in_memory(path)) return path.substr(path.find('/') + 1);
  const fs::path file = fs::absolute(path).lexically_normal();
  const std::string stem = file.stem().string(), folder = file.parent_path().filename().string();
  if (!is_of_every_run(stem) || folder.empty()) return stem;
  return stem == "model" ? folder : folder + " " + stem;
}

std::string title_of(const Provenance& provenance) {
  for (const char* name : {"network", "model_name"})
    if (const std::string found = value_of(provenance, name); !found.empty()) return found;
  return "";
}

std::string result_beside(const std::string& path, const std::string& kind) {
  const fs::path file = path;
  return (file.parent_path() / (file.stem().string() + "_" + kind + ".h5")).string();
}

}  // namespace topograd
