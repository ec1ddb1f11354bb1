// Elements of a vector that may not be there: a normalisation without scales has scale 1.
#pragma once

#include "kernels/core/tensor.h"

namespace topograd {

/// Returns element c of a vector, or `otherwise` where the vector is null. constexpr, so that
/// kernels may call it.
template <class T>
constexpr T element_or(const T* vector, int64_t c, T otherwise) {
  return vector ? vector[c] : otherwise;
}
/// Returns element c of a tensor [C], or `otherwise` where it is undefined.
template <class T>
T element_or(const Tensor& vector, int64_t c, T otherwise) {
  return vector.defined() ? vector.data<T>()[c] : otherwise;
}

}  // namespace topograd
