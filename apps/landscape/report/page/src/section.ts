// A part of the page under a heading.
export interface Section {
  id: string;
  name: string;
  about: string;
  content: HTMLElement[];
}
