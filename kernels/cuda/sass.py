"""Reads a kernel's machine code (SASS of sm_90) from a cubin: which instructions a warp issues, and where it loops.

nvdisasm would print the same, but comes with few installations of the toolkit. An instruction is 16 bytes. Its lowest 9
bits are the operation, whatever its operands' form; bits 12 to 15 are the predicate it runs under (7: always).
"""
import collections
import dataclasses
import struct

# Operation by its lowest 9 bits, in classes of what a warp's issue slots are spent on.
CLASSES = {
    "HMMA": {0x03c: "HMMA", 0x037: "IMMA", 0x03f: "DMMA"},
    "FMA": {0x023: "FFMA", 0x021: "FADD", 0x020: "FMUL", 0x02b: "DFMA", 0x029: "DADD", 0x028: "DMUL", 0x030: "HADD2",
            0x032: "HMUL2", 0x109: "FMNMX", 0x009: "FMNMX", 0x008: "FSEL", 0x00b: "FSETP",
            0x02a: "DSETP", 0x108: "MUFU", 0x102: "FCHK", 0x107: "FRND", 0x022: "FSWZADD", 0x00a: "FSET",
            0x040: "HMNMX2"},
    "LDG": {0x181: "LDG", 0x180: "LD", 0x1a8: "ATOMG", 0x1a9: "ATOMG", 0x183: "LDL"},
    "LDGSTS": {0x1ae: "LDGSTS"},
    "LDS": {0x184: "LDS", 0x03b: "LDSM", 0x18c: "ATOMS", 0x18d: "ATOMS"},
    "STS": {0x188: "STS", 0x044: "STSM"},
    "STG": {0x186: "STG", 0x185: "ST", 0x18e: "RED", 0x187: "STL"},
    "convert": {0x104: "F2F", 0x110: "F2F", 0x03e: "F2FP", 0x105: "F2I", 0x111: "F2I", 0x106: "I2F", 0x112: "I2F",
                0x045: "I2FP", 0x113: "FRND"},
    "integer": {0x024: "IMAD", 0x025: "IMAD.WIDE", 0x027: "IMAD.HI", 0x010: "IADD3", 0x012: "LOP3", 0x011: "LEA",
                0x019: "SHF", 0x00c: "ISETP", 0x002: "MOV", 0x007: "SEL", 0x016: "PRMT", 0x013: "IABS", 0x017: "IMNMX",
                0x036: "VIADD", 0x048: "VIMNMX", 0x046: "VIADDMNMX", 0x01a: "SGXT", 0x01b: "BMSK", 0x01c: "PLOP3",
                0x003: "P2R", 0x004: "R2P", 0x005: "CS2R", 0x100: "FLO", 0x101: "BREV", 0x10a: "POPC", 0x0ca: "R2UR",
                0x082: "UMOV", 0x090: "UIADD3", 0x0a4: "UIMAD", 0x0a5: "UIMAD.WIDE", 0x091: "ULEA", 0x099: "USHF",
                0x092: "ULOP3", 0x08c: "UISETP", 0x087: "USEL", 0x09c: "UPLOP3", 0x096: "UPRMT", 0x083: "UP2UR",
                0x09b: "UBMSK", 0x0a7: "UIMAD.HI", 0x0bd: "UFLO", 0x0bf: "UPOPC", 0x018: "SHL", 0x00d: "ISET",
                0x026: "IDP", 0x0b9: "ULDC",
                0x031: "HFMA2", 0x035: "HFMA2.MMA"},  # these two move constants, past the integer units
    "control": {0x147: "BRA", 0x14d: "EXIT", 0x145: "BSSY", 0x141: "BSYNC", 0x142: "BREAK", 0x11d: "BAR",
                0x148: "WARPSYNC", 0x11a: "DEPBAR", 0x1af: "LDGDEPBAR", 0x118: "NOP", 0x144: "CALL", 0x143: "CALL",
                0x150: "RET", 0x149: "BRX", 0x14a: "JMP", 0x192: "MEMBAR", 0x1ab: "ERRBAR", 0x18f: "CCTL",
                0x146: "YIELD", 0x11b: "ENDCOLLECTIVE", 0x155: "BMOV", 0x156: "BMOV", 0x15d: "NANOSLEEP",
                0x15b: "KILL"},
    "other": {0x119: "S2R", 0x182: "LDC", 0x189: "SHFL", 0x006: "VOTE", 0x0c3: "S2UR", 0x0c7: "S2UR",
              0x1a1: "MATCH", 0x0c4: "REDUX", 0x086: "VOTEU", 0x1c3: "S2UR", 0x135: "NOP"},
}
NAMES = {code: (name, kind) for kind, codes in CLASSES.items() for code, name in codes.items()}
BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 8, 6: 16}  # by a load's or store's type, bits 73 to 75


@dataclasses.dataclass
class Instruction:
    low: int
    high: int

    def operation(self):
        code = self.low & 0x1ff
        return NAMES[code][0] if code in NAMES else f"unknown {self.low & 0xfff:#05x}"

    def kind(self):
        return NAMES.get(self.low & 0x1ff, ("", "other"))[1]

    def bytes(self):
        """Bytes that a lane moves."""
        if self.operation() == "LDSM":
            return 16
        return BYTES.get(self.high >> 9 & 7, 4) if self.kind() in ("LDG", "LDGSTS", "LDS", "STS", "STG") else 0

    def is_conditional(self):
        return (self.low >> 12 & 15) != 7 or (self.operation() == "BRA" and (self.high >> 23 & 15) != 7)

    def jump(self):
        """A branch's distance in bytes, from the next instruction. In words of 4 bytes, bits 16 to 23 are its lowest,
        bits 34 to 81 the rest."""
        words = self.low >> 34 | (self.high & 0x3ffff) << 30
        words -= (words >> 47) << 48
        return 4 * (words << 8 | (self.low >> 16 & 0xff))


