// Draws reliefs with WebGL: one renderer for all surfaces of the page, whose picture each of them
// copies. Browsers allow a page only so many WebGL contexts.
import {
  BackSide,
  BufferAttribute,
  BufferGeometry,
  Color,
  DataTexture,
  DoubleSide,
  FrontSide,
  Group,
  LinearFilter,
  LinearSRGBColorSpace,
  Mesh,
  PerspectiveCamera,
  RGBAFormat,
  Scene,
  ShaderMaterial,
  Vector3,
  WebGLRenderer,
} from "three";
import type { Projection, Vector } from "./camera.ts";
import { TABLE_SIZE, tableOf, type MapName } from "./colour_map.ts";
import type { Relief } from "./relief.ts";
import { fragmentShader, LARGEST_LEVELS, solidFragmentShader, solidVertexShader, vertexShader } from "./shaders.ts";
import { tubeOf } from "./tube.ts";

const OUTLINE = 0.006; // its width in the scene

/** A line on a surface, as a tube of one radius, or of one for each point. */
export interface Stroke {
  points: Vector[];
  radius: number | number[];
  colour: string;
  /** Around the line, so that it shows on any colour. */
  outline?: string;
}

export interface Look {
  /** Lines of equal height, as shares of the box's; no more than LARGEST_LEVELS are drawn. */
  levels: number[];
  /** The grid's own lines. */
  grid: boolean;
}

/** One surface's part of the scene. */
export class ReliefModel {
  readonly group = new Group();
  private readonly geometry = new BufferGeometry();
  private strokes: Mesh[] = [];
  private triangles: { fine: BufferAttribute; coarse: BufferAttribute } | null = null;

  constructor(private readonly material: ShaderMaterial) {
    this.group.add(new Mesh(this.geometry, material));
  }

  setRelief(relief: Relief): void {
    const set = (name: string, values: Float32Array, size: number): void => {
      this.geometry.setAttribute(name, new BufferAttribute(values, size));
    };
    this.geometry.dispose();
    set("position", relief.positions, 3);
    set("normal", relief.normals, 3);
    set("light", relief.light, 1);
    set("tone", relief.tone, 1);
    this.triangles = {
      fine: new BufferAttribute(relief.triangles, 1),
      coarse: new BufferAttribute(relief.coarseTriangles, 1),
    };
    this.geometry.setIndex(this.triangles.fine);
    this.geometry.computeBoundingSphere();
  }

  setCoarse(coarse: boolean): void {
    if (this.triangles) this.geometry.setIndex(coarse ? this.triangles.coarse : this.triangles.fine);
  }

  setStrokes(strokes: Stroke[]): void {
    for (const mesh of this.strokes) {
      this.group.remove(mesh);
      mesh.geometry.dispose();
      (mesh.material as ShaderMaterial).dispose();
    }
    const wider = (radius: number | number[]): number | number[] =>
      typeof radius === "number" ? radius + OUTLINE : radius.map((one) => one + OUTLINE);
    const outlines = strokes.flatMap(({ points, radius, outline }) =>
      outline ? [{ points, radius: wider(radius), colour: outline, side: BackSide }] : []);
    this.strokes = [...outlines, ...strokes.map((stroke) => ({ ...stroke, side: FrontSide }))].map(({ points, radius, colour, side }) => {
      const tube = tubeOf(points, radius);
      const geometry = new BufferGeometry();
      geometry.setAttribute("position", new BufferAttribute(tube.positions, 3));
      geometry.setAttribute("normal", new BufferAttribute(tube.normals, 3));
      geometry.setIndex(new BufferAttribute(tube.triangles, 1));
      return new Mesh(geometry, solidMaterial(colour, side));
    });
    for (const mesh of this.strokes) this.group.add(mesh);
  }

  setLook(look: Look): void {
    const shown = look.levels.slice(0, LARGEST_LEVELS);
    (this.material.uniforms["levels"].value as Float32Array).set(shown);
    this.material.uniforms["levelCount"].value = shown.length;
    this.material.uniforms["grid"].value = look.grid ? 1 : 0;
  }

  setBox(height: number, cells: [number, number], half: [number, number]): void {
    this.material.uniforms["boxHeight"].value = height;
    this.material.uniforms["cells"].value = cells;
    this.material.uniforms["halfExtent"].value = half;
  }
}

