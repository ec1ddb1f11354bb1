// The tables of results that are no surfaces.
#include <limits>

#include "landscape/exports/record.h"

namespace topograd {

namespace {

using Type = NamedArray::Type;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

void add_losses(std::vector<NamedArray>& columns, const std::string& prefix,
                const Surface& losses) {
  for (const auto& [name, values] : losses.planes())
    columns.push_back(real_column(prefix + name, values));
  std::vector<double> done;
  for (int64_t e = 0; e < losses.points(); ++e) done.push_back(losses.done(e));
  columns.push_back(real_column(prefix + "done", done));
  columns.back().type = Type::mask;
}

/// Rows of different quantities, one below the other.
class Quantities {
 public:
  void add(const std::string& quantity, double index, double at, double value, double error) {
    quantity_.push_back(quantity);
    index_.push_back(index);
    at_.push_back(at);
    value_.push_back(value);
    error_.push_back(error);
  }
  void add(const std::string& quantity, const std::optional<double>& value) {
    if (value) add(quantity, 0, kUnknown, *value, kUnknown);
  }
  void add(const std::string& quantity, const std::optional<Eigenvalues>& all) {
    for (size_t i = 0; all && i < all->values.size(); ++i)
      add(quantity, static_cast<double>(i), kUnknown, all->values[i], all->residuals[i]);
  }
  std::vector<NamedArray> columns() const {
    return {text_column("quantity", quantity_), real_column("index", index_),
            real_column("at", at_), real_column("value", value_), real_column("error", error_)};
  }

 private:
  std::vector<std::string> quantity_;
  std::vector<double> index_, at_, value_, error_;
};

}  // namespace

std::vector<NamedArray> table_of(const TrajectoryResults& results) {
  std::vector<NamedArray> columns = {real_column("epoch", results.epochs),
                                     real_column("proj_xcoord", results.coordinates.x),
                                     real_column("proj_ycoord", results.coordinates.y),
                                     real_column("length", results.coordinates.length),
                                     real_column("distance", results.coordinates.distance)};
  add_losses(columns, "", results.own);
  add_losses(columns, "projected_", results.projected);
  return columns;
}

std::vector<NamedArray> table_of(const CurvatureResults& results) {
  Quantities rows;
  rows.add("loss", results.loss);
  rows.add("gradient_norm", results.gradient_norm);
  rows.add("largest", results.largest);
  rows.add("smallest", results.smallest);
  if (results.trace)
    rows.add("trace", 0, kUnknown, results.trace->value, results.trace->standard_error);
  if (results.density)
    for (size_t i = 0; i < results.density->at.size(); ++i)
      rows.add("density", static_cast<double>(i), results.density->at[i],
               results.density->density[i], results.density->standard_error[i]);
  return rows.columns();
}

std::vector<NamedArray> table_of(const SharpnessPanel& panel) {
  std::vector<std::string> names, units, settings;
  std::vector<double> values, errors, rescaled, rescaled_errors;
  for (const MeasureKind& kind : measure_kinds()) {
    const Measure* measure = panel.find(kind.name);
    if (!measure) continue;
    names.push_back(measure->name);
    units.emplace_back(kind.unit);
    settings.push_back(measure->settings);
    values.push_back(measure->estimate.value);
    errors.push_back(measure->estimate.standard_error);
    if (!panel.test) continue;
    const Measure* after = SharpnessPanel::find_measure(panel.test->measures, kind.name);
    rescaled.push_back(after ? after->estimate.value : kUnknown);
    rescaled_errors.push_back(after ? after->estimate.standard_error : kUnknown);
  }
  std::vector<NamedArray> columns = {text_column("measure", names), real_column("value", values),
                                     real_column("standard_error", errors),
                                     text_column("unit", units), text_column("settings", settings)};
  if (panel.test) {
    columns.push_back(real_column("rescaled_value", rescaled));
    columns.push_back(real_column("rescaled_standard_error", rescaled_errors));
  }
  return columns;
}

std::vector<NamedArray> table_of(const CoherenceResults& results) {
  std::vector<std::string> names, files;
  std::vector<double> epochs, losses, accuracies;
  for (const CoherenceRow& row : results.rows) {
    names.push_back(row.model_name);
    files.push_back(row.model_file);
    epochs.push_back(row.epoch);
    losses.push_back(row.coherence.loss);
    accuracies.push_back(row.coherence.accuracy);
  }
  std::vector<NamedArray> columns = {text_column("name", names), text_column("file", files),
                                     real_column("epoch", epochs), real_column("loss", losses),
                                     real_column("accuracy", accuracies)};
  for (const auto& [name, member] : kCoherenceQuantities) {
    std::vector<double> values;
    for (const CoherenceRow& row : results.rows) values.push_back(row.coherence.all.*member);
    columns.push_back(real_column(name, values));
  }
  return columns;
}

std::vector<NamedArray> table_of(const ConnectivityResults& results) {
  std::vector<std::string> paths;
  std::vector<double> t, done;
  std::map<std::string, std::vector<double>> values;
  for (const auto& [name, path] : results.paths)
    for (const auto& [quantity, of_path] : path.values) values[quantity];
  for (const auto& [name, path] : results.paths) {
    for (size_t i = 0; i < results.t.size(); ++i) {
      paths.push_back(name);
      t.push_back(results.t[i]);
      done.push_back(path.done[i]);
    }
    for (auto& [quantity, column] : values) {
      const auto found = path.values.find(quantity);
      const bool there = found != path.values.end();
      for (size_t i = 0; i < results.t.size(); ++i)
        column.push_back(there ? found->second[i] : kUnknown);
    }
  }
  std::vector<NamedArray> columns = {text_column("path", paths), real_column("t", t)};
  for (const auto& [quantity, column] : values) columns.push_back(real_column(quantity, column));
  columns.push_back(real_column("done", done));
  columns.back().type = Type::mask;
  return columns;
}

}  // namespace topograd
