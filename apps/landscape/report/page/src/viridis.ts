// The colours of values: viridis, perceptually uniform, in the polynomial of
// landscape/figures/canvas/colour_map.cpp, so that a report and the pictures agree.

const COEFFICIENTS = [
  [0.2777273272234177, 0.005407344544966578, 0.3340998053353061],
  [0.1050930431085774, 1.404613529898575, 1.384590162594685],
  [-0.3308618287255563, 0.214847559468213, 0.09509516302823659],
  [-4.634230498983486, -5.799100973351585, -19.33244095627987],
  [6.228269936347081, 14.17993336680509, 56.69055260068105],
  [4.776384997670288, -13.74514537774601, -65.35303263337234],
  [-5.435455855934631, 4.645852612178535, 26.3124352495832],
];

/** Red, green and blue, 0 to 255, of a place in [0, 1]. */
export function viridis(place: number): [number, number, number] {
  const t = Math.min(1, Math.max(0, place));
  const channel = (which: number): number => {
    let value = 0;
    for (let degree = COEFFICIENTS.length - 1; degree >= 0; --degree)
      value = value * t + COEFFICIENTS[degree][which];
    return Math.round(255 * Math.min(1, Math.max(0, value)));
  };
  return [channel(0), channel(1), channel(2)];
}

export function css([red, green, blue]: [number, number, number], opacity = 1): string {
  return opacity === 1 ? `rgb(${red} ${green} ${blue})` : `rgba(${red},${green},${blue},${opacity})`;
}

export const TABLE_SIZE = 256;

/** viridis() at TABLE_SIZE places, four bytes each: for textures and pictures. */
export const viridisTable: Uint8Array = (() => {
  const table = new Uint8Array(4 * TABLE_SIZE);
  for (let i = 0; i < TABLE_SIZE; ++i)
    table.set([...viridis(i / (TABLE_SIZE - 1)), 255], 4 * i);
  return table;
})();
