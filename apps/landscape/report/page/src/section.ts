// A part of the page under a heading.
export interface Section {
  id: string;
  name: string;
  about: string;
  /** How many results it shows; null where that says nothing. */
  count: number | null;
  content: HTMLElement[];
}
