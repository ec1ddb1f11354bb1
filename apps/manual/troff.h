// Words in the language of man(7).
#pragma once

#include <string>

namespace topograd {

/// Escapes text for troff: hyphens stay hyphens when copied, no line is a request.
std::string escaped(const std::string& text);

std::string bold(const std::string& text);
std::string italic(const std::string& text);
std::string capitals(std::string text);

/// Returns the request that begins a section.
std::string section(const std::string& title);

}  // namespace topograd
