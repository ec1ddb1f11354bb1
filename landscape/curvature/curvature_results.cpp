#include "landscape/curvature/curvature_results.h"

#include <type_traits>

#include "kernels/core/atomic_file.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

int64_t size_of(const std::vector<double>& values) {
  return static_cast<int64_t>(values.size());
}

void write_number(Hdf5File& file, const std::string& name, const std::optional<double>& value) {
  if (value) file.write(name, &*value, Shape{});
}

std::optional<double> number_if_there(const Hdf5File& file, const std::string& name) {
  if (!file.has(name)) return std::nullopt;
  return file.read_number(name);
}

/// Reorders rows of theta's length, each tensor in PyTorch's order or back in ours.
template <class Reorder>
Tensor reordered(const Tensor& rows, const ParameterLayout& layout, const Reorder& reorder) {
  const Tensor result(rows.shape());
  for (int64_t row = 0; row < rows.dim(0); ++row)
    for (const ParameterEntry& entry : layout.parameters()) {
      const int64_t at = row * rows.dim(1) + entry.offset;
      reorder(entry, rows.data<float>() + at, result.data<float>() + at);
    }
  return result;
}

void write_eigenvalues(Hdf5File& file, const std::string& name,
                       const std::optional<Eigenvalues>& eigenvalues,
                       const ParameterLayout& layout) {
  if (!eigenvalues) return;
  file.write(name + "/values", eigenvalues->values);
  file.write(name + "/residuals", eigenvalues->residuals);
  if (!eigenvalues->vectors.defined()) return;
  const Tensor vectors = reordered(eigenvalues->vectors, layout, to_torch_order<float>);
  file.write(name + "/vectors", vectors.data<float>(), vectors.shape());
}

std::optional<Eigenvalues> read_eigenvalues(const Hdf5File& file, const std::string& name) {
  if (!file.has(name + "/values")) return std::nullopt;
  Eigenvalues result{file.read<double>(name + "/values"), file.read<double>(name + "/residuals"),
                     Tensor()};
  require(result.residuals.size() == result.values.size(), file.path(), ": ", name,
          " has other residuals than values");
  return result;
}

void read_vectors(const Hdf5File& file, const std::string& name, const ParameterLayout& layout,
                  std::optional<Eigenvalues>& eigenvalues) {
  if (!eigenvalues || !file.has(name + "/vectors")) return;
  const Shape shape{size_of(eigenvalues->values), layout.parameter_count()};
  require(file.shape(name + "/vectors") == shape, file.path(), ": ", name, "/vectors are ",
          file.shape(name + "/vectors"), ", expected ", shape);
  const std::vector<float> values = file.read<float>(name + "/vectors");
  const Tensor rows(shape);
  std::copy(values.begin(), values.end(), rows.data<float>());
  eigenvalues->vectors = reordered(rows, layout, from_torch_order<float>);
}

/// Calls visit(name, value) for every number of the search.
template <class Visit>
void for_each_number(EigenvalueSearch& search, const Visit& visit) {
  const auto visit_integer = [&](const char* name, auto& integer) {
    auto value = static_cast<double>(integer);
    visit(name, value);
    integer = static_cast<std::remove_reference_t<decltype(integer)>>(value);
  };
  visit("search/tolerance", search.tolerance);
  visit_integer("search/basis", search.basis);
  visit_integer("search/max_products", search.max_products);
  visit_integer("search/products", search.products);
  visit_integer("search/converged", search.converged);
}

std::optional<EigenvalueSearch> read_search(const Hdf5File& file) {
  if (!file.has("search/tolerance")) return std::nullopt;
  EigenvalueSearch search;
  for_each_number(search, [&](const char* name, double& value) { value = file.read_number(name); });
  return search;
}

void write_density(Hdf5File& file, const SpectralDensity& density) {
  file.write("density/at", density.at);
  file.write("density/density", density.density);
  file.write("density/standard_error", density.standard_error);
  write_number(file, "density/sigma", density.sigma);
  if (density.steps > 0) write_number(file, "density/steps", density.steps);
  for (size_t k = 0; k < density.probes.size(); ++k) {
    file.write(text("density/probes/", k, "/values"), density.probes[k].values);
    file.write(text("density/probes/", k, "/weights"), density.probes[k].weights);
  }
}

