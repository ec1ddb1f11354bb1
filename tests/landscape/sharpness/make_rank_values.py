#!/usr/bin/python3
"""Rank correlations by other ways than the program's, for test_rank_correlation.cpp: NumPy's
correlation of the ranks; Kendall's tau-b from the table of counts.

    tests/landscape/sharpness/make_rank_values.py > tests/landscape/sharpness/rank_values.h
"""

import math

import numpy as np

PAIRS = [
    ([8.3, 9.1, 6.6, 11.4], [0.12, 0.4, 0.03, 0.2]),
    ([1, 2, 2, 3, 5, 5, 5], [2, 1, 4, 4, 3, 9, 8]),
    ([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 9], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5]),
]


def ranks(values):
    """1 + how many are smaller + half of how many others are equal."""
    v = np.array(values, dtype=float)
    return np.array([1 + (v < x).sum() + ((v == x).sum() - 1) / 2 for x in v])


def tau_b(x, y):
    """(P - Q) / sqrt((n0 - n1)(n0 - n2)), n1 and n2 the pairs tied in x and in y."""
    xs, ys = np.unique(x), np.unique(y)
    table = np.array([[sum(1 for p in zip(x, y) if p == (a, b)) for b in ys] for a in xs])
    concordant = sum(table[i, j] * table[i + 1:, j + 1:].sum()
                     for i in range(len(xs)) for j in range(len(ys)))
    discordant = sum(table[i, j] * table[i + 1:, :j].sum()
                     for i in range(len(xs)) for j in range(len(ys)))
    pairs = math.comb(len(x), 2)
    tied_x = sum(math.comb(int(count), 2) for count in table.sum(axis=1))
    tied_y = sum(math.comb(int(count), 2) for count in table.sum(axis=0))
    return (concordant - discordant) / math.sqrt((pairs - tied_x) * (pairs - tied_y))


def main():
    print("// Printed by make_rank_values.py.\n"
          "// clang-format off\n#pragma once\n\n#include <vector>\n\nnamespace topograd::test {\n\n"
          "struct RankValues {\n  std::vector<double> x, y;\n  double spearman, kendall;\n};\n"
          "inline const RankValues kRankValues[] = {")
    for x, y in PAIRS:
        rho = np.corrcoef(ranks(x), ranks(y))[0, 1]
        print(f"    {{{{{', '.join(map(str, x))}}}, {{{', '.join(map(str, y))}}}, {float(rho)!r}, "
              f"{float(tau_b(x, y))!r}}},")
    print("};\n\n}  // namespace topograd::test")


if __name__ == "__main__":
    main()
