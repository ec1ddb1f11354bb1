// What is bound by memory, at the sizes of ResNet-56's first stage in training, where it has most
// to move.
#include "kernels/activation/activation.h"
#include "kernels/adam/adam.h"
#include "kernels/add/add.h"
#include "kernels/augment/augment.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/broadcast/broadcast.h"
#include "kernels/concat/concat.h"
#include "kernels/dropout/dropout.h"
#include "kernels/filter_norm/filter_norm.h"
#include "kernels/group_norm/group_norm.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/loss/loss.h"
#include "kernels/perturb/perturb.h"
#include "kernels/pool/pool.h"
#include "kernels/random/random_normal.h"
#include "kernels/rearrange/rearrange.h"
#include "kernels/resize/resize.h"
#include "kernels/scale_shift/scale_shift.h"
#include "kernels/sgd/sgd.h"
#include "kernels/shortcut_a/shortcut_a.h"
#include "kernels/vector/vector.h"
#include "tests/gpu/bench.h"
#include "tests/gpu/bench_networks.h"

namespace topograd::bench {

namespace {

Work layer_work(const Shape& shape) {
  return {"layers bound by memory", text(shape)};
}

void bench_batchnorm(Bench& bench, const Shape& s) {
  const int64_t C = s[3], count = s.size() / C;
  bench.implementations<BatchnormMomentsArgs>(layer_work(s), [&](Inputs& in) {
    return BatchnormMomentsArgs{.moments = in.zeros({2, C}, DType::f64), .x = in.normal(s)};
  });
  bench.implementations<BatchnormCombineArgs>(layer_work({1, 2, C}), [&](Inputs& in) {
    return BatchnormCombineArgs{.mean = in.normal({C}),
                                .variance = in.positive({C}),
                                .running_mean = in.in_out({C}),
                                .running_variance = in.in_out({C}),
                                .moments = in.zeros({1, 2, C}, DType::f64),
                                .count = count,
                                .count_per_chunk = count};
  });
  bench.implementations<BatchnormNormaliseArgs>(layer_work(s), [&](Inputs& in) {
    return BatchnormNormaliseArgs{.y = in.normal(s),
                                  .x = in.normal(s),
                                  .gamma = in.positive({C}),
                                  .beta = in.normal({C}),
                                  .mean = in.normal({C}),
                                  .variance = in.positive({C})};
  });
  bench.implementations<BatchnormBackwardSumsArgs>(layer_work(s), [&](Inputs& in) {
    return BatchnormBackwardSumsArgs{.dgamma = in.normal({C}),
                                     .dbeta = in.normal({C}),
                                     .dy = in.normal(s),
                                     .x = in.normal(s),
                                     .mean = in.normal({C}),
                                     .variance = in.positive({C})};
  });
  bench.implementations<BatchnormBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return BatchnormBackwardArgs{.dx = in.normal(s),
                                 .dy = in.normal(s),
                                 .x = in.normal(s),
                                 .gamma = in.positive({C}),
                                 .mean = in.normal({C}),
                                 .variance = in.positive({C}),
                                 .dgamma = in.normal({C}),
                                 .dbeta = in.normal({C}),
                                 .count = count};
  });
}

