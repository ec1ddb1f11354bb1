#include "apps/python/module/functions.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "apps/python/module/numpy_arrays.h"
#include "apps/python/module/unlocked.h"
#include "landscape/surface/function_surface.h"

namespace topograd::python {

namespace py = pybind11;

namespace {

using Ends = std::tuple<double, double, int64_t>;

/// Copies an array of floating point; `name` is for messages. None is an undefined tensor.
Tensor real_tensor(const py::object& array, const std::string& name) {
  if (array.is_none()) return {};
  const py::array whole = py::array::ensure(array, py::array::c_style);
  require(static_cast<bool>(whole), name, " is no array");
  const auto dtype = [&] {
    if (py::isinstance<py::array_t<float>>(whole)) return DType::f32;
    require(py::isinstance<py::array_t<double>>(whole), name, " holds ",
            std::string(py::str(py::object(whole.dtype()))), ": float32 or float64 can move");
    return DType::f64;
  }();
  const Tensor values({whole.size()}, dtype);
  std::memcpy(values.raw(), whole.data(), static_cast<size_t>(values.bytes()));
  return values;
}

py::object array_of(const Tensor& values, const std::vector<int64_t>& shape) {
  if (!values.defined()) return py::none();
  const std::vector<py::ssize_t> extents(shape.begin(), shape.end());
  if (values.dtype() == DType::f32) return numpy_array(values.data<float>(), extents);
  return numpy_array(values.data<double>(), extents);
}

FunctionAxis axis_of(const Ends& ends, const std::string& norm, const std::string& ignore,
                     const std::optional<std::vector<py::object>>& direction) {
  FunctionAxis axis{.points = {std::get<0>(ends), std::get<1>(ends), std::get<2>(ends)},
                    .norm = direction_norm_named(norm),
                    .ignore = ignore_named(ignore)};
  if (!direction) return axis;
  for (const py::object& vector : *direction)
    axis.given.push_back(real_tensor(vector, "a direction"));
  axis.text = "given direction";
  return axis;
}

/// Keeps the line that says what is continued.
class KeptNotes : public Observer {
 public:
  void note(const std::string& line) override { lines.push_back(line); }
  std::vector<std::string> lines;
};

/// A function's surface, and what was said when it began.
struct HeldFunctionSurface {
  HeldFunctionSurface(const FunctionSurfaceSettings& settings,
                      const std::vector<NamedTensor>& tensors)
      : surface(settings, tensors, notes) {}

  py::list theta_at(int64_t point, int64_t plane) const {
    const std::vector<Tensor> theta = surface.theta_at(point, plane);
    py::list arrays;
    for (size_t i = 0; i < theta.size(); ++i)
      arrays.append(array_of(theta[i], surface.tensors()[i].shape));
    return arrays;
  }

  KeptNotes notes;
  FunctionSurface surface;
};

}  // namespace

void bind_functions(py::module_& module) {
  py::class_<HeldFunctionSurface>(module, "FunctionSurface")
      .def(py::init([](const std::vector<std::pair<std::string, py::object>>& tensors,
                       const Ends& x, const std::optional<Ends>& y,
                       const std::optional<std::vector<py::object>>& x_direction,
                       const std::optional<std::vector<py::object>>& y_direction,
                       const std::string& norm, const std::string& ignore, uint64_t seed,
                       int64_t seeds, const std::vector<std::string>& quantities,
                       const std::string& output, double save_seconds, const std::string& function,
                       const std::string& name, const std::string& loss, const std::string& set,
                       const Provenance& facts) {
             std::vector<NamedTensor> named;
             for (const auto& [tensor_name, array] : tensors) {
               NamedTensor tensor{.name = tensor_name, .values = real_tensor(array, tensor_name)};
               const py::array whole = py::array::ensure(array);
               tensor.shape.assign(whole.shape(), whole.shape() + whole.ndim());
               named.push_back(std::move(tensor));
             }
             FunctionSurfaceSettings settings{.output = output,
                                              .x = axis_of(x, norm, ignore, x_direction),
                                              .y = std::nullopt,
                                              .seed = seed,
                                              .seeds = seeds,
                                              .set = set,
                                              .quantities = quantities,
                                              .save_seconds = save_seconds,
                                              .function = function,
                                              .name = name,
                                              .loss = loss,
                                              .facts = facts,
                                              .command = "topograd.surface_of"};
             if (y) settings.y = axis_of(*y, norm, ignore, y_direction);
             return std::make_unique<HeldFunctionSurface>(settings, named);
           }),
           py::kw_only(), py::arg("tensors"), py::arg("x"), py::arg("y"), py::arg("x_direction"),
           py::arg("y_direction"), py::arg("norm"), py::arg("ignore"), py::arg("seed"),
           py::arg("seeds"), py::arg("quantities"), py::arg("output"), py::arg("save_seconds"),
           py::arg("function"), py::arg("name"), py::arg("loss"), py::arg("set"), py::arg("facts"))
      .def_property_readonly("notes",
                             [](const HeldFunctionSurface& held) { return held.notes.lines; })
      .def_property_readonly("planes",
                             [](const HeldFunctionSurface& held) { return held.surface.planes(); })
      .def_property_readonly(
          "points", [](const HeldFunctionSurface& held) { return held.surface.surface().points(); })
      .def_property_readonly(
          "done",
          [](const HeldFunctionSurface& held) { return held.surface.surface().done_count(); })
      .def("next_points",
           [](HeldFunctionSurface& held, int64_t count) { return held.surface.next_points(count); })
      .def("theta_at", &HeldFunctionSurface::theta_at, py::arg("point"), py::arg("plane") = 0)
      .def("record",
           [](HeldFunctionSurface& held, int64_t point, const std::vector<double>& values) {
             const Unlocked unlocked;
             held.surface.record(point, values);
           })
      .def(
          "save", [](HeldFunctionSurface& held) { held.surface.save(); },
          py::call_guard<Unlocked>())
      .def(
          "save_as",
          [](const HeldFunctionSurface& held, const std::string& path) {
            held.surface.surface().save(path);
          },
          py::call_guard<Unlocked>());
}

}  // namespace topograd::python
