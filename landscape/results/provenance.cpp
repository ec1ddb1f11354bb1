#include "landscape/results/provenance.h"

namespace topograd {

std::string value_of(const Provenance& provenance, const std::string& key) {
  const auto found = provenance.find(key);
  return found == provenance.end() ? std::string() : found->second;
}

std::vector<std::string> differences(const Provenance& file, const Provenance& asked,
                                     const std::vector<std::string>& keys) {
  std::vector<std::string> lines;
  for (const std::string& key : keys) {
    const auto in_file = file.find(key);
    const auto wanted = asked.find(key);
    const bool known = in_file != file.end();
    const bool given = wanted != asked.end();
    if (!known && !given) continue;
    if (known && given && in_file->second == wanted->second) continue;
    lines.push_back(key + ": file " + (known ? "has " + in_file->second : "does not say") +
                    ", this command asks for " + (given ? wanted->second : "none"));
  }
  return lines;
}

}  // namespace topograd
