// Keeps turning smooth: where frames come slowly, pictures are coarser until the turning ends.

const SLOW = 34; // milliseconds from a move to the picture that shows it: 30 a second
const REST = 200; // milliseconds after the last move
const QUALITIES = [1, 0.6, 0.35]; // of the screen's pixels, each way

export class Pace {
  private step = 0;
  private slowFrames = 0;
  private watching = false;
  private moving = false;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  /** `setQuality` learns the share of the screen's pixels, and whether nothing moves. */
  constructor(private readonly setQuality: (quality: number, resting: boolean) => void) {}

  moved(): void {
    if (!this.moving) {
      this.moving = true;
      this.setQuality(QUALITIES[this.step], false);
    }
    if (this.watching) return;
    this.watching = true;
    clearTimeout(this.waiting);
    const begin = performance.now();
    // The first frame draws, the second comes when the first is on the screen.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.watching = false;
        this.seen(performance.now() - begin);
      }),
    );
  }

  private seen(took: number): void {
    this.slowFrames = took > SLOW ? this.slowFrames + 1 : 0;
    if (this.slowFrames > 1 && this.step + 1 < QUALITIES.length) {
      this.slowFrames = 0;
      this.setQuality(QUALITIES[++this.step], false);
    }
    this.waiting = setTimeout(() => this.rest(), Math.max(REST, 2 * took));
  }

  private rest(): void {
    this.step = 0;
    this.slowFrames = 0;
    this.moving = false;
    this.setQuality(1, true);
  }
}
