// What a page of many results decides without a browser: networks, the summary, scales, planes, holes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dashOf, markedPoint, scalesOf, type Series } from "../../apps/landscape/report/page/src/chart_data.ts";
import { Field } from "../../apps/landscape/report/page/src/field.ts";
import { findingsOf, findingsOfNetwork } from "../../apps/landscape/report/page/src/findings.ts";
import { formatValue } from "../../apps/landscape/report/page/src/format.ts";
import { hatching, holeCells, holesInWords, holesOf } from "../../apps/landscape/report/page/src/holes.ts";
import { networksOf } from "../../apps/landscape/report/page/src/networks.ts";
import { describe, overPlane, scenesOf } from "../../apps/landscape/report/page/src/scenes.ts";
import type { NamedArray, Provenance, Report, Result } from "../../apps/landscape/report/page/src/schema.ts";
import { kindsInWords, sorted } from "../../apps/landscape/report/page/src/sections/summary.ts";
import { inOrder, isShown, setOrder, setShown } from "../../apps/landscape/report/page/src/shown.ts";
import { spotInWords, spotsOf } from "../../apps/landscape/report/page/src/spots.ts";
import { State } from "../../apps/landscape/report/page/src/state.ts";

type Numbers = (number | null | "infinity")[];

function resultOf(kind: string, file: string, provenance: Provenance, arrays: Result["arrays"] = {}, table: string[] = []): Result {
  return { format: "topograd-record-1", kind, title: provenance["model_name"] ?? "", file, provenance, table, arrays };
}

/** A surface of three by three points around the origin. */
function surface(file: string, provenance: Provenance, planes: Record<string, Numbers>, done?: boolean[]): Result {
  const axes = ["y", "x"];
  const rows = <T>(values: T[]): T[][] => [0, 3, 6].map((i) => values.slice(i, i + 3));
  const at = (name: string): NamedArray => ({ axes: [name], values: [-1, 0, 1] });
  const arrays = Object.entries(planes).map(([name, values]): [string, NamedArray] => [name, { axes, values: rows(values) }]);
  const mask: Result["arrays"] = done ? { done: { type: "mask", axes, values: rows(done) } } : {};
  return resultOf("surface", file, provenance, { x: at("x"), y: at("y"), ...Object.fromEntries(arrays), ...mask }, axes);
}

function report(results: Result[]): Report {
  return { format: "topograd-report-2", title: "", version: "", command: "", plane: null, results };
}

const bowl = (low: number, high: number): Numbers => [high, high, high, high, low, high, high, high, high];

test("results of one network stand together, its log with them, and runs give the names", () => {
  const networks = networksOf(report([
    surface("a.h5", { model_hash: "1", model_name: "resnet8", model_file: "runs/s1/model.safetensors" }, { train_loss: bowl(1, 2) }),
    resultOf("curvature", "b.h5", { model_hash: "1", model_name: "resnet8", model_file: "runs/s1/model.safetensors" }),
    surface("c.h5", { model_hash: "2", model_name: "resnet8", model_file: "runs/s2/model.safetensors" }, { train_loss: bowl(1, 2) }),
    resultOf("training_log", "runs/s1/log.csv", {}),
    resultOf("training_log", "elsewhere/log.csv", {}),
  ]));
  assert.deepEqual(networks.map(({ name, results }) => [name, results.map(({ file }) => file)]), [
    ["s1", ["a.h5", "b.h5", "runs/s1/log.csv"]], ["s2", ["c.h5"]], ["elsewhere", ["elsewhere/log.csv"]]]);
  assert.deepEqual(networks.map(({ architecture }) => architecture), ["resnet8", "resnet8", ""]);
});

test("equal runs' names get folders before them, equal networks without files their results'", () => {
  const named = (files: (string | undefined)[]): string[] => networksOf(report(files.map((file, i) =>
    resultOf("curvature", `${i}.h5`, { model_hash: String(i), model_name: "net", ...(file ? { model_file: file } : {}) })))).map(({ name }) => name);
  assert.deepEqual(named(["a/s1/model.safetensors", "b/s1/model.safetensors", "c/epoch_3.safetensors"]), ["a/s1", "b/s1", "epoch_3"]);
  assert.deepEqual(named([undefined, undefined]), ["net (0)", "net (1)"]);
});

