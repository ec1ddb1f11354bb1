// Printed by make_rank_values.py.
// clang-format off
#pragma once

#include <vector>

namespace topograd::test {

struct RankValues {
  std::vector<double> x, y;
  double spearman, kendall;
};
inline const RankValues kRankValues[] = {
    {{8.3, 9.1, 6.6, 11.4}, {0.12, 0.4, 0.03, 0.2}, 0.7999999999999999, 0.6666666666666666},
    {{1, 2, 2, 3, 5, 5, 5}, {2, 1, 4, 4, 3, 9, 8}, 0.6702887344438079, 0.5423261445466404},
    {{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 9}, {2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5}, 0.12910456715599866, 0.1552647508520297},
};

}  // namespace topograd::test
