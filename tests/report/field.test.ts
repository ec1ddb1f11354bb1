import assert from "node:assert/strict";
import { test } from "node:test";
import { clamped, HOME, Projection } from "../../apps/landscape/report/page/src/camera.ts";
import { surfaceCsv, surfaceJson } from "../../apps/landscape/report/page/src/export.ts";
import { cellOf, Field, nearestIndex, slicesThrough } from "../../apps/landscape/report/page/src/field.ts";
import { pick } from "../../apps/landscape/report/page/src/picking.ts";
import { boxOf, reliefOf, sceneX, sceneZ } from "../../apps/landscape/report/page/src/relief.ts";
import { numberOf, numbersOf, readReport, valuesOver, wordsOf, type NamedArray, type Report, type Result } from "../../apps/landscape/report/page/src/schema.ts";
import { planeNames, scenesOf } from "../../apps/landscape/report/page/src/scenes.ts";

function axis(low: number, high: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
}

function fieldOf(nx: number, ny: number, f: (x: number, y: number) => number): Field {
  const x = axis(-1, 2, nx);
  const y = axis(-3, 3, ny);
  const values = Float32Array.from(y.flatMap((b) => x.map((a) => f(a, b))));
  return new Field(x, y, new Map([["train_loss", values], ["train_loss_se", values.map((v) => v / 10)]]), null);
}

test("interpolation is exact for a bilinear function", () => {
  const f = (x: number, y: number): number => 2 + x - 3 * y + 0.5 * x * y;
  const field = fieldOf(7, 5, f);
  const values = field.planes.get("train_loss") as Float32Array;
  for (const [x, y] of [[-1, -3], [2, 3], [0.3, 1.7], [1.99, -2.5]])
    assert.ok(Math.abs(field.interpolate(values, x, y) - f(x, y)) < 1e-5);
  assert.ok(Number.isNaN(field.interpolate(values, 2.01, 0)));
});

test("a hole stays in its own cells", () => {
  const field = fieldOf(4, 4, () => 1);
  const values = Float32Array.from(field.planes.get("train_loss") as Float32Array);
  values[field.index(1, 1)] = NaN;
  assert.ok(Number.isNaN(field.interpolate(values, -0.5, -2)));
  assert.equal(field.interpolate(values, 1.5, 2), 1);
  assert.equal(field.interpolate(values, field.x[2], field.y[2]), 1);
});

test("cells of a falling axis", () => {
  assert.deepEqual(cellOf([3, 2, 1], 1.5), { cell: 1, share: 0.5 });
  assert.equal(cellOf([3, 2, 1], 3.1), null);
  assert.equal(nearestIndex([3, 2, 1], 1.9), 1);
});

test("slices are the file's row and column", () => {
  const field = fieldOf(7, 5, (x, y) => 10 * y + x);
  const [alpha, beta] = slicesThrough(field, "train_loss", 0.4, 1.4);
  assert.equal(alpha.at, 1.5);
  assert.equal(beta.at, 0.5);
  assert.deepEqual(alpha.values, field.x.map((x) => Math.fround(15 + x)));
  assert.deepEqual(beta.values, field.y.map((y) => Math.fround(10 * y + 0.5)));
  assert.equal(alpha.errors?.length, 7);
});

test("a click on the picture finds the point that is drawn there", () => {
  const field = fieldOf(31, 31, (x, y) => 1 + 0.4 * x * x + 0.1 * y * y);
  const box = boxOf(field);
  const plane = field.planes.get("train_loss") as Float32Array;
  const scale = { kind: "linear", low: 1, high: 3.5 } as const;
  const { heights } = reliefOf(field, box, plane, scale, plane, scale);
  const view = new Projection({ ...HOME, elevation: 1.2 }, 640, 520);
  for (const [ix, iy] of [[15, 15], [3, 20], [28, 9], [12, 27]]) {
    const spot = view.project([
      sceneX(field, box, field.x[ix]), heights[field.index(ix, iy)], sceneZ(field, box, field.y[iy]),
    ]);
    const found = pick(view, spot, field, box, heights);
    assert.ok(found);
    assert.deepEqual(field.nearest(found.x, found.y), { ix, iy });
  }
  assert.equal(pick(view, { x: 1, y: 1 }, field, box, heights), null);
});

