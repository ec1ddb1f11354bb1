#include <algorithm>
#include <stdexcept>

#include "kernels/core/check.h"
#include "kernels/loss/loss.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

constexpr int64_t kImages = 2;

/// Works out losses, gradients and products with the curvature, of classes or of numbers.
void use(const Loss& loss, bool numbers) {
  const int64_t C = loss.class_weights.defined() ? loss.class_weights.size() : 3;
  const Shape shape{kImages, C};
  const Tensor logits(shape), result(shape), losses({kImages});
  const Tensor labels = numbers ? Tensor::zeros(shape) : Tensor::zeros({kImages}, DType::i32);
  for (int64_t i = 0; i < logits.size(); ++i)
    logits.data<float>()[i] = static_cast<float>(i % 5) - 2;
  Context context;
  try {
    loss_forward({.losses = losses, .logits = logits, .labels = labels, .loss = loss}, context);
    loss_backward({.dlogits = result, .logits = logits, .labels = labels, .loss = loss}, context);
    loss_curvature({.product = result,
                    .logits_tangent = logits,
                    .logits = logits,
                    .labels = labels,
                    .loss = loss},
                   context);
  } catch (const Error&) {  // a measure, or numbers where only classes are taken
  }
}

}  // namespace

/// The text form of a loss, with its class weights, or of a measure.
void loss(std::string_view bytes) {
  try {
    use(measure_named(bytes), false);
  } catch (const Error&) {
  }
  const Loss named = loss_named(bytes);
  const std::string text = text_of(named);
  if (text_of(loss_named(text)) != text)
    throw std::logic_error("a loss that changes when it is written and read");
  title_of(named);
  text_of(without_smoothing(named));
  use(named, false);
  use(named, true);
}

}  // namespace topograd::fuzz
