#include "apps/manual/tasks_page.h"

#include <regex>
#include <sstream>

#include "apps/manual/troff.h"
#include "kernels/core/version.h"

namespace topograd {

namespace {

/// Returns a line's text: code and **words** bold, links without their addresses.
std::string inner(const std::string& text) {
  static const std::regex special(
      R"(`([^`]*)`|\*\*([^*]*)\*\*|\[((?:[^\]`]|`[^`]*`)*)\]\([^)]*\)|\\([*_|]))");
  std::string result;
  auto at = text.cbegin();
  for (std::smatch found; std::regex_search(at, text.cend(), found, special);
       at = found.suffix().first) {
    result += escaped(found.prefix().str());
    if (found[1].matched || found[2].matched)
      result += bold(found[found[1].matched ? 1 : 2]);
    else
      result += found[3].matched ? inner(found[3]) : found[4].str();
  }
  result += escaped({at, text.cend()});
  // No line is a request because a link began it.
  return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

/// Returns whether a line is a picture, or says that it is the gallery's.
bool is_of_picture(const std::string& line) {
  return line.starts_with("![") || (line.starts_with("(") && line.find("gallery.md)") != line.npos);
}

/// Returns the cells of "| a | b |".
std::vector<std::string> cells_of(const std::string& row) {
  static const std::regex cell(R"(\|\s*((?:[^|\\]|\\.)*?)\s*(?=\|))");
  std::vector<std::string> cells;
  for (std::sregex_iterator at(row.begin(), row.end(), cell), end; at != end; ++at)
    cells.push_back(std::regex_replace((*at)[1].str(), std::regex(R"(\\\|)"), "|"));
  return cells;
}

/// Returns a table's row: the first cell, and indented below it the others.
std::string row_of(const std::vector<std::string>& cells) {
  std::string text;
  for (size_t i = 1; i < cells.size(); ++i)
    if (!cells[i].empty()) text += (text.empty() ? "" : "\n.br\n") + inner(cells[i]);
  return ".TP\n" + inner(cells[0]) + "\n" + text + "\n";
}

}  // namespace

std::vector<std::string> documents_listed(const std::string& list) {
  static const std::regex row(R"((?:^|\n)\| \[[^\]]*\]\(([^)#]+\.md)\))");
  std::vector<std::string> names;
  for (std::sregex_iterator at(list.begin(), list.end(), row), end; at != end; ++at)
    names.push_back((*at)[1]);
  return names;
}

std::string troff_of(const std::string& markdown) {
  std::string result;
  bool code = false, table = false;
  std::istringstream in(markdown);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      result += code ? ".EE\n" : ".PP\n.EX\n";
      code = !code;
    } else if (code) {
      result += escaped(line) + "\n";
    } else if (line.starts_with("|")) {
      if (table && !line.starts_with("|-")) result += row_of(cells_of(line));
      table = true;  // the first row is a head
      continue;
    } else if (line.starts_with("## ")) {
      result += ".SS " + inner(line.substr(3)) + "\n";
    } else if (line.starts_with("# ")) {
      result += section(capitals(line.substr(2)));
    } else if (line.starts_with("- ")) {
      result += ".IP \\(bu 2\n" + inner(line.substr(2)) + "\n";
    } else if (line.empty()) {
      result += ".PP\n";
    } else if (!is_of_picture(line)) {
      result += inner(line.substr(line.find_first_not_of(' '))) + "\n";
    }
    table = false;
  }
  return result;
}

std::string tasks_page(const std::vector<std::string>& documents) {
  std::string page = ".TH TOPOGRAD\\-TASKS 7 \"\" \"Topograd " + escaped(std::string(version())) +
                     "\" \"Topograd\"\n.nh\n.ad l\n" + section("NAME") +
                     "topograd\\-tasks \\- what one may want of train and landscape, and how\n";
  for (const std::string& document : documents) page += troff_of(document);
  return page + section("SEE ALSO") + bold("train") + "(1), " + bold("landscape") + "(1)\n";
}

}  // namespace topograd
