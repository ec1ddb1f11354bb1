#include "apps/manual/manual_page.h"

#include <algorithm>
#include <sstream>

#include "apps/manual/troff.h"
#include "kernels/core/version.h"

namespace topograd {

namespace {

/// Formats paragraphs; lines that begin with a blank stay lines. A line "Examples:" begins a
/// section.
std::string paragraphs(const std::string& text) {
  std::string result;
  bool verbatim = false, begins = false;
  const auto leave_verbatim = [&] {
    if (verbatim) result += ".EE\n";
    verbatim = false;
  };
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      leave_verbatim();
      begins = true;
    } else if (line == "Examples:") {
      leave_verbatim();
      result += section("EXAMPLES");
      begins = false;
    } else if (line[0] == ' ') {
      if (!verbatim) result += ".PP\n.EX\n";
      verbatim = true;
      result += escaped(line) + "\n";
    } else {
      if (verbatim) begins = true;
      leave_verbatim();
      if (begins) result += ".PP\n";
      begins = false;
      result += escaped(line) + "\n";
    }
  }
  leave_verbatim();
  return result;
}

std::string head(const std::string& page, const std::string& summary) {
  return ".TH " + escaped(capitals(page)) + " 1 \"\" \"Topograd " +
         escaped(std::string(version())) + "\" \"User Commands\"\n.nh\n.ad l\n" + section("NAME") +
         escaped(page) + " \\- " + escaped(summary) + "\n";
}

/// Returns an option's line: "-o, --output FILE".
std::string option_line(const cli::OptionEntry& entry) {
  std::string line;
  for (const std::string& name : typed_names(entry))
    if (name.size() == 2) line += bold(name) + ", ";
  line += bold("--" + entry.names.front());
  if (entry.implicit) return line + "[=" + italic(entry.value) + "]";
  return entry.value.empty() ? line : line + " " + italic(entry.value);
}

std::string options_section(const cli::Options& options) {
  const std::vector<cli::OptionEntry> shown = shown_options(options);
  std::vector<std::string> groups;
  for (const cli::OptionEntry& entry : shown)
    if (std::find(groups.begin(), groups.end(), entry.group) == groups.end())
      groups.push_back(entry.group);
  std::string text = section("OPTIONS");
  for (const std::string& group : groups) {
    if (!group.empty()) text += ".SS " + escaped(group) + "\n";
    for (const cli::OptionEntry& entry : shown)
      if (entry.group == group)
        text += ".TP\n" + option_line(entry) + "\n" + escaped(cli::described(entry)) + "\n";
  }
  return text;
}

std::string arguments_text(const cli::Options& options) {
  std::string text = options.usage_arguments();
  if (text.empty())
    for (const cli::PositionalEntry& entry : options.positional_entries())
      text += (text.empty() ? "" : " ") + entry.value;
  return text;
}

std::string arguments_section(const cli::Options& options) {
  std::string text;
  for (const cli::PositionalEntry& entry : options.positional_entries())
    if (!entry.help.empty())
      text += ".TP\n" + italic(entry.value) + "\n" + escaped(entry.help) + "\n";
  return text.empty() ? "" : section("ARGUMENTS") + text;
}

std::string exit_status() {
  return section("EXIT STATUS") +
         "0 after success; 1 after an error, which is one line on standard error; 2 where the "
         "command line is wrong; 130 when interrupted, with everything saved that was finished.\n";
}

std::string see_also(const DocumentedProgram& program, const std::string& but) {
  std::vector<std::string> pages;
  if (program.has_commands()) pages.push_back(program.name);
  for (const DocumentedCommand& command : program.commands) pages.push_back(command.page());
  std::string text;
  for (const std::string& page : pages)
    if (page != but) text += (text.empty() ? "" : ",\n") + bold(page) + "(1)";
  return text.empty() ? "" : section("SEE ALSO") + text + "\n";
}

}  // namespace

std::string program_page(const DocumentedProgram& program) {
  std::string text = head(program.name, program.summary) + section("SYNOPSIS") +
                     bold(program.name) + " " + italic("command") + " [" + italic("options") +
                     "] " + italic("files") + "\n.br\n" + bold(program.name + " --version") + "\n" +
                     section("DESCRIPTION") + paragraphs(program.about) + section("COMMANDS");
  for (const DocumentedCommand& command : program.commands)
    text += ".TP\n" + bold(command.typed()) + " " + italic(command.entry.arguments) + "\n" +
            escaped(command.entry.summary) + "; see " + bold(command.page()) + "(1)\n";
  text += section("OPTIONS") + ".TP\n" + bold("--help") +
          "\nprint the commands; behind a command, its options\n.TP\n" + bold("--version") +
          "\nprint the version\n";
  return text + exit_status() + see_also(program, program.name);
}

std::string command_page(const DocumentedProgram& program, const DocumentedCommand& command) {
  const cli::Options& options = *command.options;
  const std::string arguments = arguments_text(options);
  std::string text = head(command.page(), command.entry.summary) + section("SYNOPSIS") +
                     bold(command.typed()) + " [" + italic("options") + "]" +
                     (arguments.empty() ? "" : " " + italic(arguments)) + "\n" +
                     section("DESCRIPTION") + paragraphs(options.about_text()) +
                     arguments_section(options) + options_section(options);
  const std::string& epilogue = options.epilogue_text();
  if (!epilogue.empty())
    text += (epilogue.find("Examples:") > 1 ? section("NOTES") : "") + paragraphs(epilogue);
  return text + exit_status() + see_also(program, command.page());
}

}  // namespace topograd