function solidMaterial(colour: string, side: typeof FrontSide | typeof BackSide): ShaderMaterial {
  const value = new Color().setStyle(colour, LinearSRGBColorSpace);
  return new ShaderMaterial({
    vertexShader: solidVertexShader,
    fragmentShader: solidFragmentShader,
    side,
    uniforms: { colour: { value } },
  });
}

/** Whether triangles are drawn without a graphics processor. */
function isSoftware(context: WebGL2RenderingContext): boolean {
  let name = String(context.getParameter(context.RENDERER));
  // Chromium hides the name here, and only there the extension is no complaint on the console.
  const more = name.startsWith("WebKit") ? context.getExtension("WEBGL_debug_renderer_info") : null;
  if (more) name = String(context.getParameter(more.UNMASKED_RENDERER_WEBGL));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export class SurfaceRenderer {
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(30, 1, 0.05, 60);
  private readonly table = new DataTexture(new Uint8Array(4 * TABLE_SIZE), TABLE_SIZE, 1, RGBAFormat);
  private map: MapName | null = null;
  private width = 0;
  private height = 0;

  private constructor(
    private readonly renderer: WebGLRenderer,
    /** Pixels drawn for one that is shown, each way, while nothing moves. */
    readonly finest: number,
  ) {
    // Colours are worked out as the screen shows them: the map's as they are, shaded a little.
    renderer.outputColorSpace = LinearSRGBColorSpace;
    renderer.setClearColor(0x000000, 0);
    renderer.autoClear = true;
    this.table.magFilter = LinearFilter;
    this.table.minFilter = LinearFilter;
  }

  /** null where the browser has no WebGL. */
  static create(): SurfaceRenderer | null {
    try {
      // Asked for here: three.js would write its failure to the console.
      const contextOf = (antialias: boolean) => {
        const canvas = document.createElement("canvas");
        const context = canvas.getContext("webgl2", { antialias, alpha: true });
        return context && { canvas, context };
      };
      // In software, samples for smooth edges doubled a turning frame's time: finer pixels at rest do instead.
      const plain = contextOf(false);
      if (!plain) return null;
      const software = isSoftware(plain.context);
      const made = software ? plain : contextOf(true);
      if (!made) return null;
      if (!software) plain.context.getExtension("WEBGL_lose_context")?.loseContext();
      return new SurfaceRenderer(new WebGLRenderer({ ...made, antialias: !software, alpha: true }), software ? 1.5 : 1);
    } catch {
      return null;
    }
  }

  get lost(): boolean {
    return this.renderer.getContext().isContextLost();
  }

  setMap(map: MapName): void {
    if (map === this.map) return;
    this.map = map;
    (this.table.image.data as Uint8Array).set(tableOf(map));
    this.table.needsUpdate = true;
  }

  makeModel(): ReliefModel {
    return new ReliefModel(
      new ShaderMaterial({
        vertexShader,
        fragmentShader,
        side: DoubleSide,
        uniforms: {
          table: { value: this.table },
          levels: { value: new Float32Array(LARGEST_LEVELS) },
          levelCount: { value: 0 },
          grid: { value: 0 },
          boxHeight: { value: 1 },
          cells: { value: [1, 1] },
          halfExtent: { value: [1, 1] },
        },
      }),
    );
  }

  /** The picture of one model, transparent around it; valid until the next call. */
  render(model: ReliefModel, view: Projection, ratio: number): CanvasImageSource {
    const width = Math.max(1, Math.round(view.width * ratio));
    const height = Math.max(1, Math.round(view.height * ratio));
    if (width !== this.width || height !== this.height) {
      this.renderer.setSize(width, height, false);
      this.width = width;
      this.height = height;
    }
    this.camera.fov = (view.fieldOfView * 180) / Math.PI;
    this.camera.aspect = view.width / view.height;
    this.camera.position.set(...view.eye);
    this.camera.up.set(0, 1, 0);
    this.camera.lookAt(new Vector3(...view.target));
    this.camera.updateProjectionMatrix();
    this.scene.add(model.group);
    this.renderer.render(this.scene, this.camera);
    this.scene.remove(model.group);
    return this.renderer.domElement;
  }
}
