// Settings in a file: options of a command line, one a line.
#pragma once

#include <string>
#include <vector>

namespace topograd::cli {

/// Returns the words of a command line with each "--config FILE" replaced by the options in that
/// file, which come first, from word `first` on, so that typed ones count. A line is "name = value",
/// or a switch's name; "#" begins a comment. Throws Error for a file that cannot be read, and for a
/// line that is none of these.
std::vector<std::string> with_settings_files(std::vector<std::string> words, size_t first);

}  // namespace topograd::cli
