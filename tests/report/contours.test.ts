import assert from "node:assert/strict";
import { test } from "node:test";
import { contourLines } from "../../apps/landscape/report/page/src/contours.ts";

/** Values of a function at the points of a grid of nx columns. */
function sampled(nx: number, ny: number, f: (x: number, y: number) => number): Float64Array {
  return Float64Array.from({ length: nx * ny }, (_, i) => f(i % nx, Math.floor(i / nx)));
}

test("a plane's line is straight, and where it belongs", () => {
  const lines = contourLines(sampled(7, 5, (x) => x), 7, 5, 2.25);
  assert.equal(lines.length, 1);
  assert.equal(lines[0].closed, false);
  assert.equal(lines[0].points.length, 5);
  for (const [x] of lines[0].points) assert.ok(Math.abs(x - 2.25) < 1e-12);
});

test("a bowl's line is one closed circle", () => {
  const n = 41;
  const values = sampled(n, n, (x, y) => Math.hypot(x - 20, y - 20));
  const lines = contourLines(values, n, n, 13.3);
  assert.equal(lines.length, 1);
  assert.ok(lines[0].closed);
  assert.deepEqual(lines[0].points[0], lines[0].points.at(-1));
  // A chord of a cell of the circle lies at most (1/2)^2 / (2 r) further in; the linear
  // interpolation of a distance along a cell's edge is as far off.
  for (const [x, y] of lines[0].points)
    assert.ok(Math.abs(Math.hypot(x - 20, y - 20) - 13.3) < 2 / (8 * 13.3));
});

test("lines end at holes, and none crosses one", () => {
  const values = sampled(9, 9, (x) => x);
  values[4 * 9 + 4] = NaN;
  const lines = contourLines(values, 9, 9, 4.5);
  assert.equal(lines.length, 2);
  for (const { points } of lines)
    for (const [, y] of points) assert.ok(y <= 3 || y >= 5);
});

test("infinite corners have no line", () => {
  assert.deepEqual(contourLines([0, Infinity, 0, 0], 2, 2, 0.5), []);
});

test("in a saddle the mean of the corners says which two are cut off", () => {
  const saddle = [1, 0, 0, 1]; // high at (0, 0) and (1, 1), and 0.5 in the middle
  const cutsOffLowCorner = (level: number): boolean => {
    const lines = contourLines(saddle, 2, 2, level);
    assert.equal(lines.length, 2);
    // Around the low corner (0, 1): from the left side to the top.
    return lines.some(({ points }) => points[0][0] === 0 && points[1][1] === 1);
  };
  assert.ok(cutsOffLowCorner(0.4));
  assert.ok(!cutsOffLowCorner(0.6));
});

test("every crossing lies at the level", () => {
  const f = (x: number, y: number): number => Math.sin(x * 0.7) + Math.cos(y * 0.9 + 0.3 * x);
  const values = sampled(23, 17, f);
  let crossings = 0;
  for (const { points } of contourLines(values, 23, 17, 0.31))
    for (const [x, y] of points) {
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      const [x1, y1] = [Math.ceil(x), Math.ceil(y)];
      const a = values[y0 * 23 + x0];
      const b = values[y1 * 23 + x1];
      const share = x - x0 + (y - y0);
      assert.ok(Math.abs(a + share * (b - a) - 0.31) < 1e-9);
      ++crossings;
    }
  assert.ok(crossings > 50);
});
