// Pointers, wheel and keys over a canvas, as what they mean.

export interface Place {
  x: number;
  y: number;
}

export interface Gestures {
  hover(at: Place | null): void;
  click(at: Place): void;
  drag(dx: number, dy: number): void;
  zoom(factor: number): void;
  /** Whether the key meant something. */
  key(event: KeyboardEvent): boolean;
}

const CLICK_REACH = 5; // pixels that a finger or a mouse may move and still have clicked

export function listenTo(canvas: HTMLCanvasElement, gestures: Gestures): void {
  const pointers = new Map<number, Place>();
  let travelled = 0;
  const placeOf = (event: PointerEvent): Place => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const spread = (): number => {
    const [a, b] = [...pointers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, placeOf(event));
    if (pointers.size === 1) travelled = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = placeOf(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      gestures.hover(at);
      return;
    }
    const apart = spread();
    pointers.set(event.pointerId, at);
    travelled += Math.abs(at.x - before.x) + Math.abs(at.y - before.y);
    if (travelled <= CLICK_REACH) return;
    if (pointers.size > 1) {
      if (apart > 0) gestures.zoom(spread() / apart);
    } else {
      gestures.drag(at.x - before.x, at.y - before.y);
    }
  });
  const release = (event: PointerEvent): void => {
    const was = pointers.delete(event.pointerId);
    if (was && event.type === "pointerup" && travelled <= CLICK_REACH) gestures.click(placeOf(event));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => gestures.hover(null));
  canvas.addEventListener(
    "wheel",
    (event) => {
      // The wheel belongs to the page until the picture was clicked. A pinch comes with ctrlKey.
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      event.preventDefault();
      gestures.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)));
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (gestures.key(event)) event.preventDefault();
  });
}
