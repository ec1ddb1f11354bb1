// The manual page of tasks, topograd-tasks(7), of the documents in docs/tasks.
#pragma once

#include <string>
#include <vector>

namespace topograd {

/// Returns the names of the documents that a list has, in its order: of rows "| [a title](name.md) | ... |".
std::vector<std::string> documents_listed(const std::string& list);

/// Returns a document as part of a manual page. Of Markdown it knows what those documents use: headings,
/// paragraphs, blocks of code, tables, lists, bold, code and links; pictures are left out.
std::string troff_of(const std::string& markdown);

/// Returns the page of the documents, one section each.
std::string tasks_page(const std::vector<std::string>& documents);

}  // namespace topograd
