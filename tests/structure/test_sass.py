#!/usr/bin/env python3
"""Tests kernels/cuda/sass.py on machine code put together here: no nvcc is needed."""
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "kernels/cuda"))
import sass  # noqa: E402

ALWAYS, IF_P0 = 7 << 12, 0 << 12
HMMA, LDSM, LDG, STG, IADD3, EXIT = 0x23c, 0x83b, 0x381, 0x386, 0x210, 0x94d


def plain(code, predicate=ALWAYS, high=0):
    return sass.Instruction(code | predicate, high)


def branch(distance, predicate=ALWAYS):
    """A branch over so many instructions, counted from the next."""
    words = 4 * distance & (1 << 56) - 1
    low = 0x947 | predicate | (words & 0xff) << 16 | (words >> 8 & (1 << 30) - 1) << 34
    return sass.Instruction(low, words >> 38 | 7 << 23)


class Decoding(unittest.TestCase):
    def test_branch_to_itself(self):
        # As ptxas ends every kernel: "BRA" to its own address, in nvdisasm's bytes.
        instruction = sass.Instruction(0xfffffffc00fc7947, 0x000fc0000383ffff)
        self.assertEqual((instruction.operation(), instruction.jump()), ("BRA", -16))
        self.assertFalse(instruction.is_conditional())

    def test_distances(self):
        for distance in (-1, 5, -70, 1000, -100000):
            self.assertEqual(branch(distance).jump(), 16 * distance)

    def test_classes(self):
        self.assertEqual([plain(code).kind() for code in (HMMA, LDSM, LDG, STG, IADD3, EXIT)],
                         ["HMMA", "LDS", "LDG", "STG", "integer", "control"])
        self.assertEqual(sass.unknown([plain(HMMA), plain(0xdff)]), ["unknown 0xdff"])
        self.assertEqual(plain(LDG, high=6 << 9).bytes(), 16)

    def test_elf(self):
        code = struct.pack("<4Q", HMMA | ALWAYS, 0, EXIT | ALWAYS, 0)
        names = b"\0.shstrtab\0.text.foo\0"
        header = bytearray(64)
        struct.pack_into("<Q", header, 40, 64 + len(code) + len(names))
        struct.pack_into("<HH", header, 60, 3, 1)
        sections = bytes(64)
        for name, offset, size in ((1, 64 + len(code), len(names)), (11, 64, len(code))):
            sections += struct.pack("<IIQQQQ24x", name, 0, 0, 0, offset, size)
        found = sass.kernels(bytes(header) + code + names + sections)
        self.assertEqual({name: len(code) for name, code in found.items()}, {"foo": 2})


class Loops(unittest.TestCase):
    def test_busiest_way_through_the_inner_loop(self):
        code = [plain(IADD3),                   # 0
                plain(IADD3),                   # 1: head of the outer loop
                branch(3, IF_P0),               # 2: head of the inner loop; to 6, or on
                plain(IADD3), plain(IADD3),     # 3: the slow way, that loads as much
                branch(1),                      # 5: to 7
                plain(HMMA),                    # 6: the way that multiplies
                plain(LDG, high=6 << 9),        # 7
                branch(-7, IF_P0),              # 8: to 2
                plain(STG, high=6 << 9),        # 9
                branch(-10, IF_P0),             # 10: to 1
                plain(EXIT)]
        flow = sass.Flow(code)
        turn, body = flow.hot_loop()
        self.assertEqual(dict(flow.count(turn)), {"control": 2, "HMMA": 1, "LDG": 1})
        self.assertEqual(body, {2, 3, 6, 7})
        self.assertEqual(dict(flow.count(flow.whole())),
                         {"integer": 2, "control": 4, "HMMA": 1, "LDG": 1, "STG": 1})

    def test_a_skipped_store_is_not_the_busiest_way(self):
        code = [branch(1, IF_P0), plain(STG, high=4 << 9), plain(EXIT)]
        flow = sass.Flow(code)
        self.assertEqual(flow.hot_loop(), ([], set()))
        self.assertEqual(flow.count(flow.whole())["STG"], 1)


if __name__ == "__main__":
    unittest.main()
