#include "landscape/figures/film/film_page.h"

#include "kernels/core/check.h"
#include "landscape/figures/canvas/markup.h"

namespace topograd::drawing {

std::string film_page(const std::string& title, const std::vector<PageFrame>& frames,
                      const PageTimes& times) {
  std::string page = text(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>",
      escaped_markup(title), "</title>\n<style>\n", kFilmStyles,
      "</style>\n</head>\n<body>\n<main data-frame-seconds=\"", times.frame_seconds,
      "\" data-last-seconds=\"", times.last_seconds, "\">\n");
  for (const PageFrame& frame : frames)
    page += "<img alt=\"" + escaped_markup(frame.label) + "\" src=\"data:image/png;base64," +
            base64(frame.png) + "\">\n";
  page +=
      text("<form><button type=\"submit\">Play</button>\n<input type=\"range\" min=\"0\" max=\"",
           frames.size() - 1,
           "\" step=\"1\" value=\"0\" aria-label=\"frame\"><output></output></form>\n"
           "</main>\n<script>\n",
           kFilmScript, "</script>\n</body>\n</html>\n");
  return page;
}

}  // namespace topograd::drawing
