// Small controls: one of several buttons, a list, a box to tick, two sliders, two numbers to type.
import { make } from "./dom.ts";

export interface Control {
  element: HTMLElement;
  /** Shows the state as it is now. */
  refresh(): void;
}

let made = 0;
/** An id that no other element has. */
function newId(): string {
  return `control-${++made}`;
}

/** Buttons of which one is pressed, or none. */
export function oneOf<T extends string>(
  label: string,
  choices: { value: T; text: string; disabled?: () => boolean }[],
  get: () => T | "",
  set: (value: T) => void,
): Control {
  const buttons = choices.map(({ value, text }) =>
    make("button", {
      text,
      on: { click: () => set(value) },
      attributes: { type: "button", "data-choice": value },
    }),
  );
  const element = make(
    "div",
    { class: "control" },
    make("span", { class: "label", text: label }),
    make("div", { class: "segments", attributes: { role: "group", "aria-label": label } }, ...buttons),
  );
  const refresh = (): void =>
    buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(choices[i].value === get()));
      button.disabled = choices[i].disabled?.() ?? false;
    });
  return { element, refresh };
}

export function list(
  label: string,
  choices: { value: string; text: string }[],
  get: () => string,
  set: (value: string) => void,
): Control {
  const id = newId();
  const select = make(
    "select",
    { attributes: { id, "data-control": label.toLowerCase() }, on: { change: () => set(select.value) } },
    ...choices.map(({ value, text }) => make("option", { text, attributes: { value } })),
  );
  const element = make(
    "div",
    { class: "control" },
    make("label", { class: "label", text: label, attributes: { for: id } }),
    select,
  );
  return { element, refresh: () => void (select.value = get()) };
}

export function tick(
  label: string,
  name: string,
  get: () => boolean,
  set: (value: boolean) => void,
): Control {
  const box = make("input", {
    attributes: { type: "checkbox", "data-control": name },
    on: { change: () => set(box.checked) },
  });
  return {
    element: make("label", { class: "tick" }, box, label),
    refresh: () => void (box.checked = get()),
  };
}

const SLIDER_STEPS = 1000;

/** The two ends of a clipped scale; values are shown as `textOf` writes them. */
export function clippingSliders(
  get: () => { low: number; high: number },
  set: (low: number, high: number) => void,
  textOf: (share: number) => string,
): Control {
  const slider = (name: "low" | "high", label: string) => {
    const id = newId();
    const input = make("input", {
      attributes: {
        id, type: "range", min: "0", max: String(SLIDER_STEPS), "data-control": `clip-${name}`,
      },
      on: { input: () => move(name, Number(input.value) / SLIDER_STEPS) },
    });
    const output = make("output", { attributes: { for: id } });
    const element = make(
      "div",
      { class: "control slider" },
      make("label", { class: "label", attributes: { for: id } }, label, " ", output),
      input,
    );
    return { input, output, element };
  };
  const move = (name: "low" | "high", share: number): void => {
    const { low, high } = get();
    // The ends never meet: a scale of one value has no colours.
    if (name === "low") set(Math.min(share, high - 1 / SLIDER_STEPS), high);
    else set(low, Math.max(share, low + 1 / SLIDER_STEPS));
  };
  const low = slider("low", "from");
  const high = slider("high", "to");
  const refresh = (): void => {
    const now = get();
    for (const [{ input, output }, share] of [[low, now.low], [high, now.high]] as const) {
      input.value = String(Math.round(Math.min(1, Math.max(0, share)) * SLIDER_STEPS));
      output.textContent = textOf(share);
      input.setAttribute("aria-valuetext", textOf(share));
    }
  };
  return { element: make("div", { class: "pair" }, low.element, high.element), refresh };
}

/** The two ends as numbers. `set` returns why a number cannot be taken, or "". */
export function typedLimits(
  get: () => { low: string; high: string },
  set: (end: "low" | "high", value: number) => string,
): Control {
  const said = make("span", { class: "refusal", attributes: { role: "alert" } });
  const field = (end: "low" | "high", label: string): HTMLInputElement => {
    const input = make("input", {
      attributes: {
        type: "text", inputmode: "decimal", size: "8", autocomplete: "off", placeholder: "own",
        "aria-label": label, "data-control": `limit-${end}`,
      },
      on: {
        change: () => {
          const why = set(end, Number(input.value.trim().replace(",", ".").replace("−", "-") || NaN));
          input.setAttribute("aria-invalid", String(why !== ""));
          said.textContent = why;
          if (why === "") refresh();
        },
      },
    });
    return input;
  };
  const low = field("low", "Lower limit");
  const high = field("high", "Upper limit");
  const refresh = (): void => {
    const now = get();
    for (const [input, value] of [[low, now.low], [high, now.high]] as const) {
      if (document.activeElement === input && input.getAttribute("aria-invalid") === "true") continue;
      input.value = value;
      input.setAttribute("aria-invalid", "false");
    }
    if (low.ariaInvalid !== "true" && high.ariaInvalid !== "true") said.textContent = "";
  };
  return {
    element: make(
      "div",
      { class: "control" },
      make("span", { class: "label", text: "Limits" }),
      make("div", { class: "limits" }, low, "to", high),
      said,
    ),
    refresh,
  };
}
