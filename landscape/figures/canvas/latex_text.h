// Words as LaTeX sets them.
#pragma once

#include <string>
#include <string_view>

namespace topograd::drawing {

enum class GreekWords { as_letters, as_symbols };

/// Returns the words (UTF-8) for LaTeX: its own characters escaped, nothing joined that was apart;
/// Greek letters, minus signs, powers and signs of operations as math, and a number that stands
/// alone, so that all numbers of an axis look alike. `as_symbols`: "alpha", "beta" and "theta", the
/// names of coordinates, are Greek letters too where they stand as words. Other letters stay as they
/// are; what is no UTF-8 becomes a question mark, a control character a space.
std::string latex_text(std::string_view words, GreekWords greek = GreekWords::as_letters);

}  // namespace topograd::drawing
