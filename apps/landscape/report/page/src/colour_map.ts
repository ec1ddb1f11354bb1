// The colours of values. Viridis, magma and cividis are those of landscape/figures/canvas/colour_map.cpp,
// so that a report and the pictures agree.

export const MAPS = ["viridis", "magma", "cividis", "diverging", "grey"] as const;
export type MapName = (typeof MAPS)[number];

/** Evenly spaced colours, 0xRRGGBB; between two of them colours are mixed. */
const COLOURS: Record<MapName, readonly number[]> = {
  viridis: [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d, 0x33638d,
    0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685, 0x28ae80, 0x31b57b,
    0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24, 0xd5e21a, 0xeae51a, 0xfde725,
  ],
  magma: [
    0x000004, 0x030311, 0x0a0822, 0x130d33, 0x1d1146, 0x28115a, 0x36106a, 0x430f76, 0x50127c, 0x5d177f, 0x691c81,
    0x762181, 0x822681, 0x8f2a81, 0x9c2e7f, 0xa9327d, 0xb63779, 0xc33b75, 0xcf4170, 0xdb486a, 0xe65163, 0xee5c5e,
    0xf5695c, 0xf9785d, 0xfb8761, 0xfd9668, 0xfea571, 0xfeb47b, 0xfec387, 0xfed194, 0xfde0a2, 0xfceeb0, 0xfcfdbf,
  ],
  cividis: [
    0x00224e, 0x00285b, 0x002e6a, 0x043371, 0x1a386f, 0x273e6e, 0x32436d, 0x3b496c, 0x434e6c, 0x4b546c, 0x52596d,
    0x5a5f6e, 0x61656f, 0x686a71, 0x6f7073, 0x757676, 0x7c7b78, 0x848179, 0x8b8778, 0x938d78, 0x9b9376, 0xa39a75,
    0xaba072, 0xb3a670, 0xbbad6c, 0xc3b469, 0xccba64, 0xd4c15f, 0xddc958, 0xe6d051, 0xefd748, 0xf8df3c, 0xfee838,
  ],
  // ColorBrewer's RdBu, reversed: blue is low.
  diverging: [
    0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b, 0x67001f,
  ],
  // Neither end is the paper's colour, in either theme.
  grey: [0x262626, 0xf0f0f0],
};

export function isMap(name: string): name is MapName {
  return (MAPS as readonly string[]).includes(name);
}

/** Red, green and blue, 0 to 255, of a place in [0, 1]. */
export function colourAt(map: MapName, place: number): [number, number, number] {
  const colours = COLOURS[map];
  const at = Math.min(1, Math.max(0, place)) * (colours.length - 1);
  const i = Math.min(colours.length - 2, Math.floor(at));
  const channel = (shift: number): number => {
    const [a, b] = [(colours[i] >> shift) & 255, (colours[i + 1] >> shift) & 255];
    return Math.round(a + (at - i) * (b - a));
  };
  return [channel(16), channel(8), channel(0)];
}

export function css([red, green, blue]: [number, number, number]): string {
  return `rgb(${red} ${green} ${blue})`;
}

export const TABLE_SIZE = 256;

const tables = new Map<MapName, Uint8Array>();

/** colourAt() at TABLE_SIZE places, four bytes each: for textures and pictures. */
export function tableOf(map: MapName): Uint8Array {
  const known = tables.get(map);
  if (known) return known;
  const table = new Uint8Array(4 * TABLE_SIZE);
  for (let i = 0; i < TABLE_SIZE; ++i) table.set([...colourAt(map, i / (TABLE_SIZE - 1)), 255], 4 * i);
  tables.set(map, table);
  return table;
}
