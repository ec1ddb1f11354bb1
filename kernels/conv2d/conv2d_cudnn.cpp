// cuDNN's convolutions through its legacy interface: NHWC tensors and OHWI filters as they are, in
// float, by algorithms whose results are the same in every run.
#include "kernels/conv2d/conv2d.h"
#include "kernels/cuda/cudnn_convolution.h"

namespace topograd::cuda {

namespace {

constexpr float kOne = 1.0F;
constexpr float kZero = 0.0F;

/// Returns cuDNN's factor of the output's old contents.
const float* factor(Write write) {
  return write == Write::accumulate ? &kOne : &kZero;
}

void forward(const Conv2dForwardArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  auto& convolution = context.state<Convolutions<Forward>>().find(
      context, args.x, args.w, args.y, args.geometry, args.precision, args.error_budget,
      args.write == Write::accumulate);
  const cudnnHandle_t handle = cudnn_of(context);
  const ConvolutionDescriptors& d = convolution.descriptors();
  const auto call = [&](Forward::Algorithm algorithm, void* workspace, size_t bytes) {
    return cudnn().cudnnConvolutionForward(handle, &kOne, d.x, elements_of(args.x), d.w,
                                           elements_of(args.w), d.convolution, algorithm, workspace,
                                           bytes, factor(args.write), d.y, elements_of(args.y));
  };
  if (!convolution.try_run(context, "cudnnConvolutionForward", call))
    return run_after_cudnn(args, context);
  if (args.bias.defined())
    check(cudnn().cudnnAddTensor(handle, &kOne, d.bias, elements_of(args.bias), &kOne, d.y,
                                 elements_of(args.y)),
          "cudnnAddTensor", args.kOp, ": adding the bias to y ", args.y.shape());
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  if (args.dx.size() == 0) return;
  auto& convolution = context.state<Convolutions<BackwardData>>().find(
      context, args.dx, args.w, args.dy, args.geometry, args.precision, args.error_budget,
      args.write == Write::accumulate);
  const ConvolutionDescriptors& d = convolution.descriptors();
  const auto call = [&](BackwardData::Algorithm algorithm, void* workspace, size_t bytes) {
    return cudnn().cudnnConvolutionBackwardData(
        cudnn_of(context), &kOne, d.w, elements_of(args.w), d.y, elements_of(args.dy),
        d.convolution, algorithm, workspace, bytes, factor(args.write), d.x, elements_of(args.dx));
  };
  if (!convolution.try_run(context, "cudnnConvolutionBackwardData", call))
    return run_after_cudnn(args, context);
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  if (args.x.dim(0) == 0) {  // no images: an empty sum
    if (args.write == Write::overwrite)
      check(cudaMemsetAsync(elements_of(args.dw), 0, static_cast<size_t>(args.dw.bytes()),
                            stream_of(context)),
            "conv2d_backward_filter: clearing dw");
    return;
  }
  auto& convolution = context.state<Convolutions<BackwardFilter>>().find(
      context, args.x, args.dw, args.dy, args.geometry, args.precision, ErrorBudget::tight,
      args.write == Write::accumulate);
  const ConvolutionDescriptors& d = convolution.descriptors();
  const auto call = [&](BackwardFilter::Algorithm algorithm, void* workspace, size_t bytes) {
    return cudnn().cudnnConvolutionBackwardFilter(
        cudnn_of(context), &kOne, d.x, elements_of(args.x), d.y, elements_of(args.dy),
        d.convolution, algorithm, workspace, bytes, factor(args.write), d.w, elements_of(args.dw));
  };
  if (!convolution.try_run(context, "cudnnConvolutionBackwardFilter", call))
    return run_after_cudnn(args, context);
}

}  // namespace

// Depthwise convolutions are left to the kernel of ours: without products to share, cuDNN's have
// nothing to win, and they are not made for NHWC in f32.
void register_conv2d_cudnn(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>({"cudnn", Device::cuda,
                                   [](const Conv2dForwardArgs& a) {
                                     return cudnn_computes(a.precision) && fits_cudnn(a.x) &&
                                            fits_cudnn(a.w) && fits_cudnn(a.y) &&
                                            !a.geometry.is_depthwise(a.x.shape(), a.w.shape());
                                   },
                                   forward});
  registry.add<Conv2dBackwardDataArgs>(
      {"cudnn", Device::cuda,
       [](const Conv2dBackwardDataArgs& a) {
         return cudnn_computes(a.precision) && fits_cudnn(a.dx) && fits_cudnn(a.w) &&
                fits_cudnn(a.dy) && !a.geometry.is_depthwise(a.dx.shape(), a.w.shape());
       },
       backward_data});
  registry.add<Conv2dBackwardFilterArgs>(
      {"cudnn", Device::cuda,
       [](const Conv2dBackwardFilterArgs& a) {
         return cudnn_computes(a.precision) && fits_cudnn(a.x) && fits_cudnn(a.dw) &&
                fits_cudnn(a.dy) && !a.geometry.is_depthwise(a.x.shape(), a.dw.shape());
       },
       backward_filter});
}

}  // namespace topograd::cuda
