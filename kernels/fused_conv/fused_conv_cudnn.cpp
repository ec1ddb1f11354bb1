// cuDNN's cudnnConvolutionBiasActivationForward, y = f(conv(x) + residual + bias): one call for
// each point, on its slice of every tensor.
#include "kernels/activation/activation.h"
#include "kernels/cuda/cudnn_convolution.h"
#include "kernels/fused_conv/fused_conv.h"

namespace topograd::cuda {

namespace {

constexpr float kOne = 1.0F;
constexpr float kZero = 0.0F;

/// Descriptors of max(x, 0) and of x, which let a NaN pass: the loss of a network that overflowed
/// must be NaN, not a wrong number.
struct Epilogues {
  Epilogues() {
    const auto set = [](const ActivationDescriptor& descriptor, cudnnActivationMode_t mode) {
      check(cudnn().cudnnSetActivationDescriptor(descriptor, mode, CUDNN_PROPAGATE_NAN, 0.0),
            "cudnnSetActivationDescriptor", "preparing cuDNN");
    };
    set(relu, CUDNN_ACTIVATION_RELU);
    set(identity, CUDNN_ACTIVATION_IDENTITY);
  }
  ActivationDescriptor relu, identity;
};

/// Zeros as the bias of a convolution that has none, because cuDNN insists on one. They live
/// as long as the context, for recordings.
class ZeroBias {
 public:
  const float* get(int64_t filters, Context& context) {
    const int64_t bytes = filters * static_cast<int64_t>(sizeof(float));
    if (zeros_.empty() || zeros_.back()->bytes() < bytes) {
      zeros_.push_back(std::make_unique<Storage>(2 * bytes, Device::cuda));
      check(cudaMemsetAsync(zeros_.back()->data(), 0, static_cast<size_t>(2 * bytes),
                            stream_of(context)),
            "clearing a bias");
    }
    return static_cast<const float*>(zeros_.back()->data());
  }

 private:
  std::vector<std::unique_ptr<Storage>> zeros_;
};

/// A context's fused convolutions. Their support differs from that of plain ones.
struct FusedConvolutions {
  Epilogues epilogues;
  ZeroBias zero_bias;
  Convolutions<Forward> convolutions;
};

/// One network's share of the tensors; the residual may be null, or y.
struct Slices {
  float* y;
  const float* x;
  const float* w;
  const float* bias;
  const float* residual;
};

Slices slices_of(const FusedConvArgs& args, int64_t point, const float* zero_bias) {
  const auto share = [&](const Tensor& t) {
    return elements_of(t) + point * (t.size() / args.points);
  };
  return {.y = share(args.y),
          .x = args.shares_x() ? elements_of(args.x) : share(args.x),
          .w = share(args.w),
          .bias = args.bias.defined() ? share(args.bias) : zero_bias,
          .residual = args.residual.defined() ? share(args.residual) : nullptr};
}

/// Runs every point's convolution. False where cuDNN has no kernel for it; nothing is written then.
bool run_points(const FusedConvArgs& args, bool relu, Context& context) {
  auto& state = context.state<FusedConvolutions>();
  const int64_t N = args.images(), O = args.filters();
  Convolution<Forward>& convolution = state.convolutions.find(
      context, args.x.rows(0, N), args.w.rows(0, O), args.y.rows(0, N), args.geometry,
      args.precision, ErrorBudget::tight, 2 * args.residual.defined() + relu);
  const ConvolutionDescriptors& d = convolution.descriptors();
  const ActivationDescriptor& activation = relu ? state.epilogues.relu : state.epilogues.identity;
  const float* zero_bias = args.bias.defined() ? nullptr : state.zero_bias.get(O, context);
  const cudnnHandle_t handle = cudnn_of(context);
  for (int64_t point = 0; point < args.points; ++point) {
    const Slices s = slices_of(args, point, zero_bias);
    const auto call = [&](Forward::Algorithm algorithm, void* workspace, size_t bytes) {
      // cuDNN's other algorithms apply a ReLU, asked or not.
      if (!relu && algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
        return CUDNN_STATUS_NOT_SUPPORTED;
      // cuDNN allows z = y, and does not read what has the factor 0.
      return cudnn().cudnnConvolutionBiasActivationForward(
          handle, &kOne, d.x, s.x, d.w, s.w, d.convolution, algorithm, workspace, bytes,
          s.residual ? &kOne : &kZero, d.y, s.residual ? s.residual : s.y, d.bias, s.bias,
          activation, d.y, s.y);
    };
    if (!convolution.try_run(context, "cudnnConvolutionBiasActivationForward", call)) return false;
  }
  return true;
}

void run(const FusedConvArgs& args, Context& context) {
  if (args.y.size() == 0 || run_points(args, args.relu, context)) return;
  if (!args.relu || !run_points(args, false, context)) return run_after_cudnn(args, context);
  activation_forward({.y = args.y, .x = args.y}, context);
}

/// Whether all that is handed to cuDNN, the points' slices too, lies at multiples of 16 bytes.
bool aligned(const Tensor& t, int64_t shares) {
  return !t.defined() ||
         (reinterpret_cast<uintptr_t>(t.raw()) % 16 == 0 && t.bytes() / shares % 16 == 0);
}

bool supports(const FusedConvArgs& args) {
  const int64_t P = args.points;
  const Shape w = args.w.shape().with_first(args.filters());
  return !args.geometry.is_depthwise(args.x.shape(), w) &&  // as in conv2d_cudnn.cpp
         cudnn_computes(args.precision) && fits_cudnn(args.x) && fits_cudnn(args.w) &&
         fits_cudnn(args.y) && aligned(args.x, args.shares_x() ? 1 : P) && aligned(args.w, P) &&
         aligned(args.y, P) && aligned(args.residual, P) && aligned(args.bias, P);
}

}  // namespace

void register_fused_conv_cudnn(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"cudnn", Device::cuda, supports, run});
}

}  // namespace topograd::cuda
