// Lines of equal value over a grid: marching squares, with segments joined to lines.

/** A line through positions in units of grid points: (0, 0) is the first point. */
export interface ContourLine {
  points: [number, number][];
  closed: boolean;
}

/** The two edges of a cell that a segment joins. Edges are known by a number of their own. */
interface Segment {
  from: number;
  to: number;
}

/**
 * The lines on which values over nx * ny points are `level`. Cells with a corner that is not finite
 * have none: lines end at a hole. Corners at the level itself count as above it.
 */
export function contourLines(
  values: ArrayLike<number>,
  nx: number,
  ny: number,
  level: number,
): ContourLine[] {
  const segments: Segment[] = [];
  for (let iy = 0; iy + 1 < ny; ++iy)
    for (let ix = 0; ix + 1 < nx; ++ix) addCell(segments, values, nx, ix, iy, level);
  const pointOf = (edge: number): [number, number] => crossing(values, nx, edge, level);
  return join(segments).map(({ edges, closed }) => ({ points: edges.map(pointOf), closed }));
}

/** Returns where an edge is crossed: 2p runs from point p to the right, 2p + 1 to the next row. */
function crossing(
  values: ArrayLike<number>,
  nx: number,
  edge: number,
  level: number,
): [number, number] {
  const point = edge >> 1;
  const x = point % nx;
  const y = Math.floor(point / nx);
  const a = values[point];
  const b = values[edge % 2 === 0 ? point + 1 : point + nx];
  const share = (level - a) / (b - a);
  return edge % 2 === 0 ? [x + share, y] : [x, y + share];
}

function addCell(
  segments: Segment[],
  values: ArrayLike<number>,
  nx: number,
  ix: number,
  iy: number,
  level: number,
): void {
  const p = iy * nx + ix;
  const corners = [values[p], values[p + 1], values[p + nx + 1], values[p + nx]];
  if (!corners.every(Number.isFinite)) return;
  const [bottom, right, top, left] = [2 * p, 2 * (p + 1) + 1, 2 * (p + nx), 2 * p + 1];
  const add = (from: number, to: number): number => segments.push({ from, to });
  const above = corners.map((value) => value >= level);
  const code = above.reduce((bits, is, i) => bits | (is ? 1 << i : 0), 0);
  // Two opposite corners above: the mean of the four says whether the middle joins them.
  const joined = (corners[0] + corners[1] + corners[2] + corners[3]) / 4 >= level;
  switch (code) {
    case 1: case 14: add(left, bottom); break;
    case 2: case 13: add(bottom, right); break;
    case 3: case 12: add(left, right); break;
    case 4: case 11: add(right, top); break;
    case 6: case 9: add(bottom, top); break;
    case 7: case 8: add(left, top); break;
    case 5:
      if (joined) add(left, top), add(bottom, right);
      else add(left, bottom), add(right, top);
      break;
    case 10:
      if (joined) add(left, bottom), add(right, top);
      else add(left, top), add(bottom, right);
      break;
  }
}

/** Walks from segment to segment over their common edges: from open ends first, then around. */
function join(segments: Segment[]): { edges: number[]; closed: boolean }[] {
  const atEdge = new Map<number, number[]>();
  segments.forEach(({ from, to }, i) => {
    for (const edge of [from, to]) {
      const list = atEdge.get(edge);
      if (list) list.push(i);
      else atEdge.set(edge, [i]);
    }
  });
  const used = new Uint8Array(segments.length);
  const walk = (begin: number): number[] => {
    const edges = [begin];
    for (let edge = begin; ; ) {
      const next = atEdge.get(edge)?.find((i) => used[i] === 0);
      if (next === undefined) return edges;
      used[next] = 1;
      edge = segments[next].from === edge ? segments[next].to : segments[next].from;
      edges.push(edge);
    }
  };
  const lines: { edges: number[]; closed: boolean }[] = [];
  for (const [edge, touching] of atEdge)
    if (touching.length === 1 && used[touching[0]] === 0)
      lines.push({ edges: walk(edge), closed: false });
  segments.forEach(({ from }, i) => {
    if (used[i] === 0) lines.push({ edges: walk(from), closed: true });
  });
  return lines;
}
