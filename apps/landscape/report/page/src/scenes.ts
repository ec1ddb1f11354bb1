// From results to what is shown together: maps of curvature join the surface whose points they
// have, trajectories the surface of their plane.
import { Field } from "./field.ts";
import { fileStem } from "./format.ts";
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
  name: string;
  about: string;
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

/** Accuracies, errors and counts are shown beside a loss; a surface of them alone is one too. */
export function isLoss(plane: string): boolean {
  return /(^|_)loss(_mse)?$/.test(plane);
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

/** Returns "cross-entropy over 1000 train images, filter-normalised" as far as the file says. */
function describe(provenance: Provenance, field: Field): string {
  const parts: string[] = [];
  const loss = provenance["loss"];
  if (provenance["images"])
    parts.push(
      `${loss?.startsWith("mse") ? "squared error" : "cross-entropy"} over ` +
        `${provenance["target_se"] ? "up to " : ""}${provenance["images"]} ${provenance["data"] ?? ""} images`,
    );
  parts.push(field.ny > 1 ? `${field.nx} × ${field.ny} points` : `${field.nx} points`);
  const done = field.doneCount();
  if (done < field.nx * field.ny) parts.push(`${done} of them done`);
  return parts.join("; ");
}

function marksOf(provenance: Provenance): Mark[] {
  const marks: Mark[] = [];
  for (const line of (provenance["networks"] ?? "").split("\n")) {
    const found = /^(.*) (\S+) (\S+)$/.exec(line);
    if (found) marks.push({ name: found[1], x: Number(found[2]), y: Number(found[3]) });
  }
  return marks;
}

function sceneOf(result: Result, axes: string[]): Scene {
  const field = fieldOf(result, axes);
  return {
    name: result.title || fileStem(result.file),
    about: describe(result.provenance, field),
    files: [result.file],
    provenance: result.provenance,
    field,
    marks: marksOf(result.provenance),
    path: null,
  };
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

/** Two of one name become "name (file)". */
export function withDistinctNames<T extends { name: string; files: string[] }>(all: T[]): T[] {
  return all.map((one) =>
    all.filter(({ name }) => name === one.name).length === 1
      ? one
      : { ...one, name: `${one.name} (${fileStem(one.files[0])})` },
  );
}

export function scenesOf(report: Report): Scenes {
  const all = addMaps(report.results.flatMap((result) => gridsOf(result).map((axes) => sceneOf(result, axes))));
  for (const trajectory of resultsOf(report, "trajectory")) addTrajectory(all, trajectory);
  return {
    surfaces: withDistinctNames(all.filter(({ field }) => field.ny > 1)),
    lines: withDistinctNames(all.filter(({ field }) => field.ny === 1)),
  };
}

/** A result with a name that no other of its kind has. */
export type NamedResult = Result & { name: string; files: string[] };

export function namedResults(report: Report, kind: string): NamedResult[] {
  return withDistinctNames(
    resultsOf(report, kind).map((result) => ({
      ...result,
      name: result.title || fileStem(result.file),
      files: [result.file],
    })),
  );
}

/** The names of all planes that surfaces have, losses first. */
export function planeNames(scenes: Scene[]): string[] {
  const names = new Set<string>();
  for (const { field } of scenes) for (const name of field.planes.keys()) names.add(name);
  const rank = (name: string): number =>
    name === "train_loss" ? 0 : name === "test_loss" ? 1 : isLoss(name) ? 2 : 3;
  return [...names].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
