// oneDNN's direct convolutions in NHWC, one thread. Primitives are made once per shape and context.
// Filters are packed into the layout oneDNN prefers: once per version of the weights where the
// caller names one, at every call otherwise (measured: 6 % of a ResNet-20 step at 16 images a
// call).
#include <algorithm>
#include <map>
#include <utility>

#include "kernels/add/add.h"
#include "kernels/conv2d/onednn_shape.h"
#include "kernels/conv2d/packed_weights.h"
#include "kernels/core/onednn.h"

namespace topograd {

namespace {

using dnnl::memory;

enum Direction { kForward, kForwardWithBias, kBackwardData, kBackwardFilter };
using Key = std::pair<Direction, onednn::ShapeKey>;

/// One convolution of one shape, ready to run.
struct Convolution {
  dnnl::primitive primitive;
  memory::desc plain_weights;   // ours: OHWI
  memory::desc packed_weights;  // oneDNN's choice
  dnnl::reorder reorder;        // plain to packed; packed to plain for the filter's gradient
  memory::desc x, y, bias, scratchpad;
};

/// A context's oneDNN engine, stream and primitives.
class Convolutions {
 public:
  const Convolution& find(Direction direction, const Tensor& y, const Tensor& x, const Tensor& w,
                          const ConvGeometry& geometry) {
    const Key key{direction, onednn::key_of(x.shape(), w.shape(), geometry)};
    const auto found = convolutions_.find(key);
    if (found != convolutions_.end()) return found->second;
    return convolutions_.emplace(key, make(direction, y, x, w, geometry)).first->second;
  }

  memory at(const memory::desc& desc, void* data) const { return {desc, engine_, data}; }

  /// Returns the filters in the primitive's layout; version 0: packed into `scratch`.
  memory packed_weights(const Convolution& conv, const Tensor& w, uint64_t version, void* scratch) {
    const int64_t bytes = static_cast<int64_t>(conv.packed_weights.get_size());
    return at(
        conv.packed_weights, packed_.get(&conv, w, version, bytes, scratch, [&](void* packed) {
          memory plain = at(conv.plain_weights, w.raw()), target = at(conv.packed_weights, packed);
          conv.reorder.execute(stream_, plain, target);
        }));
  }
  dnnl::stream& stream() { return stream_; }

 private:
  Convolution make(Direction direction, const Tensor& y, const Tensor& x, const Tensor& w,
                   const ConvGeometry& geometry) const {
    const onednn::ConvolutionShape shape =
        onednn::shape_of(y.shape(), x.shape(), w.shape(), direction == kForwardWithBias, geometry);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);

    Convolution result;
    result.x = shape.x;
    result.y = shape.y;
    result.bias = shape.bias;
    result.plain_weights = onednn::filters_desc(w.shape(), geometry.groups, true);
    const auto forward = onednn::forward_descriptor(shape, attributes, engine_);
    if (direction == kBackwardData) {
      const auto pd = onednn::backward_data_descriptor(shape, attributes, engine_, forward);
      result.primitive = dnnl::convolution_backward_data(pd);
      result.packed_weights = pd.weights_desc();
      result.scratchpad = pd.scratchpad_desc();
    } else if (direction == kBackwardFilter) {
      const auto pd = onednn::backward_filter_descriptor(shape, attributes, engine_, forward);
      result.primitive = dnnl::convolution_backward_weights(pd);
      result.packed_weights = pd.diff_weights_desc();
      result.scratchpad = pd.scratchpad_desc();
    } else {
      result.primitive = dnnl::convolution_forward(forward);
      result.packed_weights = forward.weights_desc();
      result.scratchpad = forward.scratchpad_desc();
    }
    const bool unpack = direction == kBackwardFilter;
    const memory plain(result.plain_weights, engine_, nullptr);
    const memory packed(result.packed_weights, engine_, nullptr);
    result.reorder = unpack ? dnnl::reorder(packed, plain) : dnnl::reorder(plain, packed);
    return result;
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Key, Convolution> convolutions_;  // a map's elements stay where they are
  PackedWeights packed_;
};

/// Parts of one workspace, each aligned to a cache line.
class Scratch {
 public:
  int64_t reserve(int64_t bytes) {
    const int64_t offset = total_;
    total_ += (bytes + 63) / 64 * 64;
    return offset;
  }
  void allocate(Context& context) { base_ = static_cast<std::byte*>(context.workspace(total_)); }
  void* at(int64_t offset) const { return base_ + offset; }

