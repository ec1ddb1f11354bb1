// The layout of --help.
#include <algorithm>
#include <sstream>

#include "apps/common/options.h"

namespace topograd::cli {

namespace {

constexpr size_t kHelpWidth = 100;
constexpr size_t kHelpColumn = 30;  // where descriptions begin

/// Wraps a paragraph into lines of at most kHelpWidth characters, all but the first indented by
/// `indent` blanks.
std::string wrapped(const std::string& words, size_t indent) {
  std::istringstream in(words);
  std::string result, line;
  for (std::string word; in >> word;) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kHelpWidth) {
      result += line + '\n' + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + line;
}

/// Wraps the paragraphs of a text; empty lines and lines that begin with a blank stay.
std::string wrapped_text(const std::string& text) {
  std::istringstream in(text);
  std::string result, paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) result += wrapped(paragraph, 0) + '\n';
    paragraph.clear();
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == ' ') {
      end_paragraph();
      result += line + '\n';
    } else {
      paragraph += (paragraph.empty() ? "" : " ") + line;
    }
  }
  end_paragraph();
  return result;
}

/// Returns a line of the left column and its description.
std::string row(std::string left, const std::string& words) {
  left += left.size() + 2 > kHelpColumn ? "\n" + std::string(kHelpColumn, ' ')
                                        : std::string(kHelpColumn - left.size(), ' ');
  return left + wrapped(words, kHelpColumn) + "\n";
}

/// Returns an option's left column: "  -o, --output FILE", "      --serve[=PORT]".
std::string left_side(const OptionEntry& entry) {
  std::string letter = "    ";
  for (const std::string& name : entry.names)
    if (name.size() == 1 && name != entry.names.front()) letter = "-" + name + ", ";
  const std::string names = "  " + letter + "--" + entry.names.front();
  if (entry.value.empty()) return names;
  return names + (entry.implicit ? "[=" + entry.value + "]" : " " + entry.value);
}

}  // namespace

std::string described(const OptionEntry& entry) {
  std::string words = entry.help, others;
  for (const std::string& name : entry.names)
    if (name.size() > 1 && name != entry.names.front() && words.find("--" + name) == words.npos)
      others += (others.empty() ? "" : ", ") + ("--" + name);
  if (!entry.choices.empty() && entry.value == "NAME") {
    std::string all;
    for (const std::string& choice : entry.choices) all += (all.empty() ? "" : ", ") + choice;
    words += " [" + all + "]";
  }
  if (!others.empty()) words += " (or " + others + ")";
  if (!entry.default_text.empty()) words += " (default: " + entry.default_text + ")";
  return words;
}

std::string Options::help() const {
  std::string arguments = usage_, explained;
  for (const PositionalEntry& positional : positional_entries_) {
    if (usage_.empty()) arguments += (arguments.empty() ? "" : " ") + positional.value;
    if (!positional.help.empty()) explained += row("  " + positional.value, positional.help);
  }
  std::string text = wrapped_text(about_) + "\nUsage:\n  " + program_ + " [options]" +
                     (arguments.empty() ? "" : " " + arguments) + "\n";
  if (!explained.empty()) text += "\nArguments:\n" + explained;
  std::vector<std::string> groups;
  for (const OptionEntry& entry : entries_)
    if (!entry.hidden && std::find(groups.begin(), groups.end(), entry.group) == groups.end())
      groups.push_back(entry.group);
  for (const std::string& group : groups) {
    text += "\n" + (group.empty() ? "Options" : group) + ":\n";
    for (const OptionEntry& entry : entries_)
      if (entry.group == group && !entry.hidden) text += row(left_side(entry), described(entry));
  }
  if (epilogue_.empty()) return text;
  return text + (epilogue_.starts_with('\n') ? "" : "\n") + epilogue_ +
         (epilogue_.ends_with('\n') ? "" : "\n");
}

}  // namespace topograd::cli
