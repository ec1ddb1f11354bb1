// From results to what is shown together: maps of curvature join the surface whose points they
// have, trajectories the surface of their plane.
import { Field } from "./field.ts";
import { fileStem, isAccuracy, isLoss, LOSSES, planeLabel } from "./format.ts";
import { networkOf, networksOf, type Network } from "./networks.ts";
import {
  coordinatesOf,
  isKnown,
  namesOver,
  numbersOf,
  resultsOf,
  valuesOver,
  type Provenance,
  type Report,
  type Result,
} from "./schema.ts";

/** A place with a name: a network of a plane through several. */
export interface Mark {
  name: string;
  x: number;
  y: number;
}

export interface TrajectoryPath {
  epochs: number[];
  x: number[];
  y: number[];
}

/** A surface with all that is shown on it. */
export interface Scene {
  /** Its network's, and its own where the network has several. */
  name: string;
  network: Network;
  /** The same for surfaces over one plane: one network, the same directions. */
  plane: string;
  /** What the axes are, as far as the file says. */
  directions: { x: string; y: string };
  /** The surface's own file, then those of maps and trajectories that joined it. */
  files: string[];
  provenance: Provenance;
  field: Field;
  marks: Mark[];
  path: TrajectoryPath | null;
}

export interface Scenes {
  surfaces: Scene[];
  lines: Scene[];
}

function hasOwnLoss(field: Field): boolean {
  return field.planes.has("train_loss") || field.planes.has("test_loss");
}

/** The values of a result over one or two axes, the second along x. */
function fieldOf(result: Result, axes: string[]): Field {
  const names = namesOver(result, axes);
  const planes = new Map(
    names
      .filter((name) => (result.arrays[name].type ?? "real") === "real")
      .map((name) => [name, Float32Array.from(numbersOf(result, name))]),
  );
  const mask = names.find((name) => result.arrays[name].type === "mask");
  const done = Uint8Array.from(numbersOf(result, mask));
  let x = coordinatesOf(result, axes[axes.length - 1]) ?? [];
  let y = axes.length > 1 ? (coordinatesOf(result, axes[0]) ?? []) : [];
  // A column of points is a line along beta.
  if (y.length > 1 && x.length === 1) [x, y] = [y, x];
  if (y.length === 0) y = [0];
  return new Field(x, y, planes, done.every((flag) => flag === 1) ? null : done);
}

/** What can be shown as a surface: surfaces, and grids of kinds of results that are not known. */
function gridsOf(result: Result): string[][] {
  if (result.kind === "surface") return [result.table];
  if (isKnown(result)) return [];
  const pairs = Object.values(result.arrays).flatMap(({ axes }) =>
    axes?.length === 2 && axes.every((axis) => (coordinatesOf(result, axis) ?? []).length > 1) ? [axes] : []);
  return pairs.filter((axes, i) =>
    pairs.findIndex((other) => other.join("\n") === axes.join("\n")) === i && valuesOver(result, axes).length > 0);
}

/** Returns "cross-entropy over 1000 train images; 51 × 51 points" as far as the file says. */
export function describe({ provenance, field }: Scene, plane: string): string {
  const parts: string[] = [];
  const first = (provenance["loss"] ?? "cross_entropy").split(",")[0].split(":")[0];
  const loss = /_loss_/.test(plane) ? planeLabel(plane) : (LOSSES[first] ?? first);
  const what = isAccuracy(plane) ? "images classified rightly," : isLoss(plane) ? loss : planeLabel(plane);
  if (provenance["images"])
    parts.push(
      `${what} ${isAccuracy(plane) ? "of" : "over"} ` +
        `${provenance["target_se"] ? "up to " : ""}${provenance["images"]} ${provenance["data"] ?? ""} images`,
    );
  parts.push(field.ny > 1 ? `${field.nx} × ${field.ny} points` : `${field.nx} points`);
  return parts.join("; ");
}

/** The networks of a plane through several; of any other surface theta*, where its axes begin. */
function marksOf({ kind, provenance }: Result, field: Field): Mark[] {
  const marks: Mark[] = [];
  for (const line of (provenance["networks"] ?? "").split("\n")) {
    const found = /^(.*) (\S+) (\S+)$/.exec(line);
    if (found) marks.push({ name: found[1], x: Number(found[2]), y: Number(found[3]) });
  }
  if (marks.length === 0 && kind === "surface" && field.contains(0, 0)) marks.push({ name: "θ*", x: 0, y: 0 });
  return marks;
}

/** Removes accuracies where the loss is not finite: every image counts as wrong there. */
function withoutGuesses(field: Field): Field {
  const planes = new Map(field.planes);
  for (const [name, values] of field.planes) {
    const loss = isAccuracy(name) ? field.planes.get(name.replace(/acc$/, "loss")) : undefined;
    if (loss) planes.set(name, values.map((value, i) => (Number.isFinite(loss[i]) ? value : NaN)));
  }
  return new Field(field.x, field.y, planes, field.done);
}

