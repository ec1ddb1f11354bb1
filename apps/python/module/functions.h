// Surfaces of functions of Python.
#pragma once

#include <pybind11/pybind11.h>

namespace topograd::python {

/// Adds the class FunctionSurface: points to do, the tensors there, what a function returned.
void bind_functions(pybind11::module_& module);

}  // namespace topograd::python