 private:
  int64_t total_ = 0;
  std::byte* base_ = nullptr;
};

int64_t size_of(const memory::desc& desc) {
  return static_cast<int64_t>(desc.get_size());
}

/// Calls f, turning oneDNN's exception into an Error that says what was being done.
template <class F>
void checked(std::string_view op, const Tensor& x, const Tensor& w, F f) {
  try {
    f();
  } catch (const dnnl::error& error) {
    fail(op, ": oneDNN says '", error.what(), "' for x ", x.shape(), ", w ", w.shape());
  }
}

void forward(const Conv2dForwardArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  use_one_onednn_thread();
  checked(args.kOp, args.x, args.w, [&] {
    auto& state = context.state<Convolutions>();
    const bool with_bias = args.bias.defined();
    const Convolution& conv =
        state.find(with_bias ? kForwardWithBias : kForward, args.y, args.x, args.w, args.geometry);
    Scratch scratch;
    const int64_t own = scratch.reserve(size_of(conv.scratchpad));
    const int64_t packed = scratch.reserve(size_of(conv.packed_weights));
    const bool add_up = args.write == Write::accumulate;
    const int64_t fresh = scratch.reserve(add_up ? args.y.bytes() : 0);
    scratch.allocate(context);
    void* y = add_up ? scratch.at(fresh) : args.y.raw();
    const memory packed_w =
        state.packed_weights(conv, args.w, args.weights_version, scratch.at(packed));
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, state.at(conv.x, args.x.raw())},
        {DNNL_ARG_WEIGHTS, packed_w},
        {DNNL_ARG_DST, state.at(conv.y, y)},
        {DNNL_ARG_SCRATCHPAD, state.at(conv.scratchpad, scratch.at(own))}};
    if (with_bias) arguments.emplace(DNNL_ARG_BIAS, state.at(conv.bias, args.bias.raw()));
    conv.primitive.execute(state.stream(), arguments);
    state.stream().wait();
    if (add_up) add({.y = args.y, .a = args.y, .b = Tensor::wrap(y, args.y.shape())}, context);
  });
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  if (args.dx.size() == 0) return;
  use_one_onednn_thread();
  checked(args.kOp, args.dx, args.w, [&] {
    auto& state = context.state<Convolutions>();
    const Convolution& conv = state.find(kBackwardData, args.dy, args.dx, args.w, args.geometry);
    const bool add_up = args.write == Write::accumulate;
    Scratch scratch;
    const int64_t own = scratch.reserve(size_of(conv.scratchpad));
    const int64_t packed = scratch.reserve(size_of(conv.packed_weights));
    const int64_t fresh = scratch.reserve(add_up ? args.dx.bytes() : 0);
    scratch.allocate(context);
    const memory packed_w =
        state.packed_weights(conv, args.w, args.weights_version, scratch.at(packed));
    void* dx = add_up ? scratch.at(fresh) : args.dx.raw();
    conv.primitive.execute(state.stream(),
                           {{DNNL_ARG_DIFF_SRC, state.at(conv.x, dx)},
                            {DNNL_ARG_WEIGHTS, packed_w},
                            {DNNL_ARG_DIFF_DST, state.at(conv.y, args.dy.raw())},
                            {DNNL_ARG_SCRATCHPAD, state.at(conv.scratchpad, scratch.at(own))}});
    state.stream().wait();
    if (add_up) add({.y = args.dx, .a = args.dx, .b = Tensor::wrap(dx, args.dx.shape())}, context);
  });
}

