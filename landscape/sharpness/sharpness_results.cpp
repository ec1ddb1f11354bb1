#include "landscape/sharpness/sharpness_results.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/atomic_file.h"
#include "kernels/core/numbers.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

constexpr const char* kFormat = "topograd-sharpness-1";
constexpr const char* kRescaled = "rescaled";

void write_measures(Hdf5File& file, const std::string& group,
                    const std::vector<Measure>& measures) {
  for (const Measure& measure : measures) {
    const std::string name = group + measure.name;
    file.write(name + "/value", &measure.estimate.value, Shape{});
    file.write(name + "/standard_error", &measure.estimate.standard_error, Shape{});
    if (!std::isnan(measure.estimate.low)) {
      file.write(name + "/low", &measure.estimate.low, Shape{});
      file.write(name + "/high", &measure.estimate.high, Shape{});
    }
    file.write_text(name + "/unit", std::string(measure_kind(measure.name).unit));
    file.write_text(name + "/settings", measure.settings);
  }
}

double number_or_nan(const Hdf5File& file, const std::string& name) {
  return file.has(name) ? file.read_number(name) : kNaN;
}

std::vector<Measure> read_measures(const Hdf5File& file, const std::string& group) {
  std::vector<Measure> measures;
  for (const MeasureKind& kind : measure_kinds()) {
    const std::string name = group + std::string(kind.name);
    if (!file.has(name + "/value")) continue;
    measures.push_back(
        {std::string(kind.name),
         {file.read_number(name + "/value"), file.read_number(name + "/standard_error"),
          number_or_nan(file, name + "/low"), number_or_nan(file, name + "/high")},
         file.read_text(name + "/settings")});
  }
  return measures;
}

void write_test(Hdf5File& file, const ReparametrisationTest& test) {
  const std::string group = std::string(kRescaled) + "/";
  file.write_text(group + "description", test.description);
  file.write_text(group + "slice_seed", text(test.slice_seed));
  file.write(group + "largest_logit", &test.largest_logit, Shape{});
  file.write(group + "largest_logit_difference", &test.largest_difference, Shape{});
  write_measures(file, group, test.measures);
  for (const RescaledSlice& slice : test.slices) {
    const std::string name = group + "slices/" + slice.name;
    file.write(name + "/alpha", slice.alpha);
    file.write(name + "/before", slice.before);
    file.write(name + "/after", slice.after);
  }
}

/// Returns a seed; 0 where the file, of an older version, has none.
uint64_t seed_in(const Hdf5File& file, const std::string& name) {
  return file.has(name) ? std::strtoull(file.read_text(name).c_str(), nullptr, 10) : 0;
}

std::optional<ReparametrisationTest> read_test(const Hdf5File& file) {
  const std::string group = std::string(kRescaled) + "/";
  if (!file.has(group + "description")) return std::nullopt;
  ReparametrisationTest test{file.read_text(group + "description"),
                             file.read_number(group + "largest_logit"),
                             file.read_number(group + "largest_logit_difference"),
                             read_measures(file, group),
                             {},
                             seed_in(file, group + "slice_seed")};
  for (const char* kind : {"filter", "plain"}) {
    const std::string name = group + "slices/" + kind;
    if (!file.has(name + "/alpha")) continue;
    test.slices.push_back({kind, file.read<double>(name + "/alpha"),
                           file.read<double>(name + "/before"),
                           file.read<double>(name + "/after")});
    const RescaledSlice& slice = test.slices.back();
    require(slice.before.size() == slice.alpha.size() && slice.after.size() == slice.alpha.size(),
            file.path(), ": ", name, " has other losses than positions");
  }
  return test;
}

void add_test(Record& record, const ReparametrisationTest& test) {
  const std::string group = std::string(kRescaled) + "/";
  record.add_text(group + "description", test.description);
  record.add_number(group + "largest_logit", test.largest_logit);
  record.add_number(group + "largest_logit_difference", test.largest_difference);
  for (const RescaledSlice& slice : test.slices) {
    const std::string name = group + "slices/" + slice.name, axis = name + "/alpha";
    record.add_series(axis, axis, slice.alpha);
    record.add_series(name + "/before", axis, slice.before);
    record.add_series(name + "/after", axis, slice.after).style = NamedArray::Style::dashed;
  }
}

}  // namespace

