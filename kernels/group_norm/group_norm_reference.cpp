// Group by group: the elements of group g make a row of H W C / G numbers per image, and group
// normalisation is the layer normalisation of these rows, whose reference does the rest in double.
// The oracle.
#include "kernels/group_norm/group_norm.h"
#include "kernels/group_norm/group_norm_tangent.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/layer_norm/layer_norm_tangent.h"

namespace topograd {

namespace {

/// Elements of one group of every image as rows [N, M] in double, pixel by pixel.
class GroupRows {
 public:
  GroupRows(const GroupExtents& extents, int64_t group) : e_(extents), group_(group) {}

  Tensor rows() const { return Tensor({e_.images, e_.group_size()}, DType::f64); }
  Tensor row() const { return Tensor({e_.group_size()}, DType::f64); }

  Tensor gathered(const Tensor& x) const {
    const Tensor result = rows();
    with_real_type(x.dtype(), [&](auto real) {
      for_each(
          [&](int64_t i, int64_t at) { result.data<double>()[i] = x.data<decltype(real)>()[at]; });
    });
    return result;
  }
  void scatter(const Tensor& to, const Tensor& rows, Write write) const {
    with_real_type(to.dtype(), [&](auto real) {
      using T = decltype(real);
      for_each([&](int64_t i, int64_t at) {
        const double value = rows.data<double>()[i];
        T& target = to.data<T>()[at];
        target = static_cast<T>(write == Write::accumulate ? target + value : value);
      });
    });
  }
  /// A vector of parameters, for each element of a row that of its channel; undefined where there
  /// is none.
  Tensor spread(const Tensor& per_channel) const {
    if (!per_channel.defined()) return {};
    const Tensor result = row();
    with_real_type(per_channel.dtype(), [&](auto real) {
      for (int64_t i = 0; i < result.size(); ++i)
        result.data<double>()[i] = per_channel.data<decltype(real)>()[channel(i)];
    });
    return result;
  }
  /// Adds up a row per channel.
  void sum_channels(const Tensor& per_channel, const Tensor& row, Write write) const {
    with_real_type(per_channel.dtype(), [&](auto real) {
      using T = decltype(real);
      const int64_t K = e_.group_channels();
      for (int64_t k = 0; k < K; ++k) {
        double sum = 0;
        for (int64_t p = 0; p < e_.pixels; ++p) sum += row.data<double>()[p * K + k];
        T& target = per_channel.data<T>()[group_ * K + k];
        target = static_cast<T>(write == Write::accumulate ? target + sum : sum);
      }
    });
  }

 private:
  int64_t channel(int64_t i) const {
    return group_ * e_.group_channels() + i % e_.group_channels();
  }
  /// Calls f(element of the rows, element of the tensor).
  template <class F>
  void for_each(const F& f) const {
    const int64_t M = e_.group_size(), K = e_.group_channels();
    for (int64_t n = 0; n < e_.images; ++n)
      for (int64_t i = 0; i < M; ++i)
        f(n * M + i, n * e_.image() + i / K * e_.channels + channel(i));
  }

  GroupExtents e_;
  int64_t group_;
};

template <class Args, class Work>
void for_each_group(const Args& args, const Work& work) {
  const GroupExtents extents(args.x, args.groups);
  for (int64_t g = 0; g < args.groups; ++g) work(GroupRows(extents, g));
}

void forward(const GroupNormArgs& args, Context& context) {
  for_each_group(args, [&](const GroupRows& group) {
    const Tensor y = group.rows();
    layer_norm({.y = y,
                .x = group.gathered(args.x),
                .gamma = group.spread(args.gamma),
                .beta = group.spread(args.beta),
                .epsilon = args.epsilon},
               context);
    group.scatter(args.y, y, Write::overwrite);
  });
}

void backward(const GroupNormBackwardArgs& args, Context& context) {
  for_each_group(args, [&](const GroupRows& group) {
    const Tensor dx = group.rows();
    layer_norm_backward({.dx = dx,
                         .dy = group.gathered(args.dy),
                         .x = group.gathered(args.x),
                         .gamma = group.spread(args.gamma),
                         .epsilon = args.epsilon},
                        context);
    group.scatter(args.dx, dx, args.write);
  });
}

void backward_sums(const GroupNormBackwardSumsArgs& args, Context& context) {
  for_each_group(args, [&](const GroupRows& group) {
    const Tensor dgamma = group.row(), dbeta = group.row();
    layer_norm_backward_sums({.dgamma = dgamma,
                              .dbeta = dbeta,
                              .dy = group.gathered(args.dy),
                              .x = group.gathered(args.x),
                              .epsilon = args.epsilon},
                             context);
    group.sum_channels(args.dgamma, dgamma, args.write);
    group.sum_channels(args.dbeta, dbeta, args.write);
  });
}

void tangent(const GroupNormTangentArgs& args, Context& context) {
  for_each_group(args, [&](const GroupRows& group) {
    const Tensor y_tangent = group.rows();
    layer_norm_tangent({.y_tangent = y_tangent,
                        .x_tangent = group.gathered(args.x_tangent),
                        .x = group.gathered(args.x),
                        .gamma = group.spread(args.gamma),
                        .gamma_tangent = group.spread(args.gamma_tangent),
                        .beta_tangent = group.spread(args.beta_tangent),
                        .epsilon = args.epsilon},
                       context);
    group.scatter(args.y_tangent, y_tangent, Write::overwrite);
  });
}

void tangent_backward(const GroupNormTangentBackwardArgs& args, Context& context) {
  for_each_group(args, [&](const GroupRows& group) {
    const Tensor dx_tangent = group.rows();
    layer_norm_tangent_backward({.dx_tangent = dx_tangent,
                                 .dy_tangent = group.gathered(args.dy_tangent),
                                 .dy = group.gathered(args.dy),
                                 .x_tangent = group.gathered(args.x_tangent),
                                 .x = group.gathered(args.x),
                                 .gamma = group.spread(args.gamma),
                                 .gamma_tangent = group.spread(args.gamma_tangent),
                                 .epsilon = args.epsilon},
                                context);
    group.scatter(args.dx_tangent, dx_tangent, args.write);
  });
}

void tangent_sums(const GroupNormTangentSumsArgs& args, Context& context) {
  for_each_group(args, [&](const GroupRows& group) {
    const Tensor dgamma_tangent = group.row(), dbeta_tangent = group.row();
    layer_norm_tangent_sums({.dgamma_tangent = dgamma_tangent,
                             .dbeta_tangent = dbeta_tangent,
                             .dy_tangent = group.gathered(args.dy_tangent),
                             .dy = group.gathered(args.dy),
                             .x_tangent = group.gathered(args.x_tangent),
                             .x = group.gathered(args.x),
                             .epsilon = args.epsilon},
                            context);
    group.sum_channels(args.dgamma_tangent, dgamma_tangent, args.write);
    group.sum_channels(args.dbeta_tangent, dbeta_tangent, args.write);
  });
}

}  // namespace

void register_group_norm_reference(OpRegistry& registry) {
  registry.add<GroupNormArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<GroupNormBackwardArgs>({"reference", Device::cpu, supports_all, backward});
  registry.add<GroupNormBackwardSumsArgs>({"reference", Device::cpu, supports_all, backward_sums});
  registry.add<GroupNormTangentArgs>({"reference", Device::cpu, supports_all, tangent});
  registry.add<GroupNormTangentBackwardArgs>(
      {"reference", Device::cpu, supports_all, tangent_backward});
  registry.add<GroupNormTangentSumsArgs>({"reference", Device::cpu, supports_all, tangent_sums});
}

}  // namespace topograd
