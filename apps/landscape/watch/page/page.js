// Asks for the state every second, and for a figure when there is another one to show.
"use strict";

const ASK_EVERY = 1000; // ms
const NAMES = {
  heat: "Heat map", contours: "Contours", surface: "3D surface", lines: "Lines", curves: "Curves",
};
const part = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 560px)");

let state = null; // the server's last answer
let wanted = location.hash.slice(1); // the kind of figure
let shown = ""; // which figure that is: version, kind, size
let loading = ""; // the same without the version

/** Returns "0.0123"; a value that JSON cannot express is null. */
function number(value, digits = 6) {
  return value === null ? "unknown" : String(Number(value.toPrecision(digits))).replace("-", "−");
}

/** Returns "1:02:03" or "2:03". */
function clock(seconds) {
  if (seconds === null) return "not known yet";
  const s = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor(s / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

function say(words, warning = false) {
  const notice = part("notice");
  if (notice.textContent !== words) notice.textContent = words; // or it would be read out again
  notice.classList.toggle("warning", warning);
}

function showNotice() {
  if (state.state === "waiting") say(`${state.file} is not there yet: waiting for the computation.`);
  else if (state.gone) say("The file is gone: this is what it held. Waiting for another one.", true);
  else if (state.state === "finished") say("Finished.");
  else if (state.stalled) say("Nothing new for a while: has the computation ended?", true);
  else say("Running.");
}

function showProgress() {
  const there = state.state !== "waiting";
  part("progress").hidden = !there;
  part("report").hidden = !(there && state.report);
  part("file").textContent = state.file;
  if (!there) return;
  const percent = Math.floor((100 * state.done) / state.total);
  const finished = state.state === "finished";
  part("title").textContent = state.title || "Loss landscape";
  document.title = `${percent} % – ${state.file}`;
  part("bar").value = state.done / state.total;
  part("done").textContent = `${state.done} of ${state.total} (${percent} %)`;
  part("rate").textContent = state.rate === null ? "not known yet" : `${number(state.rate, 3)} points/s`;
  if (finished) part("left").textContent = "none";
  else if (state.stalled) part("left").textContent = `nothing new for ${clock(state.idle)}`;
  else part("left").textContent = clock(state.seconds_left);
  part("smallest-name").textContent = `Smallest ${state.values}`;
  const least = state.smallest;
  const beta = least && least.y !== null ? `, β ${number(least.y, 4)}` : "";
  part("smallest").textContent =
    least ? `${number(least.value)} at α ${number(least.x, 4)}${beta}` : "no finite value yet";
}

function showKinds() {
  const kinds = state.kinds ?? [];
  const box = part("kinds");
  box.hidden = kinds.length < 2;
  const there = [...box.querySelectorAll("input")].map((input) => input.value);
  if (there.join() === kinds.join()) return;
  box.querySelectorAll("label").forEach((label) => label.remove());
  if (!kinds.includes(wanted)) wanted = kinds[0] ?? "";
  for (const kind of kinds) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "kind", value: kind, checked: kind === wanted });
    input.addEventListener("change", () => {
      wanted = kind;
      history.replaceState(null, "", `#${kind}`);
      showFigure();
    });
    label.append(input, NAMES[kind] ?? kind);
    box.append(label);
  }
}

/** Shows the picture in place of the old one once it is loaded. */
async function showFigure() {
  if (!state || state.state === "waiting") return;
  const figure = part("figure");
  const trouble = part("trouble");
  figure.hidden = false;
  if (!wanted) {
    trouble.hidden = false;
    trouble.textContent = "An axis with a single point: there is no figure to draw.";
    return;
  }
  const { version } = state;
  const choice = [wanted, narrow.matches].join();
  const name = [choice, version].join();
  // Show what is being drawn though the file has changed: it may change faster than it is drawn.
  if (name === shown || choice === loading) return;
  loading = choice;
  const parameters = new URLSearchParams({ kind: wanted, version });
  if (narrow.matches) parameters.set("narrow", "1");
  try {
    const answer = await fetch(`figure.svg?${parameters}`);
    const picture = answer.ok ? await decoded(await answer.blob()) : null;
    const words = answer.ok ? "" : await answer.text();
    if (loading !== choice) return; // another kind was asked for meanwhile
    if (picture) replacePicture(picture, version);
    trouble.hidden = answer.ok;
    trouble.textContent = words;
    figure.classList.toggle("old", !answer.ok);
    shown = name;
  } catch {
    // The server is gone, which the next question finds; if it is not, the figure is asked for again.
  } finally {
    if (loading === choice) loading = "";
  }
}

async function decoded(blob) {
  const picture = new Image();
  picture.src = URL.createObjectURL(blob);
  await picture.decode();
  return picture;
}

function replacePicture(next, version) {
  const picture = part("picture");
  const before = picture.src;
  picture.src = next.src;
  picture.alt = `${NAMES[wanted]} of ${state.values}: ${part("smallest").textContent}`;
  picture.dataset.version = version;
  picture.dataset.kind = wanted;
  if (before) URL.revokeObjectURL(before);
}

async function ask() {
  try {
    const answer = await fetch("state", { signal: AbortSignal.timeout(5000) });
    if (answer.status === 403) {
      say("Another landscape watch has this port now: open the address that it has printed.", true);
      return;
    }
    if (!answer.ok) throw new Error(await answer.text());
    state = await answer.json();
    showNotice();
    showProgress();
    showKinds();
    showFigure();
  } catch {
    const finished = state?.state === "finished";
    say(finished ? "Finished. The server has ended (landscape watch --stay keeps it)."
      : "The server does not answer: landscape watch has ended. This page goes on asking.", !finished);
  }
  setTimeout(ask, ASK_EVERY);
}

narrow.addEventListener("change", showFigure);
ask();
