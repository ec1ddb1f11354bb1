#include "apps/python/module/numpy_arrays.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/check.h"

namespace topograd::python {

namespace py = pybind11;

namespace {

std::vector<py::ssize_t> torch_shape(const ParameterEntry& entry) {
  const Shape shape = entry.torch_shape();
  return {shape.begin(), shape.end()};
}

/// Calls f(entry, its elements in the network's vectors) for every tensor.
template <class F>
void for_each_tensor(const ParameterLayout& layout, const ModelState& weights, const F& f) {
  for (const ParameterEntry& entry : layout.state_dict()) {
    const Tensor& vector = is_state(entry.kind) ? weights.running_stats : weights.theta;
    f(entry, vector.data<float>() + entry.offset);
  }
}

}  // namespace

NumpyArray copied(const py::array& array) {
  const char kind = array.dtype().kind();
  require(kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b', "arrays hold numbers, not ",
          std::string(py::str(py::object(array.dtype()))));
  require(array.dtype().attr("isnative").cast<bool>(),
          "the array has another machine's order of bytes: x.astype(x.dtype.newbyteorder('='))");
  const py::array whole = py::array::ensure(array, py::array::c_style);
  NumpyArray copy{.type = text(kind, whole.itemsize()),
                  .shape = {whole.shape(), whole.shape() + whole.ndim()},
                  .bytes = {}};
  const char* bytes = static_cast<const char*>(whole.data());
  copy.bytes.assign(bytes, bytes + whole.nbytes());
  return copy;
}

py::dict torch_tensors(const ParameterLayout& layout, const ModelState& weights) {
  py::dict tensors;
  for_each_tensor(layout, weights, [&](const ParameterEntry& entry, const float* ours) {
    py::array_t<float> tensor(torch_shape(entry));
    to_torch_order(entry, ours, tensor.mutable_data());
    tensors[py::str(entry.name)] = std::move(tensor);
  });
  return tensors;
}

ModelState from_torch_tensors(const ParameterLayout& layout,
                              const std::map<std::string, py::array_t<float>>& tensors) {
  const ModelState weights{Tensor({layout.parameter_count()}), Tensor({layout.state_count()})};
  for_each_tensor(layout, weights, [&](const ParameterEntry& entry, float* ours) {
    const auto found = tensors.find(entry.name);
    require(found != tensors.end(), "there is no tensor ", entry.name);
    const py::array_t<float> whole =
        py::array_t<float, py::array::c_style | py::array::forcecast>::ensure(found->second);
    const std::vector<py::ssize_t> shape(whole.shape(), whole.shape() + whole.ndim());
    require(shape == torch_shape(entry), entry.name, " is ", entry.torch_shape(),
            " in the network, here ", Shape(shape.begin(), shape.end()));
    require(std::all_of(whole.data(), whole.data() + whole.size(),
                        [](float value) { return std::isfinite(value); }),
            entry.name, " holds numbers that are not finite");
    from_torch_order(entry, whole.data(), ours);
  });
  return weights;
}

}  // namespace topograd::python
