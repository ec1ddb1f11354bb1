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
