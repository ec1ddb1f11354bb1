#include "apps/landscape/compare/compare_networks.h"

#include <algorithm>

#include "apps/common/cli.h"
#include "apps/landscape/sharpness/sharpness_report.h"

namespace topograd {

namespace {

/// Provenance that networks must share to be compared: the same images, the same loss.
const std::vector<std::string> kConditions = {"data", "images", "subset", "loss", "bn_mode"};

std::string fact(const SharpnessPanel& panel, const std::string& key) {
  const auto found = panel.provenance.find(key);
  return found == panel.provenance.end() ? "-" : found->second;
}

void require_same_conditions(const NamedPanel& first, const NamedPanel& other) {
  for (const std::string& key : kConditions)
    require(fact(first.panel, key) == fact(other.panel, key), other.label, " was not measured as ",
            first.label, " was: ", key, " is ", fact(other.panel, key), " here and ",
            fact(first.panel, key),
            " there; measure both with the same flags of landscape sharpness");
  if (fact(first.panel, "data_hash") != fact(other.panel, "data_hash"))
    cli::say("landscape: note: ", other.label, " and ", first.label,
             " saw other bytes: other images of one set, or another normalisation");
}

}  // namespace

bool are_networks(const std::vector<std::string>& files) {
  const bool checkpoints = std::all_of(files.begin(), files.end(), [](const std::string& file) {
    return file.ends_with(".safetensors");
  });
  require(!checkpoints, files.front(),
          " is a network: landscape sharpness measures networks, and compare takes its files");
  return std::any_of(files.begin(), files.end(), SharpnessPanel::is_panel);
}

void compare_networks(const std::vector<std::string>& files, const NetworkComparison& settings) {
  measure_kind(settings.against);
  const std::vector<std::string> labels = labels_of(files);
  std::vector<NamedPanel> panels;
  for (size_t i = 0; i < files.size(); ++i)
    panels.push_back({labels[i], SharpnessPanel::load(files[i])});
  for (const NamedPanel& other : panels) require_same_conditions(panels.front(), other);
  for (const NamedPanel& named : panels)
    cli::out() << named.label << ": " << fact(named.panel, "model_name") << " over "
               << fact(named.panel, "images") << " " << fact(named.panel, "data") << " images, "
               << fact(named.panel, "loss") << ", BatchNorm " << fact(named.panel, "bn_mode")
               << '\n';
  print_panels(panels);
  cli::out() << '\n';
  print_rank_correlations(panels, settings.against, settings.seed);
  if (settings.json) write_json(panels, *settings.json);
}

}  // namespace topograd