test("the summary tells what each kind of result knows, and prefers the surface's loss", () => {
  const own = surface("s.h5", {}, { train_loss: [9, 9, 9, 9, 0.5, 0.25, 9, 9, null], test_acc: [1, 1, 1, 1, 90, 1, 1, 1, 1], lambda_max: bowl(7, 1) });
  assert.deepEqual(findingsOf(own), { loss: 0.5, minimum: 0.25, lambdaMax: 7, testError: 10 });
  const between = surface("p.h5", { networks: "a -1 0\nb 1 0\n" }, { train_loss: bowl(3, 4) });
  assert.deepEqual(findingsOf(between), { loss: NaN, minimum: 3, lambdaMax: NaN, testError: NaN });
  const curvature = resultOf("curvature", "h.h5", {}, { loss: { values: 0.6 }, "largest/values": { axes: ["r"], values: [12, 3] } });
  assert.deepEqual(findingsOfNetwork({ results: [curvature, own] }), { loss: 0.5, minimum: 0.25, lambdaMax: 12, testError: 10 });
  const log = resultOf("training_log", "log.csv", {}, { test_accuracy: { axes: ["epoch"], values: [50, 80] }, train_loss: { axes: ["epoch"], values: [2, 1] } });
  assert.deepEqual(findingsOf(log), { loss: NaN, minimum: NaN, lambdaMax: NaN, testError: 20 });
  assert.equal(kindsInWords([own, between, curvature, log]), "2 surfaces, curvature, training log");
});

test("rows are sorted by numbers and by names with numbers, those without a number last", () => {
  const row = (name: string, loss: number) =>
    ({ network: { id: name, name, architecture: "", results: [] }, kinds: "", findings: { loss, minimum: NaN, lambdaMax: NaN, testError: NaN } });
  const rows = [row("net10", 2), row("net2", NaN), row("net1", 3)];
  const names = (...how: [Parameters<typeof sorted>[1], boolean]): string[] => sorted(rows, ...how).map(({ network }) => network.name);
  assert.deepEqual(names("loss", false), ["net10", "net1", "net2"]);
  assert.deepEqual(names("loss", true), ["net1", "net10", "net2"]);
  assert.deepEqual(names("network", false), ["net1", "net2", "net10"]);
});

function stateOf(results: Result[]): State {
  setShown(results.map(({ file }) => file), true);
  return new State(scenesOf(report(results)).surfaces, null, true);
}

const net = (k: number, more: Provenance = {}): Provenance => ({ model_hash: String(k), model_name: `net ${k}`, ...more });

test("scales are shared where ranges are alike, own where half of them would be flat, or as the reader says", () => {
  const alike = stateOf([1, 2, 3].map((k) => surface(`${k}.h5`, net(k), { train_loss: bowl(k, 10 * k) })));
  assert.equal(alike.scaling("train_loss"), "shared");
  assert.equal(alike.scalingInWords(), "One scale of height and colour for all surfaces.");
  const apart = stateOf([1, 1000, 2000, 4000].map((k) => surface(`${k}.h5`, net(k), { train_loss: bowl(k, 1.2 * k) })));
  assert.equal(apart.scaling("train_loss"), "own");
  assert.match(apart.scalingInWords(), /a scale of its own.* 4 of 4 would fill less than a third/);
  const [first, second] = apart.scenes;
  assert.deepEqual([apart.scale("train_loss", first).low, Math.fround(1.2)], [1, Math.fround(apart.scale("train_loss", first).high)]);
  assert.equal(apart.scale("train_loss", second).low, 1000);
  apart.update({ scaling: "shared" });
  assert.deepEqual(apart.scale("train_loss", first), apart.scale("train_loss", second));
  assert.match(apart.scalingInWords(), /One scale.* 4 of 4 fill less/);
});

test("what is hidden has no part in the common scale", () => {
  const state = stateOf([surface("1.h5", net(1), { train_loss: bowl(1, 2) }), surface("2.h5", net(2), { train_loss: bowl(1, 500) })]);
  assert.equal(state.range("train_loss").high, 500);
  setShown(["2.h5"], false);
  assert.equal(state.range("train_loss").high, 2);
  assert.deepEqual(state.visible().map(({ name }) => name), ["net 1"]);
  setShown(["2.h5"], true);
  assert.equal(state.range("train_loss").high, 500);
});

