#include "landscape/trajectory/checkpoints.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "kernels/core/check.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Returns all of `digits` as a number, at least 0; nullopt for anything else.
std::optional<int64_t> number_in(const std::string& digits) {
  int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || error != std::errc{} || stopped != end || value < 0) return std::nullopt;
  return value;
}

/// Returns the files <prefix><n><suffix> of a folder, with n, sorted by n.
std::vector<std::pair<int64_t, std::string>> numbered_files(const std::string& folder,
                                                            const std::string& prefix,
                                                            const std::string& suffix) {
  std::vector<std::pair<int64_t, std::string>> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(suffix) ||
        name.size() < prefix.size() + suffix.size())
      continue;
    const auto number =
        number_in(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
    if (number) found.emplace_back(*number, entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

CheckpointList checkpoints_in(const std::string& folder, const CheckpointSelection& selection,
                              size_t least, const std::string& purpose) {
  CheckpointList list;
  // The path "runs/a/" has no filename().
  const fs::path path = fs::absolute(folder).lexically_normal();
  list.name = (path.has_filename() ? path : path.parent_path()).filename().string();
  for (const auto& [number, file] : numbered_files(folder, selection.prefix, selection.suffix))
    if (number >= selection.first && number <= selection.last &&
        (number - selection.first) % selection.every == 0)
      list.paths.push_back(file);
  require(list.paths.size() >= least, folder, " holds ", list.paths.size(), " such checkpoints ",
          selection.prefix, "<n>", selection.suffix, ", ", purpose,
          ": train --checkpoint-every 1 keeps every epoch's");
  return list;
}

CheckpointList checkpoints_of_run(const std::vector<std::string>& given,
                                  const CheckpointSelection& selection) {
  if (given.size() == 1) {
    require(fs::exists(given[0]), given[0], " is not there");
    require(fs::is_directory(given[0]), given[0],
            " is one checkpoint; a trajectory needs three or more, or their folder");
    return checkpoints_in(given[0], selection, 3, "a trajectory needs three");
  }
  for (const std::string& path : given)
    require(!fs::is_directory(path), path,
            " is a folder: give one run's folder, or checkpoint files");
  require(given.size() >= 3, "a trajectory needs three checkpoints or more, here are ",
          given.size());
  return {fs::path(given.back()).stem().string(), given};
}

double epoch_of(const std::string& path, const std::string& noted, double fallback) {
  if (const auto number = number_in(noted)) return static_cast<double>(*number);
  const std::string stem = fs::path(path).stem().string();
  const size_t before = stem.find_last_not_of("0123456789");
  const auto number = number_in(before == stem.npos ? stem : stem.substr(before + 1));
  return number ? static_cast<double>(*number) : fallback;
}

std::vector<double> rate_drops(const std::string& config) {
  const auto json = json_or_null(config);
  if (!json.is_object() || !json.contains("lr_drops")) return {};
  try {
    if (json.value("schedule", "") != "step") return {};
    return json.at("lr_drops").get<std::vector<double>>();
  } catch (const nlohmann::json::exception&) {
    return {};  // the drops are only marked in a plot
  }
}

}  // namespace topograd
