#include "landscape/connectivity/assignment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Gives columns to rows, one after the other. `row_price_` and `column_price_` are the dual
/// variables: cost - row_price - column_price is never negative, and zero where a row has its
/// column.
class Assignment {
 public:
  Assignment(const std::vector<double>& gain, int64_t n)
      : gain_(gain),
        n_(static_cast<size_t>(n)),
        row_price_(n_, 0.0),
        column_price_(n_ + 1, 0.0),
        row_of_(n_ + 1, kUnassigned) {}

  std::vector<int64_t> solve() {
    for (size_t row = 0; row < n_; ++row) add(row);
    std::vector<int64_t> column_of(n_);
    for (size_t column = 0; column < n_; ++column)
      column_of[row_of_[column]] = static_cast<int64_t>(column);
    return column_of;
  }

 private:
  static constexpr size_t kUnassigned = std::numeric_limits<size_t>::max();

  double reduced_cost(size_t row, size_t column) const {
    return -gain_[row * n_ + column] - row_price_[row] - column_price_[column];
  }

  /// Runs Dijkstra's search from a row without a column to the nearest column without a row; then
  /// the columns along the path move up by one row. Column n_ stands for the search's start.
  void add(size_t row) {
    std::vector<double> distance(n_, std::numeric_limits<double>::infinity());
    std::vector<size_t> before(n_, n_);
    std::vector<char> reached(n_ + 1, 0);
    size_t column = n_;
    row_of_[n_] = row;
    while (row_of_[column] != kUnassigned) {
      reached[column] = 1;
      const size_t next = nearest(column, distance, before, reached);
      const double step = distance[next];
      for (size_t j = 0; j <= n_; ++j)
        if (reached[j]) {
          row_price_[row_of_[j]] += step;
          column_price_[j] -= step;
        } else {
          distance[j] -= step;
        }
      column = next;
    }
    for (; column != n_; column = before[column]) row_of_[column] = row_of_[before[column]];
  }

  /// Looks on from the row that has `column`; returns the nearest column that was not reached yet.
  size_t nearest(size_t column, std::vector<double>& distance, std::vector<size_t>& before,
                 const std::vector<char>& reached) const {
    size_t best = kUnassigned;
    for (size_t j = 0; j < n_; ++j) {
      if (reached[j]) continue;
      const double cost = reduced_cost(row_of_[column], j);
      if (cost < distance[j]) {
        distance[j] = cost;
        before[j] = column;
      }
      if (best == kUnassigned || distance[j] < distance[best]) best = j;
    }
    return best;
  }

  const std::vector<double>& gain_;
  size_t n_;
  std::vector<double> row_price_, column_price_;
  std::vector<size_t> row_of_;  // per column
};

}  // namespace

std::vector<int64_t> best_assignment(const std::vector<double>& gain, int64_t n) {
  require(n >= 0 && gain.size() == static_cast<size_t>(n * n), "an assignment of ", n, " by ",
          gain.size(), " gains");
  require(std::all_of(gain.begin(), gain.end(), [](double g) { return std::isfinite(g); }),
          "gains of an assignment are not finite");
  return Assignment(gain, n).solve();
}

}  // namespace topograd