test("a network has one card, with a list of its surfaces", () => {
  const state = stateOf([
    surface("a.h5", net(1), { train_loss: bowl(1, 2) }), surface("b.h5", net(1), { train_loss: bowl(1, 2) }),
    surface("c.h5", net(2), { train_loss: bowl(1, 2) })]);
  const seen = (): string[] => state.visible().map(({ files }) => files[0]);
  assert.deepEqual(seen(), ["a.h5", "c.h5"]);
  state.choose(state.scenes[1]);
  assert.deepEqual(seen(), ["b.h5", "c.h5"]);
  setShown(["b.h5"], false);
  assert.deepEqual(seen(), ["a.h5", "c.h5"]);
  setShown(["b.h5"], true);
  state.update({ cards: "surface" });
  assert.deepEqual(seen(), ["a.h5", "b.h5", "c.h5"]);
});

test("typed limits hold for all surfaces, beyond their values too, and are refused with a reason", () => {
  const state = stateOf([1, 1000].map((k) => surface(`${k}.h5`, net(k), { train_loss: bowl(k, 1.1 * k) })));
  assert.equal(state.scaling("train_loss"), "own");
  assert.equal(state.setLimit("train_loss", "high", 5000), "");
  assert.equal(state.scaling("train_loss"), "shared");
  assert.equal(state.setLimit("train_loss", "low", 0.1), "");
  const { low, high } = state.scale("train_loss", state.scenes[0]);
  assert.ok(Math.abs(low - 0.1) < 1e-9 && Math.abs(high - 5000) < 1e-6);
  state.setKind("train_loss", "linear");
  assert.ok(Math.abs(state.scale("train_loss").high - 5000) < 1e-6);
  state.setKind("train_loss", "log");
  assert.match(state.setLimit("train_loss", "low", -1), /above 0/);
  assert.match(state.setLimit("train_loss", "low", 6000), /below the upper/);
  assert.match(state.setLimit("train_loss", "low", NaN), /not a number/);
  assert.ok(Math.abs(state.scale("train_loss").low - 0.1) < 1e-9);
});

test("diverging colours have 0 in the middle where both signs occur", () => {
  const state = stateOf([surface("1.h5", net(1), { lambda_min: bowl(-3, 1) }), surface("2.h5", net(2), { lambda_min: bowl(-1, 1) })]);
  state.update({ map: "coolwarm", scaling: "shared" });
  assert.deepEqual(state.colourScale(), { kind: "linear", low: -3, high: 3 });
  assert.deepEqual(state.scale("lambda_min"), { kind: "linear", low: -3, high: 1 });
});

test("an accuracy is linear, a percentage and has a maximum; none is guessed where the loss is not finite", () => {
  const state = stateOf([surface("1.h5", net(1, { images: "10", data: "train", loss: "cross_entropy" }),
    { train_loss: bowl(1, 100), train_acc: [10, 10, 98, 10, 10, 10, 10, 10, 1] })]);
  assert.equal(state.defaultKind("train_acc"), "linear");
  assert.equal(state.defaultKind("train_loss"), "log");
  const [scene] = state.scenes;
  assert.equal(describe(scene, "train_acc"), "images classified rightly, of 10 train images; 3 × 3 points");
  assert.equal(describe(scene, "train_loss"), "cross-entropy over 10 train images; 3 × 3 points");
  const best = spotsOf(scene, "train_acc").find(({ kind }) => kind === "extremum");
  assert.equal(best && spotInWords(best, "train_acc"), "maximum 98 % at α 1, β −1");
  assert.equal(formatValue("train_loss", 0.5), "0.5");
  const [broken] = stateOf([surface("1.h5", net(1), { train_loss: [null, 1, 1, 1, 1, 1, 1, 1, "infinity"], train_acc: bowl(90, 0) })]).scenes;
  assert.deepEqual([0, 1, 8].map((i) => broken.field.value("train_acc", i)), [NaN, 0, NaN]);
});

test("theta* is marked where axes begin, networks where the plane has them", () => {
  const names = (provenance: Provenance, kind = "surface"): string[] => {
    const result = { ...surface("s.h5", provenance, { train_loss: bowl(1, 2) }), kind };
    return scenesOf(report([result])).surfaces[0].marks.map(({ name }) => name);
  };
  assert.deepEqual(names({}), ["θ*"]);
  assert.deepEqual(names({ networks: "a b -1 0\nc 1 0\n" }), ["a b", "c"]);
  assert.deepEqual(names({}, "spectral_gap"), []);
  const [scene] = scenesOf(report([surface("s.h5", {}, { train_loss: [9, 9, 9, 9, 2, 1, 9, 9, 9] })])).surfaces;
  assert.deepEqual(spotsOf(scene, "train_loss").map((spot) => spotInWords(spot, "train_loss")), ["θ* 2", "minimum 1 at α 1, β 0"]);
});

