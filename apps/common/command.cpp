#include "apps/common/command.h"

#include <algorithm>

#include "apps/common/cli.h"
#include "apps/common/spelling.h"

namespace topograd::cli {

void CommonOptions::add_to(Options& options) {
  options.group("Help")
      .file("config", config, "more options, a line each: name = value; typed ones count more")
      .flag("help,h", help, "print this");
}

bool read_command_line(Command& command, Options& options, const std::vector<std::string>& words) {
  command.add_options(options);
  CommonOptions common;
  common.add_to(options);
  advise_on_memory(options);
  options.parse(words);
  if (common.help) out() << options.help();
  return !common.help;
}

const CommandEntry& entry_named(const std::vector<CommandEntry>& entries, const std::string& name,
                                const std::string& program) {
  std::vector<std::string> names;
  for (const CommandEntry& entry : entries) {
    if (name == entry.name) return entry;
    names.push_back(entry.name);
  }
  const std::string near = nearest_word(name, names);
  throw UsageError(text("unknown command '", name,
                        "': ", near.empty() ? "" : "did you mean " + near + "? ", "choose ",
                        enumerated(names), "; see ", program, " --help"));
}

std::string command_table(const std::vector<CommandEntry>& entries, const std::string& program) {
  std::vector<std::string> groups;
  size_t width = 0;
  const auto typed = [&](const CommandEntry& entry) {
    return text("  ", program, ' ', entry.name, *entry.arguments == '\0' ? "" : " ",
                entry.arguments);
  };
  for (const CommandEntry& entry : entries) {
    width = std::max(width, typed(entry).size());
    if (std::find(groups.begin(), groups.end(), entry.group) == groups.end())
      groups.emplace_back(entry.group);
  }
  std::string table;
  for (const std::string& group : groups) {
    table += (table.empty() ? "" : "\n") + group + ":\n";
    for (const CommandEntry& entry : entries)
      if (group == entry.group) {
        const std::string left = typed(entry);
        table += left + std::string(width + 2 - left.size(), ' ') + entry.summary + "\n";
      }
  }
  return table;
}

}  // namespace topograd::cli
