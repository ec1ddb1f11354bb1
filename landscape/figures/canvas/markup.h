// Text and bytes inside XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace topograd {

/// Escapes text for use between two tags or in double quotes; control characters, which XML cannot
/// express, become spaces.
std::string escaped_markup(std::string_view words);

/// Encodes bytes in base64 (RFC 4648).
std::string base64(std::string_view bytes);

}  // namespace topograd
