// The font of figures that choose none.
#pragma once

namespace topograd {

inline constexpr const char* kFont = "DejaVu Sans";  // if it is missing, any sans serif

}  // namespace topograd