test("a camera's ray goes through what it projects", () => {
  const view = new Projection({ azimuth: 2.1, elevation: 0.3, zoom: 1.7 }, 500, 300);
  const point = [0.3, 0.2, -0.6] as const;
  const { x, y, depth } = view.project(point);
  const ray = view.ray(x, y);
  point.forEach((value, i) => assert.ok(Math.abs(view.eye[i] + depth * ray[i] - value) < 1e-9));
  assert.ok(clamped({ azimuth: 0, elevation: 9, zoom: 99 }).elevation <= Math.PI / 2);
});

test("holes have no triangles, and light is full on a plain", () => {
  const field = fieldOf(5, 5, (x) => (x > 1.9 ? NaN : 1));
  const plane = field.planes.get("train_loss") as Float32Array;
  const scale = { kind: "linear", low: 0, high: 2 } as const;
  const relief = reliefOf(field, boxOf(field), plane, scale, plane, scale);
  assert.equal(relief.triangles.length, 3 * 2 * 4 * 3);
  assert.ok(relief.light.every((light) => light === 1));
  assert.ok(relief.positions.every(Number.isFinite));
  for (let i = 0; i < 4; ++i) assert.equal(relief.normals[3 * i + 1], 1);
});

function resultOf(kind: string, arrays: Result["arrays"], more: Partial<Result> = {}): Result {
  return { format: "topograd-record-1", kind, title: "", file: "r.h5", provenance: {}, table: [], arrays, ...more };
}

test("arrays are read as they were written: numbers, truth values, texts, what belongs to them", () => {
  const result = resultOf("gap", {
    at: { axes: ["at"], values: [1, null, "infinity", "-infinity"] },
    grid: { axes: ["b", "a"], values: [[1, 2], [3, 4]] },
    done: { type: "mask", axes: ["at"], values: [true, false, true, true] },
    value: { axes: ["at"], values: [1, 2, 3, 4], error: "error" },
    error: { axes: ["at"], values: [0, 0, 0, 0] },
    gap: { values: 0.5 },
    note: { type: "text", values: "infinity" },
  });
  assert.deepEqual(numbersOf(result, "at"), [1, NaN, Infinity, -Infinity]);
  assert.deepEqual(numbersOf(result, "grid"), [1, 2, 3, 4]);
  assert.deepEqual(numbersOf(result, "done"), [1, 0, 1, 1]);
  assert.deepEqual(valuesOver(result, ["at"]), ["value"]);
  assert.equal(numberOf(result, "gap"), 0.5);
  assert.ok(Number.isNaN(numberOf(result, "absent")));
  assert.deepEqual(wordsOf(result, "note"), ["infinity"]);
  assert.deepEqual(numbersOf(result, "note"), []);
  assert.throws(() => readReport('{"format": "another"}'), /another/);
});

/** A surface of two by two points, or the axes given, with planes of rows one after the other. */
function surface(planes: Record<string, (number | null | "infinity")[]>, more: Partial<Result> = {}, axes: Record<string, number[]> = { x: [0, 1], y: [0, 1] }): Result {
  const table = axes["y"] ? ["y", "x"] : ["x"];
  const { x } = axes;
  const rows = (values: (number | null | "infinity")[]): NamedArray["values"] =>
    axes["y"] ? axes["y"].map((_, iy) => values.slice(iy * x.length, (iy + 1) * x.length)) : values;
  const coordinates = Object.entries(axes).map(([name, values]) => [name, { axes: [name], values }]);
  const arrays = Object.entries(planes).map(([name, values]) => [name, { axes: table, values: rows(values), mask: "done" }]);
  return resultOf("surface", Object.fromEntries([...coordinates, ...arrays]) as Result["arrays"], { file: "s.h5", table, ...more });
}

