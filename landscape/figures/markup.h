// Words and bytes inside XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace topograd {

/// Words that may stand between two tags or in double quotes; control characters, for which XML has
/// no words, are spaces.
std::string escaped_markup(std::string_view words);

/// RFC 4648.
std::string base64(std::string_view bytes);

}  // namespace topograd
