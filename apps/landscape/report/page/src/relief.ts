// The shape of a surface in the scene: heights, normals, shading and triangles of a field.
import type { Field } from "./field.ts";
import { placer, type Scale } from "./scale.ts";

/** In the scene alpha runs along x and beta along -z, in [-1, 1] at the longer side; y is up. */
export interface Box {
  halfX: number;
  halfZ: number;
  height: number;
}

export function boxOf(field: Field): Box {
  const extent = (axis: readonly number[]): number => Math.abs(axis[axis.length - 1] - axis[0]);
  const x = extent(field.x);
  const y = extent(field.y);
  const longer = Math.max(x, y) || 1;
  // A plane much longer than wide is drawn less so: a needle shows nothing.
  return { halfX: Math.max(0.45, x / longer), halfZ: Math.max(0.45, y / longer), height: 0.95 };
}

/** A coordinate's place in the scene. */
export function sceneX(field: Field, box: Box, x: number): number {
  return box.halfX * (2 * share(field.x, x) - 1);
}
export function sceneZ(field: Field, box: Box, y: number): number {
  return box.halfZ * (1 - 2 * share(field.y, y));
}
function share(axis: readonly number[], at: number): number {
  const low = Math.min(axis[0], axis[axis.length - 1]);
  const high = Math.max(axis[0], axis[axis.length - 1]);
  return high > low ? (at - low) / (high - low) : 0.5;
}

export interface Relief {
  /** NaN at holes. */
  heights: Float32Array;
  positions: Float32Array;
  normals: Float32Array;
  /** Share of light that reaches a point, and the share of its colour scale. */
  light: Float32Array;
  tone: Float32Array;
  triangles: Uint32Array;
  /** Fewer of them, over the same points, for machines without a graphics processor. */
  coarseTriangles: Uint32Array;
}

const COARSE_CELLS = 40; // along an axis: at 64, four turning surfaces of 51x51 points took half as much work again

export function reliefOf(
  field: Field,
  box: Box,
  heightPlane: Float32Array,
  heightScale: Scale,
  colourPlane: Float32Array,
  colourScale: Scale,
): Relief {
  const count = field.nx * field.ny;
  const heights = new Float32Array(count);
  const tone = new Float32Array(count);
  const heightOf = placer(heightScale);
  const toneOf = placer(colourScale);
  for (let i = 0; i < count; ++i) {
    heights[i] = box.height * heightOf(heightPlane[i]);
    tone[i] = toneOf(colourPlane[i]);
  }
  const positions = positionsOf(field, box, heights);
  return {
    heights,
    positions,
    normals: normalsOf(positions, heights, field.nx, field.ny),
    light: lightOf(heights, field.nx, field.ny, (2 * box.halfX) / Math.max(1, field.nx - 1)),
    tone,
    triangles: trianglesOf(heights, field.nx, field.ny, 1),
    coarseTriangles: trianglesOf(
      heights, field.nx, field.ny, Math.ceil(Math.max(field.nx, field.ny) / COARSE_CELLS)),
  };
}

function positionsOf(field: Field, box: Box, heights: Float32Array): Float32Array {
  const positions = new Float32Array(3 * heights.length);
  const xs = field.x.map((x) => sceneX(field, box, x));
  const zs = field.y.map((y) => sceneZ(field, box, y));
  for (let iy = 0, i = 0; iy < field.ny; ++iy)
    for (let ix = 0; ix < field.nx; ++ix, ++i) {
      positions[3 * i] = xs[ix];
      positions[3 * i + 1] = Number.isNaN(heights[i]) ? 0 : heights[i];
      positions[3 * i + 2] = zs[iy];
    }
  return positions;
}

