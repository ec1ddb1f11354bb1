import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { rangeOf } from "../../apps/landscape/report/page/src/field.ts";
import { canBeLog, defaultKind, levels, place, scaleOver, shareOf, ticks, valueAt } from "../../apps/landscape/report/page/src/scale.ts";
import { colourAt, diverges, MAPS, TABLE_SIZE, tableOf } from "../../apps/landscape/report/page/src/colour_map.ts";
import { formatEstimate, formatNumber, formatTicks } from "../../apps/landscape/report/page/src/format.ts";

const near = (a: number, b: number, tolerance = 1e-12): void =>
  assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test("places on linear and logarithmic scales", () => {
  near(place({ kind: "linear", low: -1, high: 3 }, 0), 0.25);
  near(place({ kind: "log", low: 0.01, high: 100 }, 1), 0.5);
  assert.equal(place({ kind: "linear", low: 0, high: 1 }, 7), 1);
  assert.equal(place({ kind: "log", low: 0.1, high: 1 }, -3), 0);
  assert.ok(Number.isNaN(place({ kind: "linear", low: 0, high: 1 }, NaN)));
  assert.ok(Number.isNaN(place({ kind: "linear", low: 0, high: 1 }, Infinity)));
  assert.equal(place({ kind: "linear", low: 2, high: 2 }, 2), 0.5);
});

test("valueAt is the inverse of place", () => {
  for (const scale of [{ kind: "log", low: 0.03, high: 25 }, { kind: "linear", low: -4, high: 9 }] as const)
    for (const share of [0, 0.1, 0.5, 0.93, 1]) near(place(scale, valueAt(scale, share)), share);
});

test("ranges leave out what is not finite", () => {
  assert.deepEqual(rangeOf([[NaN, 3, Infinity], [-2, 0.5]]), { low: -2, high: 3, positive: 0.5 });
  assert.equal(rangeOf([[NaN, -Infinity]]), null);
});

test("a log scale needs values above 0, and is the default of steep ones", () => {
  const range = (low: number, high: number, positive = low) => ({ low, high, positive });
  assert.equal(defaultKind(range(1, 5)), "log");
  assert.equal(defaultKind(range(1, 3)), "linear");
  assert.equal(defaultKind(range(-1, 50, 0.2)), "linear");
  assert.ok(canBeLog(range(-1, 50, 0.2)));
  assert.ok(!canBeLog(range(-5, -1, Infinity)));
  assert.equal(scaleOver(range(-1, 50, 0.2), "log").low, 0.2);
});

test("ticks are round, in the range and few", () => {
  assert.deepEqual(ticks({ kind: "linear", low: -1, high: 1 }, 4), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(ticks({ kind: "log", low: 0.04, high: 30 }, 4), [0.1, 0.3, 1, 3, 10, 30]);
  assert.deepEqual(ticks({ kind: "log", low: 1e-30, high: 1e30 }, 5).length <= 8, true);
  for (const [low, high] of [[0.0123, 0.0457], [3, 3.0001], [-1e-9, 1e-9], [2, 1e6]] as const)
    for (const kind of ["linear", "log"] as const) {
      if (kind === "log" && low <= 0) continue;
      const found = ticks({ kind, low, high }, 5);
      assert.ok(found.length >= 2 && found.length <= 10, `${low} ${high}: ${found.join()}`);
      for (const tick of found) assert.ok(tick >= low * (1 - 1e-6) - 1e-12 && tick <= high * (1 + 1e-6));
    }
});

test("levels lie strictly inside", () => {
  for (const value of levels({ kind: "log", low: 0.1, high: 10 }, 14)) assert.ok(value > 0.1 && value < 10);
  assert.ok(levels({ kind: "log", low: 0.1, high: 10 }, 14).length >= 8);
});

const luminance = ([r, g, b]: [number, number, number]): number => {
  const linear = (channel: number): number => (channel / 255) ** 2.2;
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
};

test("colour maps grow ever lighter, and the diverging one is lightest in the middle", () => {
  for (const map of MAPS) {
    const all = Array.from({ length: 33 }, (_, i) => luminance(colourAt(map, i / 32)));
    const rises = all.slice(1).map((value, i) => value > all[i]);
    if (diverges(map)) assert.deepEqual(rises, rises.map((_, i) => i < 16));
    else assert.ok(rises.every(Boolean), map);
    const table = tableOf(map);
    assert.deepEqual([...table.slice(0, 3)], colourAt(map, 0));
    assert.deepEqual([...table.slice(4 * (TABLE_SIZE - 1), 4 * TABLE_SIZE - 1)], colourAt(map, 1));
  }
});

test("colours are those of the pictures", () => {
  // run.py starts the tests in their folder.
  const source = readFileSync("../../landscape/figures/canvas/colour_map.cpp", "utf8");
  for (const map of MAPS) {
    const [, text] = new RegExp(`Table k${map} = \\{([^}]*)\\}`, "i").exec(source) ?? [];
    const [, darkest] = new RegExp(`\\{"${map}", ColourMap::\\w+, k\\w+, ([0-9.]+),`).exec(source) ?? [];
    const colours = (text ?? "").split(",").map(Number);
    assert.equal(colours.length, 33);
    for (let i = 0; i <= 64; ++i) {
      const at = 32 * (Number(darkest) + (1 - Number(darkest)) * (i / 64));
      const below = Math.min(31, Math.floor(at));
      const mixed = [16, 8, 0].map((shift) => {
        const [a, b] = [(colours[below] >> shift) & 255, (colours[below + 1] >> shift) & 255];
        return Math.round(a + (at - below) * (b - a));
      });
      assert.deepEqual(colourAt(map, i / 64), mixed, `${map} at ${i} of 64`);
    }
  }
  assert.equal(MAPS.length, [...source.matchAll(/\{"\w+", ColourMap::/g)].length);
});

test("shares go beyond a scale's ends, where limits are typed", () => {
  for (const scale of [{ kind: "log", low: 0.1, high: 10 }, { kind: "linear", low: 2, high: 4 }] as const) {
    near(shareOf(scale, scale.low), 0);
    for (const share of [-0.5, 0.3, 1.7]) near(shareOf(scale, valueAt(scale, share)), share);
  }
  near(valueAt({ kind: "log", low: 0.1, high: 10 }, 1.5), 100, 1e-9);
});

test("numbers as people read them", () => {
  assert.equal(formatNumber(0.123456789), "0.12346");
  assert.equal(formatNumber(-1.5), "−1.5");
  assert.equal(formatNumber(1.2e-7, 3), "1.2 × 10⁻⁷");
  assert.equal(formatNumber(1e9), "10⁹");
  assert.equal(formatNumber(NaN), "–");
  assert.equal(formatNumber(-Infinity), "−∞");
  assert.equal(formatEstimate(0.123456, 0.00123), "0.1235 ± 0.0012");
  assert.equal(formatEstimate(580, 17), "580 ± 17");
  assert.equal(formatEstimate(2, NaN), "2");
  assert.deepEqual(formatTicks([1.0001, 1.0002]), ["1.0001", "1.0002"]);
});
