#include "landscape/connectivity/alignment.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "kernels/core/numbers.h"
#include "landscape/connectivity/assignment.h"
#include "nn/batch_loader.h"

namespace topograd {

namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Returns the numbers of a group's channels in one tensor, a row for each channel.
RowMatrix slices(const ParameterEntry& entry, const ChannelAxis& axis, const Tensor& theta) {
  const float* values = theta.data<float>() + entry.offset;
  const auto channels = static_cast<int64_t>(axis.places.size());
  const int64_t extent = axis.last ? entry.shape[entry.shape.rank() - 1] : entry.shape[0];
  if (axis.last) values += axis.first_row * entry.filter_size();
  const int64_t others = axis.last ? axis.rows * entry.filter_size() / extent : entry.filter_size();
  RowMatrix rows(channels, others);
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t place = axis.places[at(c)];
    for (int64_t k = 0; k < others; ++k)
      rows(c, k) = axis.last ? values[k * extent + place] : values[place * others + k];
  }
  return rows;
}

double product(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a.data<float>()[i]) * static_cast<double>(b.data<float>()[i]);
  return sum;
}

double distance_between(const Tensor& a, const Tensor& b) {
  double squares = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a.data<float>()[i]) - b.data<float>()[i];
    squares += difference * difference;
  }
  return std::sqrt(squares);
}

class WeightMatching {
 public:
  WeightMatching(const Graph& graph, const std::vector<ChannelGroup>& groups, const Tensor& a,
                 const Tensor& b, ThreadPool& pool)
      : graph_(graph), groups_(groups), a_(a), b_(b), pool_(pool) {
    found_.permutation = identity_of(groups);
    found_.product_before = found_.product = product(a, b);
    found_.distance_before = distance_between(a, b);
    rounding_ = 1e-10 * (product(a, a) + product(b, b));
  }

  Alignment run(const AlignmentOptions& options) {
    const auto count = static_cast<int64_t>(groups_.size());
    while (found_.sweeps < options.sweeps && !found_.settled) {
      bool changed = false;
      for (int32_t g : shuffled_order(count, options.seed, found_.sweeps))
        changed = match(static_cast<size_t>(g)) || changed;
      ++found_.sweeps;
      found_.settled = !changed;
      if (options.progress && !options.progress(found_.sweeps)) break;
    }
    found_.distance = distance_between(a_, with(found_.permutation));
    return found_;
  }

 private:
  Tensor with(const ChannelPermutation& permutation) const {
    const Tensor no_states({graph_.layout().state_count()});
    no_states.fill_zero();
    return permuted(graph_, groups_, permutation, b_, no_states).theta;
  }

  /// Returns the gain of each channel of b in the place of each channel of a.
  std::vector<double> gains(size_t g, const Tensor& b) {
    const auto n = groups_[g].size;
    const std::vector<ChannelAxis>& axes = groups_[g].axes;
    std::vector<RowMatrix> parts(axes.size());
    pool_.for_each(static_cast<int64_t>(axes.size()), [&](int64_t k, Context&) {
      const ChannelAxis& axis = axes[at(k)];
      if (axis.state) return;
      const ParameterEntry& entry = graph_.layout().parameters()[at(axis.tensor)];
      parts[at(k)] = slices(entry, axis, a_) * slices(entry, axis, b).transpose();
    });
    std::vector<double> gain(at(n * n), 0.0);
    for (const RowMatrix& part : parts)
      for (int64_t k = 0; k < part.size(); ++k) gain[at(k)] += part.data()[k];
    return gain;
  }

  /// Finds the best order of one group's channels, while all others stay. It is kept where it is
  /// better by more than rounding: so the search comes to an end.
  bool match(size_t g) {
    ChannelPermutation trial = found_.permutation;
    trial[g] = identity_of({groups_[g]}).front();
    trial[g] = best_assignment(gains(g, with(trial)), groups_[g].size);
    if (trial[g] == found_.permutation[g]) return false;
    const double better = product(a_, with(trial));
    if (!(better > found_.product + rounding_)) return false;
    found_.permutation = std::move(trial);
    found_.product = better;
    return true;
  }

  const Graph& graph_;
  const std::vector<ChannelGroup>& groups_;
  const Tensor &a_, &b_;
  ThreadPool& pool_;
  double rounding_;
  Alignment found_;
};

}  // namespace

Alignment align_channels(const Graph& graph, const std::vector<ChannelGroup>& groups,
                         const Tensor& theta_a, const Tensor& theta_b,
                         const AlignmentOptions& options, ThreadPool& pool) {
  const int64_t size = graph.layout().parameter_count();
  require(theta_a.size() == size && theta_b.size() == size, "two networks of ", theta_a.size(),
          " and ", theta_b.size(), " parameters cannot be aligned on one of ", size);
  return WeightMatching(graph, groups, theta_a, theta_b, pool).run(options);
}

}  // namespace topograd
