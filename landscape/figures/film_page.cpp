#include "landscape/figures/film_page.h"

#include "kernels/core/check.h"
#include "landscape/figures/markup.h"

namespace topograd::drawing {

namespace {

constexpr const char* kStyles = R"(
:root { color-scheme: light dark; --ground: #f4f4f2; --ink: #222; --edge: #bbb; }
@media (prefers-color-scheme: dark) { :root { --ground: #1c1d1f; --ink: #e6e6e3; --edge: #555; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
main { max-width: 1400px; margin: 0 auto; padding: 12px; }
img { display: none; width: 100%; max-height: calc(100vh - 90px); object-fit: contain; background: #fff;
  border: 1px solid var(--edge); box-sizing: border-box; }
img.shown { display: block; }
form { display: flex; gap: 12px; align-items: center; padding: 10px 0; }
input { flex: 1; min-width: 0; height: 28px; }
button { min-width: 76px; min-height: 36px; font: inherit; }
output { min-width: 7em; text-align: right; font-variant-numeric: tabular-nums; }
)";

constexpr const char* kScript = R"js(
const frames = [...document.querySelectorAll("img")];
const slider = document.querySelector("input");
const button = document.querySelector("button");
const label = document.querySelector("output");
const { frameSeconds, lastSeconds } = document.querySelector("main").dataset;
let timer = null;

function show(number) {
  frames.forEach((frame, i) => frame.classList.toggle("shown", i === number));
  slider.value = number;
  label.textContent = frames[number].alt;
  slider.setAttribute("aria-valuetext", frames[number].alt);
}
function play() {
  button.textContent = "Pause";
  const now = Number(slider.value);
  const last = now === frames.length - 1;
  timer = setTimeout(() => { show(last ? 0 : now + 1); play(); }, 1000 * (last ? lastSeconds : frameSeconds));
}
function pause() {
  clearTimeout(timer);
  timer = null;
  button.textContent = "Play";
}
slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (timer === null) play(); else pause();
});
document.addEventListener("keydown", (event) => {
  if (event.target === slider || event.target === button) return;
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) {
    pause();
    show(Math.min(frames.length - 1, Math.max(0, Number(slider.value) + step)));
  } else if (event.key === " ") {
    event.preventDefault();
    if (timer === null) play(); else pause();
  }
});
show(0);
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) play();
)js";

}  // namespace

std::string film_page(const std::string& title, const std::vector<PageFrame>& frames,
                      const PageTimes& times) {
  std::string page = text(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>",
      escaped_markup(title), "</title>\n<style>", kStyles, "</style>\n</head>\n<body>\n<main data-",
      "frame-seconds=\"", times.frame_seconds, "\" data-last-seconds=\"", times.last_seconds,
      "\">\n");
  for (const PageFrame& frame : frames)
    page += "<img alt=\"" + escaped_markup(frame.label) + "\" src=\"data:image/png;base64," +
            base64(frame.png) + "\">\n";
  page +=
      text("<form><button type=\"submit\">Play</button>\n<input type=\"range\" min=\"0\" max=\"",
           frames.size() - 1,
           "\" step=\"1\" value=\"0\" aria-label=\"frame\"><output></output></form>\n"
           "</main>\n<script>",
           kScript, "</script>\n</body>\n</html>\n");
  return page;
}

}  // namespace topograd::drawing
