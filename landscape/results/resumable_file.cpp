#include "landscape/results/resumable_file.h"

#include <filesystem>

#include "kernels/core/check.h"

namespace topograd {

bool is_there(const std::string& output) {
  require(!output.empty(), "--output is empty: it names a file");
  require(!std::filesystem::is_directory(output), output, " is a directory; --output names a file");
  return std::filesystem::exists(output);
}

OutputClaim claim_output(const std::string& output) {
  is_there(output);
  return OutputClaim(output, OutputClaim::Use::result);
}

std::optional<OutputClaim> claim_unless_planned(const std::string& output, Purpose purpose) {
  if (purpose == Purpose::plan) return std::nullopt;
  return claim_output(output);
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

std::vector<std::string> identity_with(const std::vector<std::string>& more) {
  std::vector<std::string> keys = {"model_hash", "normalisation", "data_hash", "data",  "images",
                                   "subset",     "loss",          "bn_mode",   "device"};
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

}  // namespace topograd