const std::vector<MeasureKind>& measure_kinds() {
  static const std::vector<MeasureKind> kinds = {
      {"loss", "loss", "mean loss over the images", true},
      {"error", "%", "images classified wrongly", true},
      {"test_loss", "loss", "mean loss over test images", true},
      {"test_error", "%", "test images classified wrongly", true},
      {"gap", "%", "test_error - error", true},
      {"gradient_norm", "1/|theta|", "length of the gradient of the mean loss", false},
      {"keskar", "%", "100 (max L - L) / (1 + L) in the box |y_i| <= epsilon (|theta_i| + 1)",
       false},
      {"sam", "loss", "L(theta + rho g/|g|) - L(theta)", false},
      {"asam", "loss", "the same in units of |theta_i|: adaptive SAM", true},
      {"expected_sharpness", "loss",
       "mean of L(theta + sigma d) - L(theta), d random, filter-normalised", true},
      {"pac_bayes_sigma", "|theta|",
       "largest sigma whose normal noise raises the error (or loss) by no more than the target",
       false},
      {"pac_bayes_sigma_magnitude", "1",
       "the same with noise sigma |theta_i| for every parameter: magnitude-aware", true},
      {"critical_sharpness", "1/|theta|^2",
       "2 / the smallest step along the negative gradient that raises the loss", false},
      {"mean_curvature", "loss", "mean of d'Hd, d random, filter-normalised", true},
      {"basin_width", "1",
       "width in alpha of L(theta + alpha d) <= L(theta) + rise, d random, filter-normalised",
       true},
      {"lambda_max", "1/|theta|^2", "largest eigenvalue of the Hessian", false},
      {"trace", "1/|theta|^2", "trace of the Hessian", false},
      {"non_convex_share", "1",
       "share of a surface's points where the plane's Hessian has an eigenvalue below 0", true},
  };
  return kinds;
}

const MeasureKind& measure_kind(std::string_view name) {
  std::string list;
  for (const MeasureKind& kind : measure_kinds()) {
    if (kind.name == name) return kind;
    list += (list.empty() ? "" : ", ") + std::string(kind.name);
  }
  fail("unknown measure '", name, "': choose of ", list);
}

double RescaledSlice::largest_difference() const {
  double largest = 0;
  for (size_t i = 0; i < alpha.size(); ++i) {
    const double difference = std::abs(after[i] - before[i]);
    if (!(difference <= largest)) largest = difference;
    if (std::isnan(largest)) break;
  }
  return largest;
}

const Measure* SharpnessPanel::find_measure(const std::vector<Measure>& measures,
                                            std::string_view name) {
  const auto found = std::find_if(measures.begin(), measures.end(),
                                  [&](const Measure& measure) { return measure.name == name; });
  return found == measures.end() ? nullptr : &*found;
}

void SharpnessPanel::put(std::vector<Measure>& measures, const Measure& measure) {
  std::erase_if(measures, [&](const Measure& other) { return other.name == measure.name; });
  measures.push_back(measure);
}

void SharpnessPanel::save(const std::string& path) const {
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    std::vector<Measure> ordered;
    for (const MeasureKind& kind : measure_kinds())
      if (const Measure* measure = find(kind.name)) ordered.push_back(*measure);
    write_measures(file, "", ordered);
    if (test) write_test(file, *test);
    for (const auto& [key, value] : provenance) file.set_attribute(key, value);
    file.set_attribute("format", std::string(kFormat));
    file.close();
  });
}

SharpnessPanel SharpnessPanel::load(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  SharpnessPanel panel;
  panel.provenance = file.attributes();
  require(panel.provenance["format"] == kFormat, path, " is not a file of landscape sharpness");
  panel.provenance.erase("format");  // the file's own, which save() writes
  panel.measures = read_measures(file, "");
  panel.test = read_test(file);
  return panel;
}

bool SharpnessPanel::is_panel(const std::string& path) {
  try {
    const auto attributes = Hdf5File::open_read(path, Hdf5File::Checksum::leave).attributes();
    const auto format = attributes.find("format");
    return format != attributes.end() && format->second == kFormat;
  } catch (const Error&) {
    return false;  // whoever reads it as something else will say what is wrong
  }
}

Record SharpnessPanel::record() const {
  Record record{"sharpness", title_of(provenance), provenance, {"measure"}};
  std::vector<std::string> names, units, settings, definitions;
  std::vector<double> values, errors, lows, highs, rescaled, rescaled_errors;
  for (const MeasureKind& kind : measure_kinds()) {
    const Measure* measure = find(kind.name);
    if (!measure) continue;
    names.push_back(measure->name);
    units.emplace_back(kind.unit);
    settings.push_back(measure->settings);
    definitions.emplace_back(kind.definition);
    values.push_back(measure->estimate.value);
    errors.push_back(measure->estimate.standard_error);
    lows.push_back(measure->estimate.low);
    highs.push_back(measure->estimate.high);
    const Measure* after = test ? find_measure(test->measures, kind.name) : nullptr;
    rescaled.push_back(after ? after->estimate.value : kNaN);
    rescaled_errors.push_back(after ? after->estimate.standard_error : kNaN);
  }
  record.add_words("measure", "measure", names);
  record.add_series("value", "measure", values).error = "standard_error";
  record.add_series("standard_error", "measure", errors);
  record.add_series("low", "measure", lows);
  record.add_series("high", "measure", highs);
  record.add_words("unit", "measure", units);
  record.add_words("settings", "measure", settings);
  if (test) {
    record.add_series("rescaled_value", "measure", rescaled).error = "rescaled_standard_error";
    record.add_series("rescaled_standard_error", "measure", rescaled_errors);
  }
  record.add_words("definition", "measure", definitions);
  if (test) add_test(record, *test);
  return record;
}

}  // namespace topograd
