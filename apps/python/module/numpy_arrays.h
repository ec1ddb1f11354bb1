// Arrays between numpy and tensors.
#pragma once

#include <pybind11/numpy.h>

#include <map>
#include <string>

#include "data/npy.h"
#include "kernels/core/tensor.h"
#include "nn/parameter_layout.h"

namespace topograd::python {

/// Copies an array of numpy, of any order of its axes in memory. Throws Error for objects and for
/// another machine's order of bytes.
NumpyArray copied(const pybind11::array& array);

/// Copies numbers into a new array of this shape.
template <class T>
pybind11::array_t<T> numpy_array(const T* values, const std::vector<pybind11::ssize_t>& shape) {
  pybind11::array_t<T> array(shape);
  std::copy_n(values, array.size(), array.mutable_data());
  return array;
}

/// Returns the tensors of a network by PyTorch's names, in PyTorch's shapes and orders: a dict, in
/// the order of its state_dict().
pybind11::dict torch_tensors(const ParameterLayout& layout, const ModelState& weights);

/// Returns the network's numbers from such tensors; others among them are left. Throws Error that
/// names the first that is missing, or has another shape.
ModelState from_torch_tensors(const ParameterLayout& layout,
                              const std::map<std::string, pybind11::array_t<float>>& tensors);

}  // namespace topograd::python