/** Central differences; at an edge and at a hole the one neighbour there is. */
function normalsOf(positions: Float32Array, heights: Float32Array, nx: number, ny: number): Float32Array {
  const normals = new Float32Array(positions.length);
  const slope = (before: number, own: number, after: number, along: number): number => {
    const a = Number.isNaN(heights[before]) ? own : before;
    const b = Number.isNaN(heights[after]) ? own : after;
    const run = positions[3 * b + along] - positions[3 * a + along];
    return run === 0 ? 0 : (heights[b] - heights[a]) / run;
  };
  for (let iy = 0; iy < ny; ++iy)
    for (let ix = 0; ix < nx; ++ix) {
      const i = iy * nx + ix;
      if (Number.isNaN(heights[i])) continue;
      const dx = slope(ix > 0 ? i - 1 : i, i, ix + 1 < nx ? i + 1 : i, 0);
      const dz = slope(iy > 0 ? i - nx : i, i, iy + 1 < ny ? i + nx : i, 2);
      const length = Math.hypot(dx, 1, dz);
      normals[3 * i] = -dx / length;
      normals[3 * i + 1] = 1 / length;
      normals[3 * i + 2] = -dz / length;
    }
  return normals;
}

const DIRECTIONS = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => {
  const angle = (2 * Math.PI * (k + 0.5)) / 8;
  return [Math.cos(angle), Math.sin(angle)] as const;
});
const REACHES = [0.02, 0.05, 0.1, 0.18, 0.3, 0.5]; // in the scene, of 2 across

/** How open the sky is over a point: what stands around it hides a part. Pits look deep by this. */
function lightOf(heights: Float32Array, nx: number, ny: number, spacing: number): Float32Array {
  const light = new Float32Array(heights.length).fill(1);
  for (const [cosine, sine] of DIRECTIONS) {
    const steps = REACHES.map((reach) => ({
      sx: Math.round((cosine * reach) / spacing),
      sy: Math.round((sine * reach) / spacing),
      perReach: 1 / reach,
    })).filter(({ sx, sy }) => sx !== 0 || sy !== 0);
    for (let iy = 0, i = 0; iy < ny; ++iy)
      for (let ix = 0; ix < nx; ++ix, ++i) {
        let steepest = 0;
        for (let k = 0; k < steps.length; ++k) {
          const { sx, sy, perReach } = steps[k];
          const x = ix + sx;
          const y = iy + sy;
          if (x < 0 || y < 0 || x >= nx || y >= ny) break;
          const rise = (heights[y * nx + x] - heights[i]) * perReach;
          if (rise > steepest) steepest = rise;
        }
        // The sine of the horizon's angle, an eighth of the sky each.
        light[i] -= (0.125 * steepest) / Math.sqrt(1 + steepest * steepest);
      }
  }
  return light;
}

/** Two a cell of `stride` intervals each way, none where a corner is a hole. */
function trianglesOf(heights: Float32Array, nx: number, ny: number, stride: number): Uint32Array {
  const ends = (n: number): number[] =>
    Array.from({ length: Math.ceil((n - 1) / stride) + 1 }, (_, i) => Math.min(n - 1, i * stride));
  const columns = ends(nx);
  const rows = ends(ny);
  const triangles = new Uint32Array(6 * (columns.length - 1) * (rows.length - 1));
  let count = 0;
  const add = (a: number, b: number, c: number): void => {
    if (Number.isNaN(heights[a] + heights[b] + heights[c])) return;
    triangles[count++] = a;
    triangles[count++] = b;
    triangles[count++] = c;
  };
  for (let v = 0; v + 1 < rows.length; ++v)
    for (let u = 0; u + 1 < columns.length; ++u) {
      const near = rows[v] * nx;
      const far = rows[v + 1] * nx;
      const [a, b, c, d] = [near + columns[u], near + columns[u + 1], far + columns[u + 1], far + columns[u]];
      // The diagonal that bends less: ridges stay ridges.
      if (Math.abs(heights[a] - heights[c]) <= Math.abs(heights[b] - heights[d])) {
        add(a, b, c);
        add(a, c, d);
      } else {
        add(a, b, d);
        add(b, c, d);
      }
    }
  return triangles.slice(0, count);
}
