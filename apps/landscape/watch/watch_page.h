// The page of landscape watch --serve: the files of apps/landscape/watch/page/, unchanged.
#pragma once

#include <string_view>

namespace topograd {

extern const std::string_view kWatchPage;    ///< page.html
extern const std::string_view kWatchStyles;  ///< page.css
extern const std::string_view kWatchScript;  ///< page.js

}  // namespace topograd
