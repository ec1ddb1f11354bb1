// Shared by the convolutions by cuDNN: descriptors, and the choice of an algorithm.
//
// cuDNN has several algorithms a direction and guesses their times. Whether it supports one for a
// shape shows for certain only when it is called; so the candidates are tried in the order of the
// guesses, once per shape and context, and the first that runs is kept; where cuDNN refuses all of
// them, the implementation after cuDNN's runs. The first pass of a Recording, which is not
// recorded, makes the choice.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/cuda/cudnn_handle.h"

namespace topograd::cuda {

/// Whether cuDNN's legacy interface takes a tensor of four extents: f32, at a multiple of 16 bytes
/// (its kernels load that much at once), extents and size within int. Only the number of images
/// may be 0.
bool fits_cudnn(const Tensor& t);

/// Says on stderr, once in a process, that cuDNN refused an operation and what runs instead.
void note_refusal(std::string_view op, std::string_view instead);

/// Whether cuDNN is here, and forms products of f32 in this precision: f32 and tf32.
bool cudnn_computes(Precision precision);

/// NHWC tensors x and y, OHWI filters, cross-correlation in float; products in TF32 for
/// Precision::tf32.
struct ConvolutionDescriptors {
  ConvolutionDescriptors(const Shape& x, const Shape& w, const Shape& y,
                         const ConvGeometry& geometry, Precision precision);
  TensorDescriptor x, y, bias;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
};

/// Direction of a convolution, in cuDNN's names. candidates() are the algorithms worth trying, best
/// guess first: those whose results are the same in every run and, for ErrorBudget::tight, that sum
/// the products as they are (no Winograd, no Fourier transform).
struct Forward {
  using Algorithm = cudnnConvolutionFwdAlgo_t;
  static std::vector<Algorithm> candidates(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                           ErrorBudget error_budget);
  static cudnnStatus_t workspace(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                 Algorithm algorithm, size_t* bytes);
};
struct BackwardData {
  using Algorithm = cudnnConvolutionBwdDataAlgo_t;
  static std::vector<Algorithm> candidates(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                           ErrorBudget error_budget);
  static cudnnStatus_t workspace(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                 Algorithm algorithm, size_t* bytes);
};
struct BackwardFilter {
  using Algorithm = cudnnConvolutionBwdFilterAlgo_t;
  static std::vector<Algorithm> candidates(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                           ErrorBudget error_budget);
  static cudnnStatus_t workspace(cudnnHandle_t handle, const ConvolutionDescriptors& d,
                                 Algorithm algorithm, size_t* bytes);
};

/// One convolution of one shape: its descriptors, and the algorithms that cuDNN has not refused.
template <class Direction>
class Convolution {
 public:
  using Algorithm = typename Direction::Algorithm;

  Convolution(Context& context, const Shape& x, const Shape& w, const Shape& y,
              const ConvGeometry& geometry, Precision precision, ErrorBudget error_budget)
      : descriptors_(x, w, y, geometry, precision),
        description_(text("x ", x, ", w ", w, ", ", geometry)) {
    for (Algorithm algorithm : Direction::candidates(cudnn_of(context), descriptors_, error_budget))
      candidates_.push_back({.algorithm = algorithm, .workspace = -1});
  }

  const ConvolutionDescriptors& descriptors() const { return descriptors_; }

  /// Calls function(algorithm, workspace, its bytes), which returns cuDNN's status, with one
  /// algorithm after the other until one is not refused. False if all are. Throws Error where one that has run before fails.
  template <class Function>
  bool try_run(Context& context, const char* name, const Function& function) {
    for (; !candidates_.empty(); candidates_.erase(candidates_.begin())) {
      Candidate& candidate = candidates_.front();
      if (candidate.workspace < 0) {
        size_t bytes = 0;
        const cudnnStatus_t status =
            Direction::workspace(cudnn_of(context), descriptors_, candidate.algorithm, &bytes);
        if (is_refusal(status) || bytes > kMaxWorkspace) continue;
        check(status, "asking for a workspace's size", "convolution of ", description_);
        candidate.workspace = static_cast<int64_t>(bytes);
      }
      const cudnnStatus_t status =
          function(candidate.algorithm, context.workspace(candidate.workspace),
                   static_cast<size_t>(candidate.workspace));
      if (!candidate.has_run && is_refusal(status)) continue;
      check(status, name, "convolution of ", description_);
      candidate.has_run = true;
      return true;
    }
    return false;
  }

 private:
  struct Candidate {
    Algorithm algorithm;
    int64_t workspace;  // -1: not asked yet
    bool has_run = false;
  };
  /// Far more than the algorithms that sum directly ask for at the zoo's sizes.
  static constexpr size_t kMaxWorkspace = size_t{512} << 20;

  ConvolutionDescriptors descriptors_;
  std::string description_;
  std::vector<Candidate> candidates_;
};

/// Runs the implementation of the context's device that is considered after cuDNN's, and says so
/// once in a process. Throws Error where there is none, or where cuDNN's is forced.
template <class Args>
void run_after_cudnn(const Args& args, Context& context) {
  require(context.forced_implementation(Args::kOp) != "cudnn", Args::kOp, ": cuDNN refuses ",
          args.geometry, "; choose another implementation with --impl");
  bool passed = false;
  for (const auto& implementation : OpRegistry::instance().implementations<Args>()) {
    const bool here = implementation.device == context.device();
    if (passed && here && implementation.supports(args)) {
      note_refusal(Args::kOp, implementation.name);
      return implementation.run(args, context);
    }
    passed = passed || (here && implementation.name == "cudnn");
  }
  fail(Args::kOp, ": cuDNN refuses ", args.geometry, ", and no other implementation takes it");
}

/// A context's convolutions of one direction, by shape and by `variant`, which tells apart whatever
/// else cuDNN's support may depend on.
template <class Direction>
class Convolutions {
 public:
  Convolution<Direction>& find(Context& context, const Tensor& x, const Tensor& w, const Tensor& y,
                               const ConvGeometry& geometry, Precision precision,
                               ErrorBudget error_budget, int variant) {
    const Key key{x.dim(0),
                  x.dim(1),
                  x.dim(2),
                  x.dim(3),
                  w.dim(0),
                  w.dim(1),
                  w.dim(2),
                  geometry.stride.h,
                  geometry.stride.w,
                  geometry.padding.h,
                  geometry.padding.w,
                  geometry.dilation.h,
                  geometry.dilation.w,
                  geometry.groups,
                  error_budget == ErrorBudget::tight,
                  precision == Precision::tf32,
                  variant};
    const auto found = convolutions_.find(key);
    if (found != convolutions_.end()) return found->second;
    return convolutions_
        .emplace(key, Convolution<Direction>(context, x.shape(), w.shape(), y.shape(), geometry,
                                             precision, error_budget))
        .first->second;
  }

 private:
  using Key = std::array<int64_t, 17>;
  std::map<Key, Convolution<Direction>> convolutions_;
};

}  // namespace topograd::cuda
