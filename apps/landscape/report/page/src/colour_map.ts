// The colours of values: names, tables and darkest ends are those of landscape/figures/canvas/colour_map.cpp, so that a
// report and the figures agree.

/** A map: evenly spaced colours, 0xRRGGBB, mixed in between; it begins where they are no longer nearly black. */
interface ColourMap {
  readonly darkest: number;
  readonly colours: readonly number[];
}

const TABLES = {
  viridis: {
    darkest: 0.08,
    colours: [
      0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d, 0x33638d,
      0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685, 0x28ae80, 0x31b57b,
      0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24, 0xd5e21a, 0xeae51a, 0xfde725,
    ],
  },
  magma: {
    darkest: 0.22,
    colours: [
      0x000004, 0x030311, 0x0a0822, 0x130d33, 0x1d1146, 0x28115a, 0x36106a, 0x430f76, 0x50127c, 0x5d177f, 0x691c81,
      0x762181, 0x822681, 0x8f2a81, 0x9c2e7f, 0xa9327d, 0xb63779, 0xc33b75, 0xcf4170, 0xdb486a, 0xe65163, 0xee5c5e,
      0xf5695c, 0xf9785d, 0xfb8761, 0xfd9668, 0xfea571, 0xfeb47b, 0xfec387, 0xfed194, 0xfde0a2, 0xfceeb0, 0xfcfdbf,
    ],
  },
  plasma: {
    darkest: 0.05,
    colours: [
      0x0d0887, 0x220690, 0x310597, 0x3f049c, 0x4c02a1, 0x5901a5, 0x6600a7, 0x7201a8, 0x7e03a8, 0x8a09a5, 0x9511a1,
      0xa01a9c, 0xaa2395, 0xb32c8e, 0xbc3587, 0xc43e7f, 0xcc4778, 0xd24f71, 0xd9586a, 0xdf6263, 0xe56b5d, 0xeb7556,
      0xf07f4f, 0xf48948, 0xf89441, 0xfb9f3a, 0xfdab33, 0xfeb72d, 0xfdc328, 0xfcd025, 0xf9dd25, 0xf5eb27, 0xf0f921,
    ],
  },
  cividis: {
    darkest: 0.07,
    colours: [
      0x00224e, 0x00285b, 0x002e6a, 0x043371, 0x1a386f, 0x273e6e, 0x32436d, 0x3b496c, 0x434e6c, 0x4b546c, 0x52596d,
      0x5a5f6e, 0x61656f, 0x686a71, 0x6f7073, 0x757676, 0x7c7b78, 0x848179, 0x8b8778, 0x938d78, 0x9b9376, 0xa39a75,
      0xaba072, 0xb3a670, 0xbbad6c, 0xc3b469, 0xccba64, 0xd4c15f, 0xddc958, 0xe6d051, 0xefd748, 0xf8df3c, 0xfee838,
    ],
  },
  greys: {
    darkest: 0.12,
    colours: [
      0x1b1b1b, 0x212121, 0x272727, 0x2d2d2d, 0x323232, 0x393939, 0x3f3f3f, 0x454545, 0x4b4b4b, 0x525252, 0x585858,
      0x5f5f5f, 0x666666, 0x6c6c6c, 0x737373, 0x7a7a7a, 0x818181, 0x888888, 0x8f8f8f, 0x969696, 0x9e9e9e, 0xa5a5a5,
      0xacacac, 0xb4b4b4, 0xbbbbbb, 0xc3c3c3, 0xcacaca, 0xd2d2d2, 0xdadada, 0xe2e2e2, 0xe9e9e9, 0xf1f1f1, 0xf9f9f9,
    ],
  },
  coolwarm: {
    darkest: 0,
    colours: [
      0x3b4cc0, 0x445acc, 0x4d68d7, 0x5775e1, 0x6282ea, 0x6c8ef1, 0x779af7, 0x82a5fb, 0x8db0fe, 0x98b9ff, 0xa3c2ff,
      0xaec9fd, 0xb8d0f9, 0xc2d5f4, 0xccd9ee, 0xd5dbe6, 0xdddddd, 0xe5d8d1, 0xecd3c5, 0xf1ccb9, 0xf5c4ad, 0xf7bba0,
      0xf7b194, 0xf7a687, 0xf49a7b, 0xf18d6f, 0xec7f63, 0xe57058, 0xde604d, 0xd55042, 0xcb3e38, 0xc0282f, 0xb40426,
    ],
  },
} satisfies Record<string, ColourMap>;

export type MapName = keyof typeof TABLES;
export const MAPS = Object.keys(TABLES) as MapName[];

/** Whether a map's middle stands for 0, where values have both signs. */
export function diverges(map: MapName): boolean {
  return map === "coolwarm";
}

export function isMap(name: string): name is MapName {
  return name in TABLES;
}

/** Red, green and blue, 0 to 255, of a place in [0, 1]. */
export function colourAt(map: MapName, place: number): [number, number, number] {
  const { darkest, colours } = TABLES[map];
  const at = (darkest + (1 - darkest) * Math.min(1, Math.max(0, place))) * (colours.length - 1);
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
