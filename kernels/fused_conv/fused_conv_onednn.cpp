// oneDNN's direct convolutions in NHWC, one thread, for filters that no cache holds: 512 channels
// of 3x3 on 2x2 images ran at 52 GFLOP/s here and at 41 in the direct implementation, on one core
// at 2 GHz; where filters are smaller that one is as fast or faster. The residual is added by
// oneDNN; the maximum is ours, because oneDNN's turns a NaN into 0.
#include <map>
#include <tuple>

#include "kernels/activation/activation.h"
#include "kernels/conv2d/onednn_shape.h"
#include "kernels/conv2d/packed_weights.h"
#include "kernels/core/onednn.h"
#include "kernels/fused_conv/fused_conv.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

using dnnl::memory;

constexpr int64_t kLargeFilters = 1 << 20;  // elements of one network

/// One convolution of one shape, ready to run.
struct Convolution {
  dnnl::convolution_forward primitive;
  memory::desc x, y, bias, scratchpad;
  memory::desc plain_weights;   // ours: OHWI
  memory::desc packed_weights;  // oneDNN's choice
  dnnl::reorder reorder;
};

/// One network's share of the arguments.
struct Point {
  Tensor y, x, w, bias;
  bool add;  // y holds the residual
};

/// A context's oneDNN engine, stream and primitives.
class Convolutions {
 public:
  const Convolution& find(const Point& point, const ConvGeometry& geometry) {
    const Key key{onednn::key_of(point.x.shape(), point.w.shape(), geometry), point.bias.defined(),
                  point.add};
    const auto found = convolutions_.find(key);
    if (found != convolutions_.end()) return found->second;
    return convolutions_.emplace(key, make(point, geometry)).first->second;
  }

  void run(const Convolution& conv, const Point& point, uint64_t weights_version,
           Context& context) {
    const int64_t own = static_cast<int64_t>(conv.scratchpad.get_size() + 63) / 64 * 64;
    const int64_t bytes = static_cast<int64_t>(conv.packed_weights.get_size());
    auto* scratch = static_cast<std::byte*>(context.workspace(own + bytes));
    void* packed =
        packed_.get(&conv, point.w, weights_version, bytes, scratch + own, [&](void* to) {
          memory plain = at(conv.plain_weights, point.w.raw()),
                 target = at(conv.packed_weights, to);
          conv.reorder.execute(stream_, plain, target);
        });
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, at(conv.x, point.x.raw())},
                                              {DNNL_ARG_WEIGHTS, at(conv.packed_weights, packed)},
                                              {DNNL_ARG_DST, at(conv.y, point.y.raw())},
                                              {DNNL_ARG_SCRATCHPAD, at(conv.scratchpad, scratch)}};
    if (point.bias.defined()) arguments.emplace(DNNL_ARG_BIAS, at(conv.bias, point.bias.raw()));
    conv.primitive.execute(stream_, arguments);
    stream_.wait();
  }

 private:
  using Key = std::tuple<onednn::ShapeKey, bool, bool>;

  memory at(const memory::desc& desc, void* data) const { return {desc, engine_, data}; }

  Convolution make(const Point& point, const ConvGeometry& geometry) const {
    const onednn::ConvolutionShape shape = onednn::shape_of(
        point.y.shape(), point.x.shape(), point.w.shape(), point.bias.defined(), geometry);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (point.add) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    const auto descriptor = onednn::forward_descriptor(shape, attributes, engine_);
    const memory::desc plain = onednn::filters_desc(point.w.shape(), geometry.groups, true);
    const memory::desc packed = descriptor.weights_desc();
    return {.primitive = dnnl::convolution_forward(descriptor),
            .x = shape.x,
            .y = shape.y,
            .bias = shape.bias,
            .scratchpad = descriptor.scratchpad_desc(),
            .plain_weights = plain,
            .packed_weights = packed,
            .reorder = {memory(plain, engine_, nullptr), memory(packed, engine_, nullptr)}};
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Key, Convolution> convolutions_;  // a map's elements stay where they are
  PackedWeights packed_;
};

void run(const FusedConvArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  use_one_onednn_thread();
  const bool add = args.residual.defined();
  if (add && args.residual.raw() != args.y.raw()) copy({.y = args.y, .x = args.residual}, context);
  const int64_t P = args.points, N = args.images(), O = args.filters();
  for (int64_t p = 0; p < P; ++p) {
    const Point point{.y = args.y.rows(p * N, (p + 1) * N),
                      .x = args.shares_x() ? args.x : args.x.rows(p * N, (p + 1) * N),
                      .w = args.w.rows(p * O, (p + 1) * O),
                      .bias = args.bias.defined() ? args.bias.rows(p * O, (p + 1) * O) : Tensor(),
                      .add = add};
    try {
      auto& state = context.state<Convolutions>();
      state.run(state.find(point, args.geometry), point, args.weights_version, context);
    } catch (const dnnl::error& error) {
      fail(args.kOp, ": oneDNN says '", error.what(), "' for x ", args.x.shape(), ", w ",
           args.w.shape());
    }
  }
  if (args.relu)
    activation_forward({.y = args.y, .x = args.y, .activation = Activation::relu}, context);
}

}  // namespace

void register_fused_conv_onednn(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"onednn", Device::cpu,
                               [](const FusedConvArgs& a) {
                                 return a.x.dtype() == DType::f32 && a.images() > 0 &&
                                        (a.w.dim(1) > 1 || a.w.dim(2) > 1) &&
                                        a.w.size() / a.points >= kLargeFilters;
                               },
                               run});
}

}  // namespace topograd
