#include "apps/common/settings_file.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "kernels/core/check.h"
#include "kernels/core/output_claim.h"

namespace topograd::cli {

namespace {

constexpr std::string_view kOption = "--config";

std::string trimmed(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t\r");
  if (begin == line.npos) return "";
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string> options_in(const std::string& path) {
  note_input(path);
  std::ifstream file(path);
  require(file.good(), "--config ", path, " cannot be opened: is its name right?");
  std::vector<std::string> options;
  int64_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    std::string name = trimmed(line.substr(0, equals));
    name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
    require(!name.empty() && name.find_first_of(" \t") == name.npos && name != "config", path, ":",
            number, ": '", line, "' is no setting: write name = value, or a switch's name");
    options.push_back("--" + name);
    if (equals != line.npos) options.back() += "=" + trimmed(line.substr(equals + 1));
  }
  return options;
}

}  // namespace

std::vector<std::string> with_settings_files(std::vector<std::string> words, size_t first) {
  std::vector<std::string> settings;
  for (size_t i = first; i < words.size() && words[i] != "--";) {
    std::optional<std::string> path;
    size_t count = 1;
    if (words[i] == kOption) {
      require(i + 1 < words.size(), kOption, " lacks its value: ", kOption, " FILE");
      path = words[i + 1];
      count = 2;
    } else if (words[i].starts_with(std::string(kOption) + "=")) {
      path = words[i].substr(kOption.size() + 1);
    }
    if (!path) {
      ++i;
      continue;
    }
    const std::vector<std::string> options = options_in(*path);
    settings.insert(settings.end(), options.begin(), options.end());
    const auto at = words.begin() + static_cast<std::ptrdiff_t>(i);
    words.erase(at, at + static_cast<std::ptrdiff_t>(count));
  }
  words.insert(words.begin() + static_cast<std::ptrdiff_t>(std::min(first, words.size())),
               settings.begin(), settings.end());
  return words;
}

}  // namespace topograd::cli