std::optional<SpectralDensity> read_density(const Hdf5File& file) {
  if (!file.has("density/at")) return std::nullopt;
  SpectralDensity density;
  density.sigma = number_if_there(file, "density/sigma").value_or(0);
  density.steps = static_cast<int>(number_if_there(file, "density/steps").value_or(0));
  density.at = file.read<double>("density/at");
  density.density = file.read<double>("density/density");
  density.standard_error = file.read<double>("density/standard_error");
  for (size_t k = 0; file.has(text("density/probes/", k, "/values")); ++k)
    density.probes.push_back({file.read<double>(text("density/probes/", k, "/values")),
                              file.read<double>(text("density/probes/", k, "/weights"))});
  return density;
}

}  // namespace

void CurvatureResults::save(const std::string& path, const ParameterLayout& layout) const {
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    write_number(file, "loss", loss);
    write_number(file, "gradient_norm", gradient_norm);
    write_eigenvalues(file, "largest", largest, layout);
    write_eigenvalues(file, "smallest", smallest, layout);
    if (EigenvalueSearch found; search) {
      found = *search;
      for_each_number(found,
                      [&](const char* name, double value) { write_number(file, name, value); });
    }
    if (trace) {
      write_number(file, "trace/value", trace->value);
      write_number(file, "trace/standard_error", trace->standard_error);
      write_number(file, "trace/products", trace->products);
    }
    if (density) write_density(file, *density);
    for (const auto& [key, value] : provenance) file.set_attribute(key, value);
    file.close();
  });
}

CurvatureResults CurvatureResults::load_values(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  CurvatureResults results;
  results.provenance = file.attributes();
  require(results.provenance.contains("curvature"), path, " is not a file of landscape hessian");
  results.loss = number_if_there(file, "loss");
  results.gradient_norm = number_if_there(file, "gradient_norm");
  results.largest = read_eigenvalues(file, "largest");
  results.smallest = read_eigenvalues(file, "smallest");
  results.search = read_search(file);
  if (const auto value = number_if_there(file, "trace/value"))
    results.trace = {*value, number_if_there(file, "trace/standard_error").value_or(0),
                     static_cast<int>(number_if_there(file, "trace/products").value_or(0))};
  results.density = read_density(file);
  return results;
}

CurvatureResults CurvatureResults::load(const std::string& path, const ParameterLayout& layout) {
  CurvatureResults results = load_values(path);
  const Hdf5File file = Hdf5File::open_read(path);
  read_vectors(file, "largest", layout, results.largest);
  read_vectors(file, "smallest", layout, results.smallest);
  return results;
}

Record CurvatureResults::record() const {
  Record record{"curvature", title_of(provenance), provenance};
  const auto add_eigenvalues = [&](const std::string& end,
                                   const std::optional<Eigenvalues>& found) {
    if (!found) return;
    NamedArray& values = record.add_series(end + "/values", end, found->values);
    values.error = end + "/residuals";
    values.style = NamedArray::Style::points;
    record.add_series(end + "/residuals", end, found->residuals);
  };
  if (loss) record.add_number("loss", *loss);
  if (gradient_norm) record.add_number("gradient_norm", *gradient_norm);
  add_eigenvalues("largest", largest);
  add_eigenvalues("smallest", smallest);
  if (EigenvalueSearch found; search) {
    found = *search;
    for_each_number(found, [&](const char* name, double value) { record.add_number(name, value); });
  }
  if (trace) {
    record.add_number("trace/value", trace->value).error = "trace/standard_error";
    record.add_number("trace/standard_error", trace->standard_error);
    record.add_number("trace/products", trace->products);
  }
  if (!density) return record;
  record.add_number("density/sigma", density->sigma);
  if (density->steps > 0) record.add_number("density/steps", density->steps);
  record.add_series("density/at", "density/at", density->at);
  record.add_series("density/density", "density/at", density->density).error =
      "density/standard_error";
  record.add_series("density/standard_error", "density/at", density->standard_error);
  for (size_t k = 0; k < density->probes.size(); ++k) {
    const std::string probe = text("density/probes/", k);
    record.add_series(probe + "/values", probe + "/values", density->probes[k].values);
    record.add_series(probe + "/weights", probe + "/values", density->probes[k].weights);
  }
  return record;
}

}  // namespace topograd
