import assert from "node:assert/strict";
import { test } from "node:test";
import { clamped, HOME, Projection } from "../../apps/landscape/report/page/src/camera.ts";
import { surfaceCsv, surfaceJson } from "../../apps/landscape/report/page/src/export.ts";
import { cellOf, Field, nearestIndex, slicesThrough } from "../../apps/landscape/report/page/src/field.ts";
import { pick } from "../../apps/landscape/report/page/src/picking.ts";
import { boxOf, reliefOf, sceneX, sceneZ } from "../../apps/landscape/report/page/src/relief.ts";
import { decodeMask, decodePlane, readReport, toNumbers, type Report, type SurfaceResult } from "../../apps/landscape/report/page/src/schema.ts";
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

function planeOf(values: number[]): string {
  return Buffer.from(Float32Array.from(values).buffer).toString("base64");
}

test("planes and masks are read as they were written", () => {
  const values = decodePlane(planeOf([1.5, NaN, -Infinity, 3e-30]));
  assert.deepEqual([...values], [1.5, NaN, -Infinity, Math.fround(3e-30)]);
  assert.deepEqual([...decodeMask("AAEB")], [0, 1, 1]);
  assert.deepEqual(toNumbers([1, null, "infinity", "-infinity"]), [1, NaN, Infinity, -Infinity]);
  assert.throws(() => readReport('{"format": "another"}'), /another/);
});

function surface(more: Partial<SurfaceResult>): SurfaceResult {
  return {
    kind: "surface", file: "s.h5", provenance: {}, x: [0, 1], y: [0, 1], done: null,
    planes: { train_loss: planeOf([1, 2, 3, 4]) }, ...more,
  };
}

function reportOf(results: Report["results"]): Report {
  return { format: "topograd-report-1", title: "", version: "", command: "", plane: null, results };
}

test("a map joins the surface that has its points and its hashes", () => {
  const map = (hash: string): SurfaceResult =>
    surface({
      file: "m.h5", provenance: { over: "s.h5", model_hash: hash },
      planes: { lambda_max: planeOf([9, 8, 7, 6]) },
    });
  const own = surface({ provenance: { model_hash: "a" } });
  const joined = scenesOf(reportOf([map("a"), own]));
  assert.equal(joined.surfaces.length, 1);
  assert.deepEqual(planeNames(joined.surfaces), ["train_loss", "lambda_max"]);
  assert.deepEqual(joined.surfaces[0].files, ["s.h5", "m.h5"]);
  assert.equal(scenesOf(reportOf([map("b"), own])).surfaces.length, 2);
});

test("a trajectory lies on the surface of its plane alone", () => {
  const one = surface({ file: "a.h5", provenance: { direction_hash: "1" } });
  const other = surface({ file: "b.h5", provenance: { direction_hash: "2" } });
  const { surfaces } = scenesOf(
    reportOf([one, other, {
      kind: "trajectory", file: "t.h5", provenance: { direction_hash: "2" }, epochs: [0], x: [0.5], y: [0.5],
      length: [0], distance: [0], in_plane: 1, explained: [], random_walk: [], own: {}, projected: {},
    }]),
  );
  assert.equal(surfaces[0].path, null);
  assert.deepEqual(surfaces[1].path?.x, [0.5]);
});

test("lines and degenerate grids are no surfaces; equal names get their files'", () => {
  const { surfaces, lines } = scenesOf(
    reportOf([
      surface({ file: "l.h5", y: [], planes: { train_loss: planeOf([1, 2]) } }),
      surface({ file: "row.h5", y: [7], planes: { train_loss: planeOf([1, 2]) } }),
      surface({ file: "column.h5", x: [7], planes: { train_loss: planeOf([1, 2]) } }),
      surface({ file: "a.h5", provenance: { model_name: "net" } }),
      surface({ file: "b.h5", provenance: { model_name: "net" } }),
    ]),
  );
  assert.deepEqual(lines.map(({ field }) => [field.nx, field.ny]), [[2, 1], [2, 1], [2, 1]]);
  assert.deepEqual(surfaces.map(({ name }) => name), ["net (a)", "net (b)"]);
});

test("CSV and JSON have the numbers, and no point that is not done", () => {
  const { surfaces } = scenesOf(
    reportOf([surface({ done: Buffer.from([1, 0, 1, 1]).toString("base64"), planes: { train_loss: planeOf([0.1, 5, NaN, Infinity]) } })]),
  );
  assert.equal(surfaceCsv(surfaces[0].field), "alpha,beta,train_loss\n0,0,0.100000001\n0,1,\n1,1,inf\n");
  const json = JSON.parse(surfaceJson(surfaces[0])) as { planes: Record<string, unknown> };
  assert.deepEqual(json.planes["train_loss"], [[0.100000001, 5], [null, "infinity"]]);
});
