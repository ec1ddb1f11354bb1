// A polygon's line as a tube with round ends, for lines of a width in a scene.
import { add, scaled, type Vector } from "./camera.ts";

export interface Tube {
  positions: Float32Array;
  normals: Float32Array;
  triangles: Uint32Array;
}

const SIDES = 10;

/**
 * Makes a ring around every point, perpendicular to the line; a cone closes either end. One radius
 * for all rings, or one for each.
 */
export function tubeOf(points: Vector[], radius: number | number[]): Tube {
  const way = points.filter(
    (point, i) => i === 0 || distance(point, points[i - 1]) > 1e-9,
  );
  const rings: { centre: Vector; tangent: Vector; radius: number }[] = way.map((centre, i) => {
    const from = way[Math.max(0, i - 1)];
    const to = way[Math.min(way.length - 1, i + 1)];
    const wide = typeof radius === "number" ? radius : radius[i];
    return { centre, tangent: unit(add(to, scaled(from, -1))), radius: wide };
  });
  if (rings.length > 0) {
    rings.unshift({ ...rings[0], radius: 0 });
    rings.push({ ...rings[rings.length - 1], radius: 0 });
  }
  const positions: number[] = [];
  const normals: number[] = [];
  for (const ring of rings) {
    const aside = perpendicular(ring.tangent);
    const upwards = crossed(ring.tangent, aside);
    for (let side = 0; side < SIDES; ++side) {
      const angle = (2 * Math.PI * side) / SIDES;
      const outward = add(scaled(aside, Math.cos(angle)), scaled(upwards, Math.sin(angle)));
      positions.push(...add(ring.centre, scaled(outward, ring.radius)));
      normals.push(...outward);
    }
  }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    triangles: trianglesBetween(rings.length),
  };
}

/** A sphere: a short tube, thickest in the middle. */
export function ballAround([x, y, z]: Vector, radius: number): { points: Vector[]; radius: number[] } {
  const angles = [-1.2, -0.8, -0.4, 0, 0.4, 0.8, 1.2];
  return {
    points: angles.map((angle) => [x, y + radius * Math.sin(angle), z]),
    radius: angles.map((angle) => radius * Math.cos(angle)),
  };
}

function trianglesBetween(rings: number): Uint32Array {
  const triangles: number[] = [];
  for (let ring = 0; ring + 1 < rings; ++ring)
    for (let side = 0; side < SIDES; ++side) {
      const a = ring * SIDES + side;
      const b = ring * SIDES + ((side + 1) % SIDES);
      triangles.push(a, b, a + SIDES, b, b + SIDES, a + SIDES);
    }
  return Uint32Array.from(triangles);
}

function perpendicular(tangent: Vector): Vector {
  const reference: Vector = Math.abs(tangent[1]) < 0.95 ? [0, 1, 0] : [1, 0, 0];
  return unit(crossed(tangent, reference));
}

function distance(a: Vector, b: Vector): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function unit(a: Vector): Vector {
  const length = Math.hypot(...a);
  return length > 0 ? scaled(a, 1 / length) : [1, 0, 0];
}

function crossed(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
