#include "kernels/cuda/cudnn_convolution.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <mutex>

namespace topograd::cuda {

namespace {

constexpr int64_t kMaxElements = std::numeric_limits<int>::max();

int as_int(int64_t extent) {
  return static_cast<int>(extent);  // fits_cudnn has checked it
}

TensorDescriptor nhwc(const Shape& shape) {
  TensorDescriptor descriptor;
  check(cudnn().cudnnSetTensor4dDescriptor(descriptor, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT,
                                           as_int(shape[0]), as_int(shape[3]), as_int(shape[1]),
                                           as_int(shape[2])),
        "cudnnSetTensor4dDescriptor", "describing a tensor of ", shape);
  return descriptor;
}

/// Selects the algorithms that will do from the heuristics' results, best first; after them, where
/// the heuristics leave them out, the algorithms that support the most.
template <class Result, class Algorithm>
std::vector<Algorithm> select(const std::vector<Result>& results,
                              std::initializer_list<Algorithm> direct, ErrorBudget error_budget) {
  std::vector<Algorithm> selected;
  const auto add = [&](Algorithm algorithm) {
    if (std::find(selected.begin(), selected.end(), algorithm) == selected.end())
      selected.push_back(algorithm);
  };
  for (const Result& result : results) {
    const bool sums_directly = std::find(direct.begin(), direct.end(), result.algo) != direct.end();
    if (result.status == CUDNN_STATUS_SUCCESS && result.determinism == CUDNN_DETERMINISTIC &&
        (sums_directly || error_budget == ErrorBudget::relaxed))
      add(result.algo);
  }
  for (Algorithm algorithm : direct) add(algorithm);
  return selected;
}

/// Returns the heuristics' results, none where cuDNN refuses to guess; `find(room, &count, results)`
/// asks for them.
template <class Result, class Find>
std::vector<Result> ask(int room, const char* call, const Find& find) {
  std::vector<Result> results(static_cast<size_t>(room));
  int count = 0;
  const cudnnStatus_t status = find(room, &count, results.data());
  if (is_refusal(status)) return {};
  check(status, call, "choosing a convolution's algorithm");
  results.resize(static_cast<size_t>(count));
  return results;
}

}  // namespace

bool fits_cudnn(const Tensor& t) {
  const bool aligned = reinterpret_cast<uintptr_t>(t.raw()) % 16 == 0;
  const bool empty = t.dim(1) == 0 || t.dim(2) == 0 || t.dim(3) == 0;
  return t.dtype() == DType::f32 && aligned && !empty && t.dim(0) <= kMaxElements &&
         t.size() <= kMaxElements;
}

bool cudnn_computes(Precision precision) {
  return Cudnn::library() != nullptr &&
         (precision == Precision::f32 || precision == Precision::tf32);
}

void note_refusal(std::string_view op, std::string_view instead) {
  static std::once_flag said;
  std::call_once(said, [&] {
    const std::string line =
        text("note: cuDNN refuses a shape of ", op, "; the implementation ", instead, " runs it\n");
    std::fputs(line.c_str(), stderr);
  });
}

ConvolutionDescriptors::ConvolutionDescriptors(const Shape& x_shape, const Shape& w_shape,
                                               const Shape& y_shape, const ConvGeometry& geometry,
                                               Precision precision)
    : x(nhwc(x_shape)), y(nhwc(y_shape)), bias(nhwc({1, 1, 1, y_shape[3]})) {
  check(cudnn().cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC,
                                           as_int(w_shape[0]), as_int(w_shape[3]),
                                           as_int(w_shape[1]), as_int(w_shape[2])),
        "cudnnSetFilter4dDescriptor", "describing filters of ", w_shape);
  check(cudnn().cudnnSetConvolution2dDescriptor(convolution, geometry.padding.h, geometry.padding.w,
                                                geometry.stride.h, geometry.stride.w,
                                                geometry.dilation.h, geometry.dilation.w,
                                                CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
        "cudnnSetConvolution2dDescriptor", "describing a convolution of ", x_shape);
  check(cudnn().cudnnSetConvolutionGroupCount(convolution, geometry.groups),
        "cudnnSetConvolutionGroupCount", "describing a convolution of ", x_shape);
  // cuDNN's default lets TF32 in.
  const bool tf32 = precision == Precision::tf32;
  check(
      cudnn().cudnnSetConvolutionMathType(convolution, tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH),
      "cudnnSetConvolutionMathType", "describing a convolution of ", x_shape);
}

std::vector<Forward::Algorithm> Forward::candidates(cudnnHandle_t handle,
                                                    const ConvolutionDescriptors& d,
                                                    ErrorBudget error_budget) {
  using Result = cudnnConvolutionFwdAlgoPerf_t;
  return select(
      ask<Result>(CUDNN_CONVOLUTION_FWD_ALGO_COUNT, "cudnnGetConvolutionForwardAlgorithm_v7",
                  [&](int room, int* count, Result* results) {
                    return cudnn().cudnnGetConvolutionForwardAlgorithm_v7(
                        handle, d.x, d.w, d.convolution, d.y, room, count, results);
                  }),
      {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
       CUDNN_CONVOLUTION_FWD_ALGO_GEMM},
      error_budget);
}

cudnnStatus_t Forward::workspace(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                 Algorithm algorithm, size_t* bytes) {
  return cudnn().cudnnGetConvolutionForwardWorkspaceSize(handle, d.x, d.w, d.convolution, d.y,
                                                         algorithm, bytes);
}

std::vector<BackwardData::Algorithm> BackwardData::candidates(cudnnHandle_t handle,
                                                              const ConvolutionDescriptors& d,
                                                              ErrorBudget error_budget) {
  using Result = cudnnConvolutionBwdDataAlgoPerf_t;
  return select(ask<Result>(CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT,
                            "cudnnGetConvolutionBackwardDataAlgorithm_v7",
                            [&](int room, int* count, Result* results) {
                              return cudnn().cudnnGetConvolutionBackwardDataAlgorithm_v7(
                                  handle, d.w, d.y, d.convolution, d.x, room, count, results);
                            }),
                {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1}, error_budget);
}

cudnnStatus_t BackwardData::workspace(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                      Algorithm algorithm, size_t* bytes) {
  return cudnn().cudnnGetConvolutionBackwardDataWorkspaceSize(handle, d.w, d.y, d.convolution, d.x,
                                                              algorithm, bytes);
}

std::vector<BackwardFilter::Algorithm> BackwardFilter::candidates(cudnnHandle_t handle,
                                                                  const ConvolutionDescriptors& d,
                                                                  ErrorBudget error_budget) {
  using Result = cudnnConvolutionBwdFilterAlgoPerf_t;
  return select(ask<Result>(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT,
                            "cudnnGetConvolutionBackwardFilterAlgorithm_v7",
                            [&](int room, int* count, Result* results) {
                              return cudnn().cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                                  handle, d.x, d.y, d.convolution, d.w, room, count, results);
                            }),
                {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1}, error_budget);
}

cudnnStatus_t BackwardFilter::workspace(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                        Algorithm algorithm, size_t* bytes) {
  return cudnn().cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, d.x, d.y, d.convolution,
                                                                d.w, algorithm, bytes);
}

}  // namespace topograd::cuda