/// Whether the pixels that a 1x1 filter of stride 2 or more sees are to be gathered first. oneDNN 2.6
/// gathers them itself, and on AVX2 sums wrong numbers where there are fewer channels than its vectors have elements.
bool is_gathered(const Conv2dBackwardFilterArgs& args) {
  constexpr int64_t kElements = 8;
  return args.dw.dim(1) == 1 && args.dw.dim(2) == 1 && args.geometry.stride != 1 &&
         args.geometry.padding == 0 && args.dw.dim(3) < kElements;
}

/// Writes every stride-th pixel of x [N, H, W, I] to y [N, OH, OW, I].
void gather_pixels(const Tensor& y, const Tensor& x, PerAxis stride) {
  const int64_t channels = x.dim(3);
  float* to = y.data<float>();
  for (int64_t n = 0; n < y.dim(0); ++n)
    for (int64_t h = 0; h < y.dim(1); ++h)
      for (int64_t w = 0; w < y.dim(2); ++w, to += channels) {
        const int64_t pixel = (n * x.dim(1) + h * stride.h) * x.dim(2) + w * stride.w;
        std::copy_n(x.data<float>() + pixel * channels, channels, to);
      }
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  if (args.dw.size() == 0) return;
  use_one_onednn_thread();
  checked(args.kOp, args.x, args.dw, [&] {
    auto& state = context.state<Convolutions>();
    Scratch scratch;
    Tensor x = args.x;
    ConvGeometry geometry = args.geometry;
    const bool gathered = is_gathered(args);
    if (gathered) {
      geometry.stride = 1;
      x = Tensor::wrap(nullptr, {x.dim(0), args.dy.dim(1), args.dy.dim(2), x.dim(3)});
    }
    const int64_t pixels = scratch.reserve(gathered ? x.bytes() : 0);
    const Convolution& conv = state.find(kBackwardFilter, args.dy, x, args.dw, geometry);
    const bool add_up = args.write == Write::accumulate;
    const int64_t own = scratch.reserve(size_of(conv.scratchpad));
    const int64_t packed = scratch.reserve(size_of(conv.packed_weights));
    const int64_t fresh = scratch.reserve(add_up ? args.dw.bytes() : 0);
    scratch.allocate(context);
    if (gathered) {
      x = Tensor::wrap(scratch.at(pixels), x.shape());
      gather_pixels(x, args.x, args.geometry.stride);
    }
    memory packed_dw = state.at(conv.packed_weights, scratch.at(packed));
    conv.primitive.execute(state.stream(),
                           {{DNNL_ARG_SRC, state.at(conv.x, x.raw())},
                            {DNNL_ARG_DIFF_WEIGHTS, packed_dw},
                            {DNNL_ARG_DIFF_DST, state.at(conv.y, args.dy.raw())},
                            {DNNL_ARG_SCRATCHPAD, state.at(conv.scratchpad, scratch.at(own))}});
    void* dw = add_up ? scratch.at(fresh) : args.dw.raw();
    memory plain_dw = state.at(conv.plain_weights, dw);
    conv.reorder.execute(state.stream(), packed_dw, plain_dw);
    state.stream().wait();
    if (add_up) add({.y = args.dw, .a = args.dw, .b = Tensor::wrap(dw, args.dw.shape())}, context);
  });
}

}  // namespace

void register_conv2d_onednn(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>(
      {"onednn", Device::cpu,
       [](const Conv2dForwardArgs& a) { return a.y.dtype() == DType::f32 && a.x.dim(0) > 0; },
       forward});
  registry.add<Conv2dBackwardDataArgs>({"onednn", Device::cpu,
                                        [](const Conv2dBackwardDataArgs& a) {
                                          return a.dy.dtype() == DType::f32 && a.dx.dim(0) > 0;
                                        },
                                        backward_data});
  registry.add<Conv2dBackwardFilterArgs>({"onednn", Device::cpu,
                                          [](const Conv2dBackwardFilterArgs& a) {
                                            return a.dy.dtype() == DType::f32 && a.x.dim(0) > 0;
                                          },
                                          backward_filter});
}

}  // namespace topograd
