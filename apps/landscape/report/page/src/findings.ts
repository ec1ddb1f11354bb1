// The few numbers of a result by which networks are told apart at a glance.
import { extremum, valueAtPlace } from "./spots.ts";
import { isLoss } from "./format.ts";
import { planeNames, sceneAlone } from "./scenes.ts";
import type { Network } from "./networks.ts";
import { numberOf, numbersOf, valuesOver, wordsOf, type Result } from "./schema.ts";

export const FINDINGS = ["loss", "minimum", "lambdaMax", "testError"] as const;
export type Finding = (typeof FINDINGS)[number];

export const FINDING_NAMES: Record<Finding, string> = {
  loss: "Loss at θ*",
  minimum: "Minimum",
  lambdaMax: "λ max",
  testError: "Test error (%)",
};

/** NaN is what a result does not tell. */
export type Findings = Record<Finding, number>;

const NONE: Findings = { loss: NaN, minimum: NaN, lambdaMax: NaN, testError: NaN };

function ofSurface(result: Result): Findings {
  const { field, marks } = sceneAlone(result);
  const loss = planeNames([{ field }]).find(isLoss) ?? "";
  // In a plane through networks theta* is the one that stands at the origin, if one does.
  const atOrigin = (plane: string): number =>
    marks.some(({ x, y }) => x === 0 && y === 0) ? valueAtPlace(field, plane, 0, 0) : NaN;
  return {
    loss: atOrigin(loss),
    minimum: extremum(field, loss, false)?.value ?? NaN,
    lambdaMax: atOrigin("lambda_max"),
    testError: 100 - atOrigin("test_acc"),
  };
}

function last(values: number[]): number {
  return values[values.length - 1] ?? NaN;
}

function ofPaths(result: Result): Findings {
  const losses = valuesOver(result, ["t"]).filter((name) => name.endsWith("/train_loss")).map((name) => numbersOf(result, name));
  const finite = losses.flat().filter(Number.isFinite);
  return { ...NONE, loss: losses[0]?.[0] ?? NaN, minimum: finite.length > 0 ? Math.min(...finite) : NaN };
}

function ofSharpness(result: Result): Findings {
  const values = numbersOf(result, "value");
  const names = wordsOf(result, "measure");
  const measure = (name: string): number => values[names.indexOf(name)] ?? NaN;
  return { ...NONE, loss: measure("loss"), lambdaMax: measure("lambda_max"), testError: measure("test_error") };
}

export function findingsOf(result: Result): Findings {
  switch (result.kind) {
    case "surface": return ofSurface(result);
    case "paths": return ofPaths(result);
    case "sharpness": return ofSharpness(result);
    case "curvature":
      return { ...NONE, loss: numberOf(result, "loss"), lambdaMax: numbersOf(result, "largest/values")[0] ?? NaN };
    case "trajectory": return { ...NONE, loss: last(numbersOf(result, "train_loss")) };
    // Losses of a log are of moving weights: none of them is that of theta*.
    case "training_log": return { ...NONE, testError: 100 - last(numbersOf(result, "test_accuracy")) };
    default: return NONE;
  }
}

/** The first of these kinds that tells a finding is believed; others come last. */
const BELIEVED: Record<Exclude<Finding, "minimum">, string[]> = {
  // Of the images that the minimum is of, too.
  loss: ["surface", "curvature", "sharpness", "paths"],
  lambdaMax: ["curvature", "sharpness", "surface"],
  testError: ["sharpness", "training_log", "surface"],
};

/** What a network's results tell together; of minima the smallest. */
export function findingsOfNetwork({ results }: Pick<Network, "results">): Findings {
  const all = results.map((result) => ({ kind: result.kind, findings: findingsOf(result) }));
  const first = (name: keyof typeof BELIEVED): number => {
    const told = all.filter(({ findings }) => !Number.isNaN(findings[name]));
    const rank = (kind: string): number =>
      BELIEVED[name].includes(kind) ? BELIEVED[name].indexOf(kind) : BELIEVED[name].length;
    const [best] = told.sort((a, b) => rank(a.kind) - rank(b.kind));
    return best?.findings[name] ?? NaN;
  };
  const minima = all.map(({ findings }) => findings.minimum).filter(Number.isFinite);
  return {
    loss: first("loss"),
    minimum: minima.length > 0 ? Math.min(...minima) : NaN,
    lambdaMax: first("lambdaMax"),
    testError: first("testError"),
  };
}