test("only surfaces over one plane of one network share a plot", () => {
  const { surfaces } = scenesOf(report([
    surface("a.h5", net(1, { direction_hash: "r" }), { train_loss: bowl(1, 2) }),
    surface("b.h5", net(1, { direction_hash: "r" }), { test_loss: bowl(1, 2) }),
    surface("c.h5", net(1, { direction_hash: "pca" }), { train_loss: bowl(1, 2) }),
    surface("d.h5", net(2, { direction_hash: "r" }), { train_loss: bowl(1, 2) }),
    surface("e.h5", net(1), { train_loss: bowl(1, 2) }),
  ]));
  assert.deepEqual(surfaces.map(({ plane }) => overPlane(surfaces, plane).map(({ files }) => files[0]).join()),
    ["a.h5,b.h5", "a.h5,b.h5", "c.h5", "d.h5", "e.h5"]);
});

test("points without a value are counted by what they lack, and hatched", () => {
  const done = [true, true, true, true, true, true, true, true, false];
  const { field } = scenesOf(report([surface("s.h5", {}, { train_loss: [null, 1, 1, 1, 1, 1, 1, 1, null] }, done)])).surfaces[0];
  const holes = holesOf(field, "train_loss");
  assert.deepEqual(holes, { total: 9, notFinite: 1, toDo: 1 });
  assert.equal(holesInWords(holes), "1 of 9 points is not finite, 1 is to do");
  assert.equal(holesInWords({ total: 9, notFinite: 0, toDo: 3 }), "3 of 9 points are to do");
  assert.equal(holesInWords({ total: 9, notFinite: 0, toDo: 0 }), "");
  const cells = holeCells(field, "train_loss");
  assert.deepEqual(cells, [{ ix: 0, iy: 0, toDo: false }, { ix: 1, iy: 1, toDo: true }]);
  for (const [x0, y0, x1, y1] of hatching(field, cells)) {
    const inside = cells.some(({ ix, iy }) =>
      [x0, x1].every((x) => x >= ix - 1e-9 && x <= ix + 1 + 1e-9) && [y0, y1].every((y) => y >= iy - 1e-9 && y <= iy + 1 + 1e-9));
    assert.ok(inside && (x0 !== x1 || y0 !== y1));
  }
  assert.ok(hatching(field, cells.slice(0, 1)).length > hatching(field, cells.slice(1)).length, "crossed and single");
  assert.equal(new Field([0, 1], [0, 1], new Map(), null).doneCount(), 4);
});

test("a density is cut at a millionth of its largest value", () => {
  const density: Series = { name: "", x: [0, 1, 2, 3], y: [1e-265, 2, 1e-3, 1e-9], colour: 0 };
  const { y } = scalesOf({ series: [density], log: true, cut: 1e-6 });
  assert.equal(y.low, 2e-6);
  assert.ok(scalesOf({ series: [density], log: true }).y.low < 1e-264);
});

test("a chart of percentages ends at 100, marks its ends, and tells curves of one colour apart", () => {
  const series: Series = { name: "", x: [0, 1, 2], y: [10, 100, NaN], colour: 0 };
  assert.ok(scalesOf({ series: [series], log: false, percent: true }).y.high <= 101);
  assert.deepEqual(markedPoint(series, "maximum"), { x: 1, y: 100 });
  assert.deepEqual(markedPoint(series, "minimum"), { x: 0, y: 10 });
  assert.equal(markedPoint({ ...series, y: [NaN, NaN, NaN] }, "minimum"), null);
  const looks = [0, 6, 12].flatMap((colour) => [false, true].map((dashed) => dashOf({ ...series, colour, dashed }, 6).join()));
  assert.equal(new Set(looks).size, 6);
});

test("an order of networks moves their results, and hiding is remembered by file", () => {
  setOrder(["b", "a"]);
  assert.deepEqual(inOrder(["a1", "b1", "a2"], (one) => one[0]), ["b1", "a1", "a2"]);
  setShown(["x.h5"], false);
  assert.deepEqual([isShown("x.h5"), isShown("y.h5")], [false, true]);
  setShown(["x.h5"], true);
});