void bench_elementwise(Bench& bench, const Shape& s) {
  const int64_t C = s[3];
  bench.implementations<ActivationForwardArgs>(layer_work(s), [&](Inputs& in) {
    return ActivationForwardArgs{.y = in.normal(s), .x = in.normal(s)};
  });
  bench.implementations<ActivationBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return ActivationBackwardArgs{
        .dx = in.normal(s), .dy = in.normal(s), .y = in.normal(s), .x = {}};
  });
  bench.implementations<AddArgs>(layer_work(s), [&](Inputs& in) {
    return AddArgs{.y = in.normal(s), .a = in.normal(s), .b = in.normal(s)};
  });
  bench.implementations<AddBiasArgs>(layer_work(s), [&](Inputs& in) {
    return AddBiasArgs{.y = in.in_out(s), .bias = in.normal({C})};
  });
  bench.implementations<BiasGradientArgs>(layer_work(s), [&](Inputs& in) {
    return BiasGradientArgs{.db = in.normal({C}), .dy = in.normal(s)};
  });
  const Shape squeezed{s[0], 1, 1, C};
  bench.implementations<BroadcastSumArgs>(layer_work(s), [&](Inputs& in) {
    return BroadcastSumArgs{.y = in.normal(s), .a = in.normal(s), .b = in.normal(squeezed)};
  });
  bench.implementations<BroadcastProductArgs>(layer_work(s), [&](Inputs& in) {
    return BroadcastProductArgs{.y = in.normal(s), .a = in.normal(s), .b = in.normal(squeezed)};
  });
  bench.implementations<BroadcastReduceArgs>(layer_work(s), [&](Inputs& in) {
    return BroadcastReduceArgs{.r = in.normal(squeezed), .u = in.normal(s), .v = in.normal(s)};
  });
  bench.implementations<DropoutArgs>(layer_work(s), [&](Inputs& in) {
    return DropoutArgs{
        .y = in.normal(s), .x = in.normal(s), .random = Philox(1, RandomStream::dropout)};
  });
  bench.implementations<ScaleShiftArgs>(layer_work(s), [&](Inputs& in) {
    return ScaleShiftArgs{.y = in.normal(s),
                          .x = in.normal(s),
                          .scale = in.positive({C}),
                          .shift = in.normal({C}),
                          .relu = true};
  });
  bench.implementations<LayerNormArgs>(layer_work(s), [&](Inputs& in) {
    return LayerNormArgs{
        .y = in.normal(s), .x = in.normal(s), .gamma = in.positive({C}), .beta = in.normal({C})};
  });
  bench.implementations<LayerNormBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return LayerNormBackwardArgs{
        .dx = in.normal(s), .dy = in.normal(s), .x = in.normal(s), .gamma = in.positive({C})};
  });
  bench.implementations<LayerNormBackwardSumsArgs>(layer_work(s), [&](Inputs& in) {
    return LayerNormBackwardSumsArgs{
        .dgamma = in.normal({C}), .dbeta = in.normal({C}), .dy = in.normal(s), .x = in.normal(s)};
  });
}

void bench_group_norm(Bench& bench, const Shape& s) {
  const int64_t C = s[3], groups = std::min<int64_t>(C, 8);
  bench.implementations<GroupNormArgs>(layer_work(s), [&](Inputs& in) {
    return GroupNormArgs{.y = in.normal(s),
                         .x = in.normal(s),
                         .gamma = in.positive({C}),
                         .beta = in.normal({C}),
                         .groups = groups};
  });
  bench.implementations<GroupNormBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return GroupNormBackwardArgs{.dx = in.normal(s),
                                 .dy = in.normal(s),
                                 .x = in.normal(s),
                                 .gamma = in.positive({C}),
                                 .groups = groups};
  });
  bench.implementations<GroupNormBackwardSumsArgs>(layer_work(s), [&](Inputs& in) {
    return GroupNormBackwardSumsArgs{.dgamma = in.normal({C}),
                                     .dbeta = in.normal({C}),
                                     .dy = in.normal(s),
                                     .x = in.normal(s),
                                     .groups = groups};
  });
}

