// Every surface's camera: one for all while they are linked.
import { clamped, HOME, type Camera } from "./camera.ts";

export class Cameras {
  private common = HOME;
  private readonly own = new Map<object, Camera>();
  private readonly listeners: ((owner: object | null) => void)[] = [];
  private linkedNow = true;

  /** Called when a camera moves: with its owner, or null where it is everybody's. */
  subscribe(listener: (owner: object | null) => void): void {
    this.listeners.push(listener);
  }

  get linked(): boolean {
    return this.linkedNow;
  }

  /** Unlinked cameras begin where the common one was; linked again, all go where the one
   * moved first since then is. */
  setLinked(linked: boolean): void {
    if (linked === this.linkedNow) return;
    const [first] = this.own.values();
    if (linked && first) this.common = first;
    this.own.clear();
    this.linkedNow = linked;
    this.tell(null);
  }

  of(owner: object): Camera {
    return (this.linkedNow ? undefined : this.own.get(owner)) ?? this.common;
  }

  move(owner: object, change: (camera: Camera) => Camera): void {
    const moved = clamped(change(this.of(owner)));
    if (this.linkedNow) this.common = moved;
    else this.own.set(owner, moved);
    this.tell(this.linkedNow ? null : owner);
  }

  reset(): void {
    this.common = HOME;
    this.own.clear();
    this.tell(null);
  }

  private tell(owner: object | null): void {
    for (const listener of this.listeners) listener(owner);
  }
}
