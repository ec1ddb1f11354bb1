// Numbers and names as people read them.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Returns "0.001234", "1.2 × 10⁻⁷": so many significant digits, no trailing zeros. */
export function formatNumber(value: number, digits = 5): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const shown = Number(size.toPrecision(digits));
  const sign = value < 0 ? "−" : "";
  if (shown >= 1e-4 && shown < 1e6) return sign + String(shown);
  const [mantissa, exponent] = shown.toExponential().split("e");
  const power = (exponent.startsWith("-") ? "⁻" : "") + raised(exponent.replace(/^[+-]/, ""));
  return sign + (mantissa === "1" ? `10${power}` : `${mantissa} × 10${power}`);
}

function raised(digits: string): string {
  return [...digits].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
}

/** Ticks that lie close together keep the digits that tell them apart. */
export function formatTicks(values: number[]): string[] {
  for (let digits = 3; digits < 10; ++digits) {
    const shown = values.map((value) => formatNumber(value, digits));
    if (new Set(shown).size === values.length) return shown;
  }
  return values.map((value) => formatNumber(value, 10));
}

/** Returns "0.1234 ± 0.0012": the value to the digits that its error leaves. */
export function formatEstimate(value: number, error: number): string {
  if (!Number.isFinite(value) || Number.isNaN(error)) return formatNumber(value, 4);
  if (!(error > 0) || !Number.isFinite(error))
    return `${formatNumber(value, 4)} ± ${formatNumber(error, 2)}`;
  const lost = Math.floor(Math.log10(Math.max(Math.abs(value), error))) - Math.floor(Math.log10(error));
  return `${formatNumber(value, Math.min(8, Math.max(2, lost + 2)))} ± ${formatNumber(error, 2)}`;
}

/** Accuracies are percentages. */
export function isAccuracy(plane: string): boolean {
  return /(^|_)(acc|accuracy)$/.test(plane);
}

/** A value as it is read: percentages with their sign. */
export function formatValue(plane: string, value: number, digits = 5): string {
  const text = formatNumber(value, digits);
  return isAccuracy(plane) && Number.isFinite(value) ? `${text} %` : text;
}

/** What losses are called, by their names in files. */
export const LOSSES: Record<string, string> = {
  cross_entropy: "cross-entropy",
  mse: "squared error",
  squared_error: "squared error",
  absolute_error: "absolute error",
  huber: "Huber loss",
  bce: "binary cross-entropy",
  focal: "focal loss",
  hinge: "hinge loss",
  squared_hinge: "squared hinge loss",
};
const OTHER_LOSS = new RegExp(`^(train|test)_loss_(${Object.keys(LOSSES).join("|")})$`);
const SETS: Record<string, string> = { train: "training", test: "test" };

/** Accuracies, errors and counts are shown beside a loss; a surface of them alone is one too. */
export function isLoss(plane: string): boolean {
  return /(^|_)loss$/.test(plane) || OTHER_LOSS.test(plane);
}

const PLANES: Record<string, string> = {
  train_loss: "training loss",
  test_loss: "test loss",
  train_acc: "training accuracy (%)",
  test_acc: "test accuracy (%)",
  train_loss_se: "training loss, standard error",
  test_loss_se: "test loss, standard error",
  train_loss_sd: "training loss, deviation over directions",
  test_loss_sd: "test loss, deviation over directions",
  train_correct: "training images classified rightly",
  test_correct: "test images classified rightly",
  train_n: "training images evaluated",
  test_n: "test images evaluated",
  lambda_max: "largest eigenvalue",
  lambda_min: "smallest eigenvalue",
  lambda_ratio: "|smallest / largest eigenvalue|",
  lambda_residual: "eigenvalues' relative residual",
  gradient_norm: "gradient norm",
  batch_gradient_norm: "mean norm of batch gradients",
  curvature_loss: "loss of the curvature's images",
  trace: "trace of the Hessian",
  trace_se: "trace, standard error",
  coherence_loss: "loss of the minibatches",
  coherence_accuracy: "accuracy of the minibatches (%)",
  coherence_cosine: "mean cosine of gradients",
  coherence_cosine_min: "smallest cosine of gradients",
  coherence_snr: "signal-to-noise ratio of gradients",
  coherence_noise_scale: "noise scale (images)",
  cosine: "mean cosine",
  cosine_min: "smallest cosine",
  snr: "signal-to-noise ratio",
  noise_scale: "noise scale (images)",
  accuracy: "accuracy (%)",
  inner_product_min: "smallest product of gradients",
};

/** Returns "training loss" for train_loss; an unknown name stays as it is. */
export function planeLabel(name: string): string {
  const loss = OTHER_LOSS.exec(name);
  if (loss) return `${SETS[loss[1]]} loss, ${LOSSES[loss[2]]}`;
  const top = /^(train|test)_top(\d+)_acc$/.exec(name);
  if (top) return `${SETS[top[1]]} top-${top[2]} accuracy (%)`;
  return PLANES[name] ?? name.replaceAll("_", " ");
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Returns "surface" for runs/a/surface.h5, with its folder if the name alone says little. */
export function fileStem(path: string): string {
  return (path.split("/").pop() ?? path).replace(/\.[^.]*$/, "");
}