/// Layers whose input and output differ in shape.
void bench_gathers(Bench& bench, const Shape& s) {
  const int64_t N = s[0], H = s[1], W = s[2], C = s[3];
  const Shape half{N, H / 2, W / 2, C}, half_wide{N, H / 2, W / 2, 2 * C}, wide{N, H, W, 2 * C};
  const PoolGeometry two{.kernel = 2, .stride = 2};
  bench.implementations<ShortcutAForwardArgs>(layer_work(s), [&](Inputs& in) {
    return ShortcutAForwardArgs{.y = in.normal(half_wide), .x = in.normal(s), .stride = 2};
  });
  bench.implementations<ShortcutABackwardArgs>(layer_work(s), [&](Inputs& in) {
    return ShortcutABackwardArgs{.dx = in.normal(s), .dy = in.normal(half_wide), .stride = 2};
  });
  bench.implementations<PoolForwardArgs>(layer_work(s), [&](Inputs& in) {
    return PoolForwardArgs{.y = in.normal(half), .x = in.normal(s), .geometry = two};
  });
  bench.implementations<PoolBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return PoolBackwardArgs{.dx = in.normal(s),
                            .dy = in.normal(half),
                            .x = in.normal(s),
                            .y = in.normal(half),
                            .geometry = two};
  });
  bench.implementations<GlobalAveragePoolForwardArgs>(layer_work(s), [&](Inputs& in) {
    return GlobalAveragePoolForwardArgs{.y = in.normal({N, C}), .x = in.normal(s)};
  });
  bench.implementations<GlobalAveragePoolBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return GlobalAveragePoolBackwardArgs{.dx = in.normal(s), .dy = in.normal({N, C})};
  });
  const Shape twice{N, 2 * H, 2 * W, C};
  for (const ResizeKind kind : {ResizeKind::nearest, ResizeKind::bilinear}) {
    bench.implementations<ResizeForwardArgs>(layer_work(s), [&](Inputs& in) {
      return ResizeForwardArgs{.y = in.normal(twice), .x = in.normal(s), .geometry = {kind}};
    });
    bench.implementations<ResizeBackwardArgs>(layer_work(s), [&](Inputs& in) {
      return ResizeBackwardArgs{.dx = in.normal(s), .dy = in.normal(twice), .geometry = {kind}};
    });
  }
  bench.implementations<ConcatArgs>(layer_work(s), [&](Inputs& in) {
    return ConcatArgs{.y = in.normal(wide), .part = in.normal(s), .first = C};
  });
  bench.implementations<ConcatBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return ConcatBackwardArgs{.dpart = in.normal(s), .dy = in.normal(wide), .first = C};
  });
}

/// PyTorch's order of an image: channels first.
void bench_rearranging(Bench& bench, const Shape& s) {
  const int64_t pixels = s[1] * s[2], C = s[3];
  StridedMap map;
  map.axes[4] = {.extent = C, .stride = 1, .begin = 0, .end = C};
  map.axes[5] = {.extent = pixels, .stride = C, .begin = 0, .end = pixels};
  bench.implementations<RearrangeArgs>(layer_work(s), [&](Inputs& in) {
    return RearrangeArgs{.y = in.normal(s), .x = in.normal(s), .map = map};
  });
  bench.implementations<RearrangeBackwardArgs>(layer_work(s), [&](Inputs& in) {
    return RearrangeBackwardArgs{.dx = in.normal(s), .dy = in.normal(s), .map = map};
  });
}

void bench_ends(Bench& bench, int64_t N, int64_t pixels) {
  const double mean[] = {0.49, 0.48, 0.45}, deviation[] = {0.25, 0.24, 0.26};
  const Shape images{N, pixels, pixels, 3};
  bench.implementations<AugmentArgs>(layer_work(images), [&](Inputs& in) {
    return AugmentArgs{.y = in.normal(images),
                       .images = in.integers(images, 256, DType::u8),
                       .indices = in.integers({N}, static_cast<uint32_t>(N)),
                       .offsets = in.integers({N, 2}, 9),
                       .flips = in.integers({N}, 2),
                       .padding = 4,
                       .mean = mean,
                       .std = deviation};
  });
  bench.implementations<LossForwardArgs>(layer_work({N, 10}), [&](Inputs& in) {
    return LossForwardArgs{.losses = in.normal({N}),
                           .correct = in.integers({N}, 2),
                           .logits = in.normal({N, 10}),
                           .labels = in.integers({N}, 10)};
  });
  bench.implementations<LossBackwardArgs>(layer_work({N, 10}), [&](Inputs& in) {
    return LossBackwardArgs{.dlogits = in.normal({N, 10}),
                            .logits = in.normal({N, 10}),
                            .labels = in.integers({N}, 10)};
  });
  bench.implementations<LossSumsArgs>(layer_work({8, N}), [&](Inputs& in) {
    return LossSumsArgs{.sums = in.zeros({8, 3}, DType::f64),
                        .losses = in.normal({8, N}),
                        .correct = in.integers({8, N}, 2)};
  });
}