function sceneOf(result: Result, axes: string[], network: Network): Scene {
  const { provenance, file } = result;
  const field = withoutGuesses(fieldOf(result, axes));
  const { direction_hash: directions, model_hash: model } = provenance;
  return {
    name: network.name,
    network,
    plane: directions === undefined ? file : `${directions} ${model ?? ""}`,
    directions: { x: provenance["x_direction"] ?? "", y: provenance["y_direction"] ?? "" },
    files: [file],
    provenance,
    field,
    marks: marksOf(result, field),
    path: null,
  };
}

/** A result's grid and marks without its network. */
export function sceneAlone(result: Result): Pick<Scene, "field" | "marks"> {
  const field = withoutGuesses(fieldOf(result, result.table));
  return { field, marks: marksOf(result, field) };
}

/** Whether two results name the same thing, as far as both name it. */
function agree(a: Provenance, b: Provenance, keys: string[]): boolean {
  return keys.every((key) => !a[key] || !b[key] || a[key] === b[key]);
}

/** The scene with this map's planes added, where it is a map of this scene. */
function joined(scene: Scene, map: Scene): Scene | null {
  const same =
    map.provenance["over"] !== undefined &&
    agree(scene.provenance, map.provenance, ["model_hash", "direction_hash"]) &&
    scene.field.samePoints(map.field);
  if (!same) return null;
  const planes = new Map([...map.field.planes, ...scene.field.planes]);
  const field = new Field(scene.field.x, scene.field.y, planes, scene.field.done);
  return { ...scene, files: [...scene.files, ...map.files], field };
}

function addMaps(scenes: Scene[]): Scene[] {
  const bases = scenes.filter((scene) => hasOwnLoss(scene.field));
  const alone: Scene[] = [];
  for (const map of scenes) {
    if (hasOwnLoss(map.field)) continue;
    let found = false;
    bases.forEach((base, i) => {
      const more = joined(base, map);
      if (more) bases[i] = more;
      found ||= more !== null;
    });
    if (!found) alone.push(map);
  }
  return [...bases, ...alone];
}

function addTrajectory(scenes: Scene[], trajectory: Result): void {
  const hash = trajectory.provenance["direction_hash"];
  const scene = scenes.find(
    ({ provenance, path }) =>
      path === null &&
      hash !== undefined &&
      provenance["direction_hash"] === hash &&
      agree(provenance, trajectory.provenance, ["model_hash"]),
  );
  if (!scene) return;
  scene.path = {
    epochs: numbersOf(trajectory, "epoch"),
    x: numbersOf(trajectory, "proj_xcoord"),
    y: numbersOf(trajectory, "proj_ycoord"),
  };
  scene.files.push(trajectory.file);
}

/** Two of one name become "name (file)", with its folders where the file alone does not tell them apart. */
export function withDistinctNames<T extends { name: string; files: string[] }>(all: T[]): T[] {
  const stems = all.map(({ files }) => fileStem(files[0]));
  return all.map((one, i) => {
    const twins = all.flatMap(({ name }, k) => (name === one.name ? [k] : []));
    if (twins.length === 1) return one;
    const distinct = new Set(twins.map((k) => stems[k])).size === twins.length;
    return { ...one, name: `${one.name} (${distinct ? stems[i] : one.files[0]})` };
  });
}

export function scenesOf(report: Report): Scenes {
  const networks = networksOf(report);
  const all = addMaps(
    report.results.flatMap((result) =>
      gridsOf(result).map((axes) => sceneOf(result, axes, networkOf(networks, result)))));
  for (const trajectory of resultsOf(report, "trajectory")) addTrajectory(all, trajectory);
  return {
    surfaces: withDistinctNames(all.filter(({ field }) => field.ny > 1)),
    lines: withDistinctNames(all.filter(({ field }) => field.ny === 1)),
  };
}

/** A result with a name that no other of its kind has. */
export type NamedResult = Result & { name: string; files: string[] };

export function namedResults(report: Report, kind: string): NamedResult[] {
  const networks = networksOf(report);
  return withDistinctNames(
    resultsOf(report, kind).map((result) => ({
      ...result,
      name: networkOf(networks, result).name,
      files: [result.file],
    })),
  );
}

/** The surfaces that may share a plot: all over one plane. */
export function overPlane(scenes: readonly Scene[], plane: string): Scene[] {
  return scenes.filter((scene) => scene.plane === plane);
}

/** The names of all planes that surfaces have, losses first. */
export function planeNames(scenes: Pick<Scene, "field">[]): string[] {
  const names = new Set<string>();
  for (const { field } of scenes) for (const name of field.planes.keys()) names.add(name);
  const rank = (name: string): number =>
    name === "train_loss" ? 0 : name === "test_loss" ? 1 : isLoss(name) ? 2 : 3;
  return [...names].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
