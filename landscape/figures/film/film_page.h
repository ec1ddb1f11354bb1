// A film as a page of HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace topograd {
extern const std::string_view kFilmStyles;  ///< film_page.css
extern const std::string_view kFilmScript;  ///< film_page.js
}  // namespace topograd

namespace topograd::drawing {

struct PageFrame {
  std::string label;
  std::string png;  ///< bytes of the file
};

struct PageTimes {
  double frame_seconds, last_seconds;
};

/// Returns self-contained HTML with the frames: a slider, a button that plays and pauses, the
/// frame's label.
std::string film_page(const std::string& title, const std::vector<PageFrame>& frames,
                      const PageTimes& times);

}  // namespace topograd::drawing
