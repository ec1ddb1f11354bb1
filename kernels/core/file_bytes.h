// The bytes of a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace topograd {

/// Returns the whole file. Throws Error naming it where it is missing, no file, or cannot be read;
/// `advice`, as in "; get it anew from ...", ends the message where that would help.
std::vector<char> file_bytes(const std::string& path, std::string_view advice);

}  // namespace topograd
