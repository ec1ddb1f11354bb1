// Bytes as text, RFC 4648: for pictures inside SVG and HTML.
#pragma once

#include <string>
#include <string_view>

namespace topograd {

std::string base64(std::string_view bytes);

}  // namespace topograd
