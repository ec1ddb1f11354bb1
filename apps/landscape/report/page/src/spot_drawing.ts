// How what is marked on a surface is drawn.
import { strokeLine, write, type Paper } from "./figure.ts";
import type { Pen } from "./pen.ts";
import type { Spot } from "./spots.ts";
import { FONT } from "./theme.ts";

const STAR = Array.from({ length: 10 }, (_, i): [number, number] => {
  const angle = (Math.PI * i) / 5 - Math.PI / 2;
  const radius = i % 2 === 0 ? 1 : 0.45;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});
const DIAMOND: [number, number][] = [[0, -1], [0.8, 0], [0, 1], [-0.8, 0]];

/** Draws a star for a network, a diamond for an extremum; hollow where the surface hides it. */
export function drawGlyph(pen: Pen, kind: Spot["kind"], x: number, y: number, behind = false): void {
  const [shape, size] = kind === "network" ? [STAR, 8] : [DIAMOND, 6];
  const points = shape.map(([dx, dy]): [number, number] => [x + size * dx, y + size * dy]);
  pen.beginPath();
  points.forEach(([px, py], i) => (i === 0 ? pen.moveTo(px, py) : pen.lineTo(px, py)));
  pen.closePath();
  if (!behind) {
    pen.fillStyle = "#fff";
    pen.fill();
  }
  strokeLine(pen, [...points, points[0]], behind ? "#fff" : "#10141b", behind ? 3 : 1.4);
  if (behind) strokeLine(pen, [...points, points[0]], "#10141b", 1.2);
}

const NAME_FONT = `600 12px ${FONT}`;

/** Draws glyphs at places of the paper, with their names where these do not meet, and within the paper. */
export function drawSpots(
  { context: pen, width }: Pick<Paper, "context" | "width">,
  spots: { name: string; kind: Spot["kind"]; x: number; y: number; behind?: boolean }[],
): void {
  // Networks come last, on top: theta* is what a minimum is seen against.
  for (const { kind, x, y, behind } of [...spots].reverse()) drawGlyph(pen, kind, x, y, behind);
  const texts: { name: string; x: number; y: number; behind?: boolean }[] = [];
  for (const { name, x, y, behind = false } of spots) {
    const same = texts.find((other) => Math.hypot(other.x - x, other.y - y) < 3);
    if (same) same.name += `, ${name}`;
    else texts.push({ name, x, y, behind });
  }
  for (const [i, { name, x, y, behind }] of texts.entries()) {
    const below = texts.slice(0, i).some((other) => Math.abs(other.y - y) < 16 && Math.abs(other.x - x) < 90);
    const text = behind ? `${name} (behind)` : name;
    pen.font = NAME_FONT;
    const leftwards = x + 10 + pen.measureText(text).width > width;
    write(pen, text, leftwards ? x - 10 : x + 10, y + (below ? 16 : -8), {
      font: NAME_FONT,
      align: leftwards ? "right" : "left",
      colour: "#10141b",
      halo: "rgba(255,255,255,0.85)",
    });
  }
}