/// Flat vectors of a network's parameters. Factors are so small that no number of repetitions takes
/// the values anywhere.
void bench_vectors(Bench& bench, const std::string& name, const ParameterLayout& layout) {
  const int64_t n = bench.options().size(layout.parameter_count(), 100);
  const Work work{"vectors of parameters", text(name, ", ", n, " parameters")};
  constexpr double kTiny = 1e-12;
  bench.implementations<AxpyArgs>(work, [&](Inputs& in) {
    return AxpyArgs{.y = in.in_out({n}), .x = in.normal({n}), .a = kTiny};
  });
  bench.implementations<ScaleArgs>(
      work, [&](Inputs& in) { return ScaleArgs{.y = in.in_out({n}), .a = 1.0}; });
  bench.implementations<DotArgs>(work, [&](Inputs& in) {
    return DotArgs{.result = in.zeros({1}, DType::f64), .a = in.normal({n}), .b = in.normal({n})};
  });
  bench.implementations<SumRowsArgs>({work.group, work.what + ", 8 rows"}, [&](Inputs& in) {
    return SumRowsArgs{.y = in.normal({n}), .x = in.normal({8, n})};
  });
  bench.implementations<SgdArgs>(work, [&](Inputs& in) {
    return SgdArgs{.theta = in.in_out({n}),
                   .momentum_buffer = in.in_out({n}),
                   .gradient = in.normal({n}),
                   .learning_rate = kTiny,
                   .momentum = 0.9,
                   .weight_decay = 5e-4,
                   .nesterov = true};
  });
  bench.implementations<SgdArgs>({work.group, work.what + ", masked decay"}, [&](Inputs& in) {
    return SgdArgs{.theta = in.in_out({n}),
                   .momentum_buffer = in.in_out({n}),
                   .gradient = in.normal({n}),
                   .decay_mask = in.normal({n}),
                   .learning_rate = kTiny,
                   .momentum = 0.9,
                   .weight_decay = 5e-4,
                   .nesterov = true};
  });
  bench.implementations<AdamArgs>(work, [&](Inputs& in) {
    return AdamArgs{.theta = in.in_out({n}),
                    .m = in.in_out({n}),
                    .v = in.in_out({n}),
                    .gradient = in.normal({n}),
                    .learning_rate = kTiny,
                    .step = 1000};
  });
  bench.implementations<PerturbArgs>(work, [&](Inputs& in) {
    return PerturbArgs{.w = in.normal({n}),
                       .theta = in.normal({n}),
                       .delta = in.normal({n}),
                       .eta = in.normal({n}),
                       .a = 0.25,
                       .b = -0.5};
  });
  bench.implementations<RandomNormalArgs>(work, [&](Inputs& in) {
    return RandomNormalArgs{.y = in.normal({n}), .random = Philox(1, RandomStream::test)};
  });
  std::vector<Segment> filters;
  for (const ParameterEntry& entry : layout.parameters())
    for (int64_t i = 0; i < entry.filters(); ++i)
      if (entry.offset + (i + 1) * entry.filter_size() <= n)
        filters.push_back({entry.offset + i * entry.filter_size(), entry.filter_size()});
  // It uploads its table of filters: the host's time counts, and nothing is recorded.
  bench.implementations<FilterNormsArgs>(
      work,
      [&](Inputs& in) {
        const auto count = static_cast<int64_t>(filters.size());
        return FilterNormsArgs{.norms = in.zeros({count}, DType::f64),
                               .x = in.normal({n}),
                               .segments = filters.data(),
                               .count = count};
      },
      false, false);
}

}  // namespace

void bench_streams(Bench& bench) {
  const Options& options = bench.options();
  const int64_t pixels = options.size(32, 4);
  const Shape activations{options.size(128, 1), pixels, pixels, options.size(16, 4)};
  bench_batchnorm(bench, activations);
  bench_elementwise(bench, activations);
  bench_group_norm(bench, activations);
  bench_gathers(bench, activations);
  bench_rearranging(bench, activations);
  bench_ends(bench, options.size(2048, 3), pixels);
  bench_vectors(bench, "ResNet-56", network("resnet56").layout());
  if (!options.quick) bench_vectors(bench, "VGG-9", vgg9().layout());
}

}  // namespace topograd::bench