def kernels(cubin):
    """{mangled name: instructions} of a cubin's kernels, an ELF file's sections .text.*."""
    (sections_at,) = struct.unpack_from("<Q", cubin, 40)
    count, names_index = struct.unpack_from("<HH", cubin, 60)
    headers = [struct.unpack_from("<IIQQQQ", cubin, sections_at + 64 * i) for i in range(count)]
    found = {}
    for name_at, _, _, _, offset, size in headers:
        begin = headers[names_index][4] + name_at
        name = cubin[begin:cubin.index(b"\0", begin)].decode()
        if name.startswith(".text."):
            words = struct.unpack_from(f"<{size // 8}Q", cubin, offset)
            found[name.removeprefix(".text.")] = [Instruction(*pair) for pair in zip(words[::2], words[1::2])]
    return found


class Flow:
    """A kernel's basic blocks, and which may follow which."""

    def __init__(self, code):
        self.code = code
        starts = {0}
        for i, instruction in enumerate(code):
            if instruction.operation() in ("BRA", "EXIT", "RET"):
                starts.add(i + 1)
            if instruction.operation() == "BRA":
                starts.add(self.target(i))
        order = sorted(start for start in starts if start < len(code))
        self.blocks = {begin: range(begin, end) for begin, end in zip(order, order[1:] + [len(code)])}
        self.next = {begin: self.successors(block) for begin, block in self.blocks.items()}
        self.order = self.reachable()
        self.before = collections.defaultdict(list)
        for block in self.order:
            for after in self.next[block]:
                self.before[after].append(block)
        self.dominators = self.find_dominators()
        self.back = [(a, b) for a in self.order for b in self.next[a] if b in self.dominators[a]]

    def target(self, i):
        return i + 1 + self.code[i].jump() // 16

    def successors(self, block):
        last, instruction = block[-1], self.code[block[-1]]
        jumps = instruction.operation() in ("BRA", "EXIT", "RET")
        after = [self.target(last)] if instruction.operation() == "BRA" else []
        if (not jumps or instruction.is_conditional()) and last + 1 in self.blocks:
            after.append(last + 1)
        return list(dict.fromkeys(after))

    def reachable(self):
        """The blocks in reverse postorder: each before those that only it leads to."""
        seen, post, stack = {0}, [], [(0, iter(self.next[0]))]
        while stack:
            block, rest = stack[-1]
            for after in rest:
                if after not in seen:
                    seen.add(after)
                    stack.append((after, iter(self.next[after])))
                    break
            else:
                post.append(block)
                stack.pop()
        return post[::-1]

    def find_dominators(self):
        """{block: the blocks on every way to it}."""
        everything = set(self.order)
        of = {block: everything for block in self.order} | {0: {0}}
        changed = True
        while changed:
            changed = False
            for block in self.order[1:]:
                new = set.intersection(*(of[b] for b in self.before[block])) | {block}
                changed = changed or new != of[block]
                of[block] = new
        return of

    def loops(self):
        """{head: (blocks of the loop, blocks that go back to the head)}."""
        found = {}
        for latch, head in self.back:
            body, latches = found.setdefault(head, ({head}, []))
            latches.append(latch)
            stack = [latch]
            while stack:
                block = stack.pop()
                if block not in body:
                    body.add(block)
                    stack.extend(self.before[block])
        return found

    def count(self, blocks):
        return collections.Counter(self.code[i].kind() for b in blocks for i in self.blocks[b])

    def busiest_path(self, begin, ends, within):
        """The way from one block to any of others that multiplies most, then moves most bytes, in the fewest
        instructions; inner loops are passed once."""
        back = set(self.back)
        best = {begin: (self.worth(begin), [begin])}
        for block in self.order:
            if block not in best or block not in within:
                continue
            for after in self.next[block]:
                if (block, after) in back or after not in within:
                    continue
                worth = tuple(a + b for a, b in zip(best[block][0], self.worth(after)))
                if after not in best or worth > best[after][0]:
                    best[after] = (worth, best[block][1] + [after])
        return max((best[end] for end in ends if end in best), default=((0, 0, 0), [begin]))[1]

    def worth(self, block):
        kinds = self.count([block])
        moved = sum(self.code[i].bytes() for i in self.blocks[block])
        return kinds["HMMA"] * 1000 + kinds["FMA"], moved, -len(self.blocks[block])

    def hot_loop(self):
        """(blocks of one turn, blocks of the whole loop) of the smallest loop that does half of what the busiest does;
        none without loops. Work is products, of those without any bytes moved."""
        loops = []
        for head, (body, latches) in self.loops().items():
            turn = self.busiest_path(head, latches, body)
            loops.append((*(sum(column) for column in zip(*map(self.worth, turn))), turn, body))
        if not loops:
            return [], set()
        work = 0 if any(loop[0] for loop in loops) else 1
        most = max(loop[work] for loop in loops)
        turn, body = min((loop[3:] for loop in loops if 2 * loop[work] >= most), key=lambda loop: len(loop[1]))
        return turn, body

    def whole(self):
        """The busiest way through the whole kernel, each loop passed once."""
        ends = [b for b in self.order if self.code[self.blocks[b][-1]].operation() in ("EXIT", "RET")]
        return self.busiest_path(0, ends, set(self.order))


def unknown(code):
    return sorted({i.operation() for i in code if i.operation().startswith("unknown")})
