// Keeps turning smooth: where frames come slowly, pictures are coarser until the turning ends.

const SLOW = 1000 / 24; // milliseconds a frame
const REST = 180; // milliseconds after the last move
const COARSE = 0.55; // of the screen's pixels, each way

export class Pace {
  private last = 0;
  private slowFrames = 0;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private watching = false;

  constructor(private readonly setQuality: (quality: number) => void) {}

  moved(): void {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.slowFrames = 0;
      this.last = 0;
      this.setQuality(1);
    }, REST);
    if (this.watching) return;
    this.watching = true;
    requestAnimationFrame((now) => {
      this.watching = false;
      const took = this.last === 0 ? 0 : now - this.last;
      this.last = now;
      // A pause between two moves is no slow frame.
      if (took > SLOW && took < REST) ++this.slowFrames;
      if (this.slowFrames > 2) this.setQuality(COARSE);
    });
  }
}
