// The scale of colours, with its ticks.
import { write, type Paper } from "./figure.ts";
import { capitalised, formatTicks, planeLabel } from "./format.ts";
import { place, ticks, type Scale } from "./scale.ts";
import { FONT } from "./theme.ts";
import { colourAt, css, type MapName } from "./colour_map.ts";

const STOPS = 40;

/** Draws the scale across the paper, from its left to its right edge, with the name above. */
export function drawColourBar(paper: Paper, plane: string, scale: Scale, map: MapName, inset = 0): void {
  const { context, colours } = paper;
  const width = paper.width - 2 * inset;
  const top = 20;
  const tall = 10;
  const name = capitalised(planeLabel(plane)) + (scale.kind === "log" ? ", log scale" : "");
  write(context, name, inset, 11, { font: `600 12px ${FONT}`, colour: colours.ink });
  const gradient = context.createLinearGradient(inset, 0, inset + width, 0);
  for (let i = 0; i <= STOPS; ++i) gradient.addColorStop(i / STOPS, css(colourAt(map, i / STOPS)));
  context.fillStyle = gradient;
  context.beginPath();
  context.roundRect(inset, top, width, tall, 3);
  context.fill();
  const values = ticks(scale, Math.max(2, Math.min(7, width / 80)));
  formatTicks(values).forEach((text, i) => {
    const x = inset + width * place(scale, values[i]);
    context.fillStyle = colours.muted;
    context.fillRect(x - 0.5, top + tall, 1, 4);
    const half = context.measureText(text).width / 2;
    write(context, text, Math.min(inset + width - half, Math.max(inset + half, x)), top + tall + 16, {
      font: `11.5px ${FONT}`,
      colour: colours.muted,
      align: "center",
    });
  });
}
