// Making elements.

type Child = Node | string | null;

interface Properties {
  class?: string;
  text?: string;
  title?: string;
  on?: Record<string, (event: Event) => void>;
  attributes?: Record<string, string>;
}

/** An element of this kind with what is said of it. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (properties.class !== undefined) element.className = properties.class;
  if (properties.text !== undefined) element.textContent = properties.text;
  if (properties.title !== undefined) element.title = properties.title;
  for (const [name, value] of Object.entries(properties.attributes ?? {}))
    element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(properties.on ?? {}))
    element.addEventListener(name, listener);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

export function button(text: string, title: string, act: () => void): HTMLButtonElement {
  return make("button", { text, title, on: { click: act }, attributes: { type: "button" } });
}

/** Hands the reader a file. */
export function save(name: string, blob: Blob): void {
  const link = make("a", { attributes: { href: URL.createObjectURL(blob), download: name } });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function saveText(name: string, type: string, text: string): void {
  save(name, new Blob([text], { type }));
}

/** Returns a text like "ResNet-56 (no shortcuts)" as part of a file's name. */
export function fileName(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^_+|_+$/g, "") || "figure";
}
