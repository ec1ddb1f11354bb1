// Where the surfaces are seen from, and how a point of the scene falls on the picture.

export type Vector = readonly [number, number, number];

/** Direction and distance of a view around the middle of the scene's box. */
export interface Camera {
  azimuth: number; // radians; 0 looks along -z, from beta's low end
  elevation: number;
  zoom: number;
}

export const HOME: Camera = { azimuth: 0.62, elevation: 0.52, zoom: 1 };

const FIELD_OF_VIEW = 0.46; // radians, vertical
const MIDDLE: Vector = [0, 0.3, 0];

export function clamped(camera: Camera): Camera {
  return {
    azimuth: camera.azimuth % (2 * Math.PI),
    elevation: Math.min(1.5, Math.max(-0.15, camera.elevation)),
    zoom: Math.min(6, Math.max(0.5, camera.zoom)),
  };
}

/** A camera over a picture of a given shape. */
export class Projection {
  readonly eye: Vector;
  readonly target = MIDDLE;
  readonly fieldOfView = FIELD_OF_VIEW;
  private readonly right: Vector;
  private readonly up: Vector;
  private readonly forward: Vector;
  private readonly focal: number;

  constructor(
    camera: Camera,
    readonly width: number,
    readonly height: number,
  ) {
    const aspect = width / height;
    // Far enough that the box fits a picture's narrower side, with its ticks' texts.
    const room = Math.max(1, 1.24 / aspect) * (1 + 28 / width);
    const distance = (5.6 * room) / camera.zoom;
    const flat = Math.cos(camera.elevation);
    this.forward = [
      -flat * Math.sin(camera.azimuth),
      -Math.sin(camera.elevation),
      -flat * Math.cos(camera.azimuth),
    ];
    this.eye = add(MIDDLE, scaled(this.forward, -distance));
    this.right = [Math.cos(camera.azimuth), 0, -Math.sin(camera.azimuth)];
    this.up = cross(this.right, this.forward);
    this.focal = height / (2 * Math.tan(FIELD_OF_VIEW / 2));
  }

  /** Projects onto the picture: place from its upper left corner, distance along the view. */
  project(point: Vector): { x: number; y: number; depth: number } {
    const d = add(point, scaled(this.eye, -1));
    const depth = dot(d, this.forward);
    return {
      x: this.width / 2 + (this.focal * dot(d, this.right)) / depth,
      y: this.height / 2 - (this.focal * dot(d, this.up)) / depth,
      depth,
    };
  }

  /** Returns the direction from the eye through a place on the picture. */
  ray(x: number, y: number): Vector {
    const across = (x - this.width / 2) / this.focal;
    const upwards = (this.height / 2 - y) / this.focal;
    return add(this.forward, add(scaled(this.right, across), scaled(this.up, upwards)));
  }
}

export function add(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}
export function scaled(a: Vector, factor: number): Vector {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}
function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
