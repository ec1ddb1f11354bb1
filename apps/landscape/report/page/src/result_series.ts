// Arrays of a result as curves.
import type { Series } from "./chart_data.ts";
import { coordinatesOf, numbersOf, type Result } from "./schema.ts";

/** The curve of an array along its axis: over the coordinates, or 1, 2, ... where it has none. */
export function seriesOf(result: Result, array: string, more: Partial<Series> & { name: string; colour: number }): Series {
  const { axes = [], error, style } = result.arrays[array];
  const y = numbersOf(result, array);
  return {
    x: coordinatesOf(result, axes[0] ?? "") ?? y.map((_, i) => i + 1),
    y,
    errors: error ? numbersOf(result, error) : null,
    dashed: style === "dashed",
    dotsOnly: style === "points",
    file: result.file,
    ...more,
  };
}
