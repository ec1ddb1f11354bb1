#include "landscape/directions/named_tensors.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/core/hash.h"
#include "kernels/core/numbers.h"
#include "kernels/perturb/perturb.h"

namespace topograd {

namespace {

template <class F>
bool all_values(const Tensor& tensor, F holds) {
  return with_real_type(tensor.dtype(), [&](auto real) {
    const auto* values = tensor.data<decltype(real)>();
    return std::all_of(values, values + tensor.size(), holds);
  });
}

bool is_finite(const Tensor& tensor) {
  return all_values(tensor, [](double v) { return std::isfinite(v); });
}

/// Returns the number of elements of a shape. Throws Error if no memory holds them.
int64_t elements_of(const NamedTensor& tensor) {
  constexpr double kMost = 1e12;
  double size = 1;
  for (const int64_t extent : tensor.shape) {
    require(extent >= 0, tensor.name, " has an axis of ", extent, " elements");
    size *= static_cast<double>(extent);
  }
  require(size <= kMost, tensor.name, " has more elements than any memory holds");
  return static_cast<int64_t>(size);
}

void require_reals(const Tensor& values, int64_t count, const std::string& name, const char* what) {
  require(values.defined() && values.size() == count, name, " has ", count, " elements, ", what,
          " has ", values.defined() ? values.size() : 0);
  require(values.dtype() == DType::f32 || values.dtype() == DType::f64, name, ": ", what, " is of ",
          name_of(values.dtype()), ", only f32 and f64 move along a direction");
}

uint64_t hash_of(const Tensor& tensor, uint64_t hash) {
  return content_hash(tensor.raw(), static_cast<size_t>(tensor.bytes()), hash);
}

}  // namespace

NamedTensors::NamedTensors(const std::vector<NamedTensor>& tensors) : tensors_(tensors) {
  std::set<std::string> names;
  bool any_moves = false;
  for (NamedTensor& tensor : tensors_) {
    require(!tensor.name.empty(), "a tensor has no name");
    require(names.insert(tensor.name).second, "two tensors are named '", tensor.name, "'");
    const int64_t count = elements_of(tensor);
    require_reals(tensor.values, count, tensor.name, "its list of values");
    require(is_finite(tensor.values), tensor.name, " holds a value that is not finite");
    tensor.values = tensor.values.clone().reshaped({count});
    any_moves = any_moves || (tensor.moves && count > 0);
    if (count == 0) continue;
    if (tensor.shape.size() >= 2)
      layout_.add(tensor.name, ParameterKind::linear_weight,
                  {tensor.shape[0], count / tensor.shape[0]});
    else
      layout_.add(tensor.name, ParameterKind::bias, {count});
  }
  require(any_moves, "no tensor moves: a surface needs one at least");
}

std::string NamedTensors::hash() const {
  uint64_t hash = 0;
  for (const NamedTensor& tensor : tensors_) {
    std::string header = text(tensor.name, ' ', name_of(tensor.values.dtype()));
    for (const int64_t extent : tensor.shape) header += text(' ', extent);
    hash = content_hash(header.data(), header.size(), hash);
    hash = hash_of(tensor.values, hash);
  }
  return hex(hash);
}

TensorDirection NamedTensors::random_direction(uint64_t seed, uint32_t number, DirectionNorm norm,
                                               Ignore ignore) const {
  const Tensor theta({layout_.parameter_count()});
  int64_t at = 0;
  for (const NamedTensor& tensor : tensors_) {
    theta.slice(at, tensor.values.shape()).copy_from(tensor.values.converted(DType::f32));
    at += tensor.values.size();
  }
  const Tensor drawn =
      topograd::random_direction(layout_, theta, {}, seed, number, norm, ignore).parameters;
  TensorDirection direction;
  at = 0;
  for (const NamedTensor& tensor : tensors_) {
    const Tensor part = drawn.slice(at, tensor.values.shape());
    direction.push_back(!tensor.moves ? Tensor()
                        : tensor.values.dtype() == DType::f32
                            ? part
                            : part.converted(tensor.values.dtype()));
    at += tensor.values.size();
  }
  check_direction(direction);
  return direction;
}

TensorDirection NamedTensors::given_direction(const TensorDirection& vectors) const {
  require(vectors.size() == tensors_.size(), "a direction of ", vectors.size(),
          " vectors does not fit ", tensors_.size(), " tensors");
  TensorDirection direction;
  for (size_t i = 0; i < vectors.size(); ++i) {
    const NamedTensor& tensor = tensors_[i];
    if (!vectors[i].defined()) {
      direction.push_back(tensor.moves ? Tensor::zeros(tensor.values.shape(), tensor.values.dtype())
                                       : Tensor());
      continue;
    }
    require(tensor.moves, "a direction moves ", tensor.name, ", which is to stay where it is");
    require_reals(vectors[i], tensor.values.size(), tensor.name, "its direction");
    direction.push_back(
        vectors[i].converted(tensor.values.dtype()).reshaped(tensor.values.shape()));
  }
  check_direction(direction);
  return direction;
}

void NamedTensors::check_direction(const TensorDirection& direction) const {
  bool zero = true;
  for (size_t i = 0; i < direction.size(); ++i) {
    if (!direction[i].defined()) continue;
    require(is_finite(direction[i]), "the direction of ", tensors_[i].name,
            " holds a value that is not finite");
    zero = zero && all_values(direction[i], [](double v) { return v == 0; });
  }
  require(
      !zero,
      "a direction is zero everywhere: a random one is scaled to the tensors, which may be zero "
      "themselves, and leaves those of one axis or none where they are unless ignore is none; "
      "give directions");
}

void NamedTensors::move(std::span<const Tensor> theta, const TensorDirection& x,
                        const TensorDirection* y, double a, double b) const {
  require(theta.size() == tensors_.size(), "a point of ", tensors_.size(),
          " tensors is to be written into ", theta.size());
  Context context;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const NamedTensor& tensor = tensors_[i];
    if (!tensor.moves || tensor.values.size() == 0) continue;
    require(theta[i].defined() && theta[i].size() == tensor.values.size() &&
                theta[i].dtype() == tensor.values.dtype(),
            tensor.name, " has ", tensor.values.size(), " elements of ",
            name_of(tensor.values.dtype()), ", what it is to be written into has not");
    perturb({.w = theta[i].reshaped(tensor.values.shape()),
             .theta = tensor.values,
             .delta = x[i],
             .eta = y ? (*y)[i] : Tensor(),
             .a = a,
             .b = b},
            context);
  }
}

std::string directions_hash(std::span<const TensorDirection> directions) {
  uint64_t hash = 0;
  for (const TensorDirection& direction : directions)
    for (const Tensor& part : direction)
      if (part.defined()) hash = hash_of(part, hash);
  return hex(hash);
}

}  // namespace topograd
