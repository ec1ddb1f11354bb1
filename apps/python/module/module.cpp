// topograd._core: what the package topograd is made of, in C++. Python code calls no other part.
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "apps/common/cli.h"
#include "apps/common/progress.h"
#include "apps/python/module/command_run.h"
#include "apps/python/module/curvature_matrix.h"
#include "apps/python/module/functions.h"
#include "apps/python/module/networks.h"
#include "apps/python/module/numpy_arrays.h"
#include "apps/python/module/unlocked.h"
#include "data/arrays.h"
#include "kernels/core/format.h"
#include "kernels/core/version.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/results/record_comparison.h"
#include "landscape/sharpness/sharpness_results.h"

namespace py = pybind11;

namespace topograd::python {

namespace {

void bind_networks(py::module_& module) {
  py::class_<HeldNetwork>(module, "Network")
      .def_property_readonly("name", &HeldNetwork::name)
      .def_property_readonly("model", [](const HeldNetwork& n) { return n.model().spec.name; })
      .def_property_readonly("description",
                             [](const HeldNetwork& n) { return describe(n.model().spec); })
      .def_property_readonly("spec", [](const HeldNetwork& n) { return to_json(n.model().spec); })
      .def_property_readonly("classes",
                             [](const HeldNetwork& n) { return n.model().graph.classes(); })
      .def_property_readonly(
          "parameters",
          [](const HeldNetwork& n) { return n.model().graph.layout().parameter_count(); })
      .def_property_readonly("image_shape",
                             [](const HeldNetwork& n) {
                               const Shape& s = n.model().graph.image_shape();
                               return py::make_tuple(s[0], s[1], s[2]);
                             })
      .def_property_readonly("normalisation",
                             [](const HeldNetwork& n) {
                               const Normalisation& of = n.model().info.normalisation;
                               return std::make_pair(of.mean, of.std_dev);
                             })
      .def_property_readonly("notes", [](const HeldNetwork& n) { return n.model().info.notes; })
      .def("tensors",
           [](const HeldNetwork& n) {
             return torch_tensors(n.model().graph.layout(), n.model().weights);
           })
      .def("with_tensors",
           [](const HeldNetwork& n, const std::map<std::string, py::array_t<float>>& tensors,
              const std::string& label) {
             return n.with(from_torch_tensors(n.model().graph.layout(), tensors), label);
           })
      .def("save", &HeldNetwork::save)
      .def("at", &HeldNetwork::at);
  module.def("read_network", &read_network);
  module.def("new_network", [](const std::string& name, int64_t classes, int64_t image_size,
                               int64_t channels, int64_t width, const std::string& activation,
                               const std::string& shortcut, uint64_t seed,
                               const std::vector<double>& mean, const std::vector<double>& std) {
    require(shortcut == "A" || shortcut == "B", "shortcut is 'A' or 'B', not '", shortcut, "'");
    const ModelSpec spec{.name = name,
                         .shortcut = shortcut[0],
                         .width = width,
                         .classes = classes,
                         .image_size = image_size,
                         .channels = channels,
                         .activation = activation_named(activation)};
    const Normalisation constants{mean, std};
    check(constants);
    return new_network(with_size(spec, 0, width), seed, constants);
  });
  module.def("model_names", &model_names);
  module.def("normalisation", [](const std::string& name) {
    const Normalisation of = normalisation_named(name);
    return std::make_pair(of.mean, of.std_dev);
  });
}

void bind_images(py::module_& module) {
  py::class_<HeldImages>(module, "Images")
      .def_property_readonly("name", &HeldImages::name)
      .def_property_readonly("shape",
                             [](const HeldImages& held) {
                               const Shape& s = HeldImages::find(held.name())->train.images.shape();
                               return py::make_tuple(s[0], s[1], s[2], s[3]);
                             })
      .def_property_readonly(
          "test_images",
          [](const HeldImages& held) { return HeldImages::find(held.name())->test.count(); })
      .def_property_readonly("classes", [](const HeldImages& held) {
        return HeldImages::find(held.name())->train.classes();
      });
  module.def("hold_images", [](const std::map<std::string, py::array>& arrays, int64_t classes,
                               const std::string& label) {
    std::map<std::string, NumpyArray> copies;
    for (const auto& [name, array] : arrays) copies[name] = copied(array);
    const Unlocked unlocked;
    DataSplits splits = data_of_arrays(copies, classes);
    splits.train.name = splits.test.name = label;
    return std::make_unique<HeldImages>(std::make_shared<const DataSplits>(std::move(splits)),
                                        label);
  });
}

/// Returns an array's values: a list of texts, or an array of numpy; of no axes a value alone.
py::object values_of(const NamedArray& array) {
  if (array.type == NamedArray::Type::text) {
    if (array.axes.empty() && array.words.size() == 1) return py::str(array.words.front());
    return py::cast(array.words);
  }
  const std::vector<py::ssize_t> shape(array.shape.begin(), array.shape.end());
  if (shape.empty()) return py::float_(array.numbers.front());
  py::array numbers = numpy_array(array.numbers.data(), shape);
  return array.type == NamedArray::Type::mask ? numbers.attr("astype")("bool")
                                              : py::object(std::move(numbers));
}

void bind_records(py::module_& module) {
  py::class_<Record>(module, "Record")
      .def_readonly("kind", &Record::kind)
      .def_readonly("title", &Record::title)
      .def_readonly("provenance", &Record::provenance)
      .def_readonly("table", &Record::table)
      .def_property_readonly("phrase", [](const Record& r) { return phrase_of(r); })
      .def_property_readonly("names",
                             [](const Record& r) {
                               std::vector<std::string> names;
                               for (const NamedArray& a : r.arrays) names.push_back(a.name);
                               return names;
                             })
      .def("values",
           [](const Record& r, const std::string& name) -> py::object {
             const NamedArray* found = r.find(name);
             if (found == nullptr) throw py::key_error(name);
             return values_of(*found);
           })
      .def("axes", [](const Record& r, const std::string& name) -> std::vector<std::string> {
        const NamedArray* found = r.find(name);
        if (found == nullptr) throw py::key_error(name);
        return found->axes;
      });
  module.def("load_records", &load_records, py::call_guard<Unlocked>());
  module.def("compare_records", [](const Record& a, const Record& b) {
    py::dict all;
    for (const ArrayComparison& c : compare_records(a, b)) {
      const auto summary = [](const ValueSummary& s) {
        return py::make_tuple(s.min, s.max, s.mean);
      };
      py::dict one;
      one["points"] = c.points;
      one["first"] = summary(c.a);
      one["second"] = summary(c.b);
      one["largest_difference"] = c.absolute.value;
      one["largest_relative_difference"] = c.relative.value;
      one["largest_difference_in_errors"] =
          c.errors ? py::object(py::float_(c.errors->value)) : py::object(py::none());
      one["correlation"] = c.correlation;
      all[py::str(c.name)] = one;
    }
    return all;
  });
}

void bind_curvature(py::module_& module) {
  using Vector = py::array_t<float, py::array::c_style | py::array::forcecast>;
  py::class_<CurvatureMatrix>(module, "CurvatureMatrix")
      .def(py::init<const std::vector<std::string>&>())
      .def_property_readonly("size", &CurvatureMatrix::size)
      .def("times",
           [](CurvatureMatrix& matrix, const Vector& v) {
             require(v.size() == matrix.size(), "the vector has ", v.size(),
                     " elements, the matrix ", matrix.size(), " columns");
             py::array_t<float> product(matrix.size());
             const float* from = v.data();
             float* to = product.mutable_data();
             const Unlocked unlocked;
             matrix.multiply(to, from);
             return product;
           })
      .def("gradient", [](CurvatureMatrix& matrix) {
        py::array_t<float> gradient(matrix.size());
        float* to = gradient.mutable_data();
        double loss = 0;
        {
          const Unlocked unlocked;
          loss = matrix.gradient(to);
        }
        return std::make_pair(loss, gradient);
      });
}

void bind_commands(py::module_& module) {
  py::class_<HostedProgress>(module, "Progress")
      .def_readonly("stage", &HostedProgress::stage)
      .def_readonly("done", &HostedProgress::done)
      .def_readonly("total", &HostedProgress::total)
      .def_readonly("detail", &HostedProgress::detail);
  module.def("run", [](const std::vector<std::string>& words, const Watch& watch) {
    const CommandOutcome outcome = run_command(words, watch);
    return std::make_pair(outcome.status, outcome.results);
  });
  py::class_<cli::OptionEntry>(module, "Option")
      .def_readonly("names", &cli::OptionEntry::names)
      .def_readonly("value", &cli::OptionEntry::value)
      .def_readonly("choices", &cli::OptionEntry::choices)
      .def_readonly("default", &cli::OptionEntry::default_text)
      .def_readonly("help", &cli::OptionEntry::help)
      .def_readonly("repeats", &cli::OptionEntry::repeats);
  module.def("stop_all", &stop_all, py::call_guard<Unlocked>());
  module.def("options_of", &options_of);
  module.def("measures_without_test", [] {
    std::vector<std::string> names;
    for (const MeasureKind& kind : measure_kinds())
      if (!kind.name.starts_with("test_") && kind.name != "gap" && kind.name != "non_convex_share")
        names.emplace_back(kind.name);
    return names;
  });
  module.attr("interrupted") = cli::kInterruptedStatus;
  module.def("progress_line", [](const std::string& label, double share, const std::string& detail,
                                 const std::string& left, int columns) {
    return progress_line({label, share, detail, left}, columns);
  });
  module.def("clock_text", &clock_text);
}

}  // namespace

}  // namespace topograd::python

PYBIND11_MODULE(_core, module) {
  using namespace topograd;
  module.attr("version") = version();
  py::register_exception<Error>(module, "Error");
  python::bind_networks(module);
  python::bind_images(module);
  python::bind_records(module);
  python::bind_curvature(module);
  python::bind_functions(module);
  python::bind_commands(module);
}
