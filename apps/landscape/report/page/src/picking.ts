// Which point of a surface a place on its picture shows.
import type { Projection } from "./camera.ts";
import type { Field } from "./field.ts";
import type { Box } from "./relief.ts";

const STEPS = 700;

/** Follows the ray through the box until it passes through the surface; null where it misses. */
export function pick(
  view: Projection,
  at: { x: number; y: number },
  field: Field,
  box: Box,
  heights: ArrayLike<number>,
): { x: number; y: number } | null {
  const direction = view.ray(at.x, at.y);
  const span = throughBox(view.eye, direction, box);
  if (!span) return null;
  let before: number | null = null;
  for (let step = 0; step <= STEPS; ++step) {
    const t = span.begin + ((span.end - span.begin) * step) / STEPS;
    const x = coordinate(field.x, box.halfX, view.eye[0] + t * direction[0]);
    const y = coordinate(field.y, box.halfZ, -(view.eye[2] + t * direction[2]));
    const surface = field.interpolate(heights, x, y);
    const above = Number.isNaN(surface) ? null : view.eye[1] + t * direction[1] - surface;
    if (above !== null && (above === 0 || (before !== null && above < 0 !== before < 0)))
      return { x, y };
    before = above;
  }
  return null;
}

function coordinate(axis: readonly number[], half: number, at: number): number {
  const low = Math.min(axis[0], axis[axis.length - 1]);
  const high = Math.max(axis[0], axis[axis.length - 1]);
  return low + ((at / half + 1) / 2) * (high - low);
}

/** Where the ray is over the grid, and not far above or below the surface. */
function throughBox(
  eye: readonly number[],
  direction: readonly number[],
  box: Box,
): { begin: number; end: number } | null {
  let begin = 0;
  let end = Infinity;
  const sides = [
    [-box.halfX, box.halfX],
    [-0.01, box.height + 0.01],
    [-box.halfZ, box.halfZ],
  ];
  sides.forEach(([low, high], i) => {
    const a = (low - eye[i]) / direction[i];
    const b = (high - eye[i]) / direction[i];
    begin = Math.max(begin, Math.min(a, b));
    end = Math.min(end, Math.max(a, b));
  });
  return begin < end ? { begin, end } : null;
}