function reportOf(results: Report["results"]): Report {
  return { format: "topograd-report-2", title: "", version: "", command: "", plane: null, results };
}

const loss = { train_loss: [1, 2, 3, 4] };

test("a map joins the surface that has its points and its hashes", () => {
  const map = (hash: string): Result =>
    surface({ lambda_max: [9, 8, 7, 6] }, { file: "m.h5", provenance: { over: "s.h5", model_hash: hash } });
  const own = surface(loss, { provenance: { model_hash: "a" } });
  const joined = scenesOf(reportOf([map("a"), own]));
  assert.equal(joined.surfaces.length, 1);
  assert.deepEqual(planeNames(joined.surfaces), ["train_loss", "lambda_max"]);
  assert.deepEqual(joined.surfaces[0].files, ["s.h5", "m.h5"]);
  assert.equal(scenesOf(reportOf([map("b"), own])).surfaces.length, 2);
});

test("a trajectory lies on the surface of its plane alone", () => {
  const one = surface(loss, { file: "a.h5", provenance: { direction_hash: "1" } });
  const other = surface(loss, { file: "b.h5", provenance: { direction_hash: "2" } });
  const along = (values: number[]): NamedArray => ({ axes: ["epoch"], values });
  const { surfaces } = scenesOf(
    reportOf([one, other, resultOf("trajectory",
      { epoch: along([0]), proj_xcoord: along([0.5]), proj_ycoord: along([0.5]) },
      { file: "t.h5", provenance: { direction_hash: "2" } })]),
  );
  assert.equal(surfaces[0].path, null);
  assert.deepEqual(surfaces[1].path?.x, [0.5]);
});

test("grids of a kind that is not known are surfaces, and those of a known one are none", () => {
  const grid = { u: { axes: ["u"], values: [0, 1, 2] }, v: { axes: ["v"], values: [5, 6] },
    height: { axes: ["v", "u"], values: [[1, 2, 3], [4, 5, 6]] }, gram: { axes: ["w", "w"], values: [[1, 0], [0, 1]] } };
  const { surfaces } = scenesOf(reportOf([resultOf("gap", grid, { title: "made up" }), resultOf("coherence", grid)]));
  assert.deepEqual(surfaces.map(({ name }) => name), ["made up"]);
  assert.deepEqual([surfaces[0].field.nx, surfaces[0].field.ny], [3, 2]);
  assert.deepEqual([...(surfaces[0].field.planes.get("height") ?? [])], [1, 2, 3, 4, 5, 6]);
});

test("lines and degenerate grids are no surfaces; equal names get their files'", () => {
  const { surfaces, lines } = scenesOf(
    reportOf([
      surface({ train_loss: [1, 2] }, { file: "l.h5" }, { x: [0, 1] }),
      surface({ train_loss: [1, 2] }, { file: "row.h5" }, { x: [0, 1], y: [7] }),
      surface({ train_loss: [1, 2] }, { file: "column.h5" }, { x: [7], y: [0, 1] }),
      surface(loss, { file: "a.h5", title: "net" }),
      surface(loss, { file: "b.h5", title: "net" }),
    ]),
  );
  assert.deepEqual(lines.map(({ field }) => [field.nx, field.ny]), [[2, 1], [2, 1], [2, 1]]);
  assert.deepEqual(surfaces.map(({ name }) => name), ["net (a)", "net (b)"]);
});

test("CSV and JSON have the numbers, and no point that is not done", () => {
  const holes = surface({ train_loss: [0.1, 5, null, "infinity"] });
  holes.arrays["done"] = { type: "mask", axes: ["y", "x"], values: [[true, false], [true, true]] };
  const { surfaces } = scenesOf(reportOf([holes]));
  assert.equal(surfaceCsv(surfaces[0].field), "alpha,beta,train_loss\n0,0,0.100000001\n0,1,\n1,1,inf\n");
  const json = JSON.parse(surfaceJson(surfaces[0])) as { planes: Record<string, unknown> };
  assert.deepEqual(json.planes["train_loss"], [[0.100000001, 5], [null, "infinity"]]);
});
