// Which results are of the same network, and what it is called.
import { fileStem } from "./format.ts";
import type { Report, Result } from "./schema.ts";

export interface Network {
  /** That of the weights where the results know it. */
  id: string;
  name: string;
  /** "" where that is the name already. */
  architecture: string;
  results: Result[];
}

/** The part of a path that tells its network from others: its run's folder, and its file if that is no run's last. */
function partsOf(path: string): string[] {
  const folders = path.split("/").filter((part) => part !== "" && part !== ".");
  const stem = fileStem(folders.pop() ?? path);
  const last = ["model", "log"].includes(stem) && folders.length > 0;
  return last ? folders : [...folders, stem];
}

/** The folder in which a run's log or network lies. */
function folderOf(path: string): string {
  return path.split("/").slice(0, -1).filter((part) => part !== ".").join("/");
}

function fileOf({ kind, file, provenance }: Result): string | undefined {
  return provenance["model_file"] ?? (kind === "training_log" ? file : undefined);
}

function idOf(result: Result): string {
  const { provenance, title, file } = result;
  return provenance["model_hash"] ?? (provenance["model_name"] || title || fileOf(result) || file);
}

/** Groups results by network, in the order in which the networks come first. */
export function networksOf({ results }: Pick<Report, "results">): Network[] {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    const id = idOf(result);
    groups.set(id, [...(groups.get(id) ?? []), result]);
  }
  // A run's log knows no weights: it belongs to the network beside it.
  for (const [id, [log]] of [...groups]) {
    if (log.kind !== "training_log") continue;
    const beside = [...groups].filter(([other, [first]]) => {
      const { model_file: file } = first.provenance;
      return other !== id && file !== undefined && folderOf(file) === folderOf(log.file) && fileStem(file) === "model";
    });
    if (beside.length !== 1) continue;
    beside[0][1].push(log);
    groups.delete(id);
  }
  return withNames([...groups].map(([id, members]) => ({ id, name: "", architecture: "", results: members })));
}

function architectureOf({ results }: Network): string {
  return results.map(({ provenance, title }) => provenance["model_name"] || title).find((name) => name) ?? "";
}

/** The run's name, with so many folders before it that no two networks have the same. */
function withNames(networks: Network[]): Network[] {
  const paths = networks.map((network) => network.results.map(fileOf).find((file) => file !== undefined));
  const nameOf = (i: number, length: number): string => {
    const path = paths[i];
    return path === undefined
      ? architectureOf(networks[i]) || fileStem(networks[i].results[0].file)
      : partsOf(path).slice(-length).join("/");
  };
  const longest = Math.max(1, ...paths.map((path) => (path ? partsOf(path).length : 1)));
  const taken = (i: number, length: number): boolean =>
    networks.some((_, other) => other !== i && nameOf(other, length) === nameOf(i, length));
  return networks.map((network, i) => {
    let length = 1;
    while (length < longest && taken(i, length)) ++length;
    const alone = nameOf(i, length);
    const name = taken(i, length) ? `${alone} (${fileStem(network.results[0].file)})` : alone;
    const architecture = architectureOf(network);
    return { ...network, name, architecture: architecture === name ? "" : architecture };
  });
}

export function networkOf(networks: readonly Network[], result: Result): Network {
  const found = networks.find(({ results }) => results.includes(result));
  if (!found) throw new Error(`${result.file} has no network`);
  return found;
}
