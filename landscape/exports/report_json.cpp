#include "landscape/exports/report_json.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "kernels/core/check.h"
#include "landscape/coherence/coherence_results.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/figures/markup.h"
#include "landscape/results/result_kind.h"
#include "landscape/results/training_log.h"
#include "landscape/sharpness/sharpness_results.h"
#include "landscape/surface/surface.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "planes are written as they lie");

Json number(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
  return value;
}

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (double value : values) list.push_back(number(value));
  return list;
}

Json optional_number(const std::optional<double>& value) {
  return value ? number(*value) : Json();
}

std::string plane(const std::vector<double>& values) {
  const std::vector<float> rounded(values.begin(), values.end());
  return base64({reinterpret_cast<const char*>(rounded.data()), rounded.size() * sizeof(float)});
}

Json done_mask(const Surface& surface) {
  if (surface.done_count() == surface.points()) return nullptr;
  std::string mask;
  for (int64_t i = 0; i < surface.points(); ++i) mask += surface.done(i) ? '\1' : '\0';
  return base64(mask);
}

void add_surface(Json& json, const std::string& path) {
  const Surface surface = Surface::load(path);
  json["provenance"] = surface.provenance;
  json["x"] = numbers(surface.x());
  json["y"] = numbers(surface.y());
  json["done"] = done_mask(surface);
  json["planes"] = Json::object();
  for (const auto& [name, values] : surface.planes()) json["planes"][name] = plane(values);
}

Json lists(const std::map<std::string, std::vector<double>>& by_name) {
  Json json = Json::object();
  for (const auto& [name, values] : by_name) json[name] = numbers(values);
  return json;
}

void add_trajectory(Json& json, const std::string& path) {
  const TrajectoryResults results = TrajectoryResults::load(path);
  json["provenance"] = results.provenance;
  json["epochs"] = numbers(results.epochs);
  json["x"] = numbers(results.coordinates.x);
  json["y"] = numbers(results.coordinates.y);
  json["length"] = numbers(results.coordinates.length);
  json["distance"] = numbers(results.coordinates.distance);
  json["in_plane"] = number(results.in_plane);
  json["explained"] = numbers(results.explained);
  json["random_walk"] = numbers(results.random_walk);
  json["own"] = lists(results.own.planes());
  json["projected"] = lists(results.projected.planes());
}

Json eigenvalues(const std::optional<Eigenvalues>& found) {
  if (!found) return nullptr;
  return {{"values", numbers(found->values)}, {"residuals", numbers(found->residuals)}};
}

void add_curvature(Json& json, const std::string& path) {
  const CurvatureResults results = CurvatureResults::load_values(path);
  json["provenance"] = results.provenance;
  json["loss"] = optional_number(results.loss);
  json["gradient_norm"] = optional_number(results.gradient_norm);
  json["largest"] = eigenvalues(results.largest);
  json["smallest"] = eigenvalues(results.smallest);
  json["trace"] = nullptr;
  if (const auto& trace = results.trace)
    json["trace"] = {{"value", number(trace->value)},
                     {"standard_error", number(trace->standard_error)},
                     {"products", trace->products}};
  json["density"] = nullptr;
  if (const auto& density = results.density)
    json["density"] = {{"sigma", number(density->sigma)},
                       {"at", numbers(density->at)},
                       {"density", numbers(density->density)},
                       {"standard_error", numbers(density->standard_error)}};
}

Json measures_of(const std::vector<Measure>& measures) {
  Json list = Json::array();
  for (const MeasureKind& kind : measure_kinds())
    if (const Measure* measure = SharpnessPanel::find_measure(measures, kind.name))
      list.push_back({{"name", kind.name},
                      {"unit", kind.unit},
                      {"definition", kind.definition},
                      {"value", number(measure->estimate.value)},
                      {"standard_error", number(measure->estimate.standard_error)},
                      {"settings", measure->settings}});
  return list;
}

void add_sharpness(Json& json, const std::string& path) {
  const SharpnessPanel panel = SharpnessPanel::load(path);
  json["provenance"] = panel.provenance;
  json["measures"] = measures_of(panel.measures);
  json["rescaled"] = nullptr;
  if (!panel.test) return;
  Json slices = Json::array();
  for (const RescaledSlice& slice : panel.test->slices)
    slices.push_back({{"name", slice.name},
                      {"alpha", numbers(slice.alpha)},
                      {"before", numbers(slice.before)},
                      {"after", numbers(slice.after)}});
  json["rescaled"] = {{"description", panel.test->description},
                      {"largest_logit", number(panel.test->largest_logit)},
                      {"largest_logit_difference", number(panel.test->largest_difference)},
                      {"measures", measures_of(panel.test->measures)},
                      {"slices", slices}};
}

Json coherence_row(const CoherenceRow& row) {
  Json json = {{"name", row.model_name}, {"file", row.model_file}, {"epoch", number(row.epoch)}};
  json["values"] = {{"loss", number(row.coherence.loss)},
                    {"accuracy", number(row.coherence.accuracy)}};
  json["layers"] = row.layers;
  json["layer_values"] = Json::object();
  for (const auto& [name, member] : kCoherenceQuantities) {
    json["values"][name] = number(row.coherence.all.*member);
    Json& list = json["layer_values"][name] = Json::array();
    for (const CoherenceStatistics& layer : row.coherence.layers)
      list.push_back(number(layer.*member));
  }
  return json;
}

void add_coherence(Json& json, const std::string& path) {
  const CoherenceResults results = CoherenceResults::load(path);
  json["provenance"] = results.provenance;
  json["quantities"] = {"loss", "accuracy"};
  for (const auto& [name, member] : kCoherenceQuantities) json["quantities"].push_back(name);
  json["rows"] = Json::array();
  for (const CoherenceRow& row : results.rows) json["rows"].push_back(coherence_row(row));
}

/// Of every loss and accuracy of a complete path.
Json barriers_of(const std::vector<double>& t, const PathValues& path) {
  Json json = Json::object();
  if (!path.complete()) return json;
  for (const auto& [name, values] : path.values) {
    if (!name.ends_with("_loss") && !name.ends_with("_acc")) continue;
    const auto barrier = barrier_of(t, path, name);
    json[name] = {{"height", number(barrier.height)}, {"at", number(barrier.at)}};
  }
  return json;
}

void add_paths(Json& json, const std::string& path) {
  const ConnectivityResults results = ConnectivityResults::load(path);
  json["provenance"] = results.provenance;
  json["t"] = numbers(results.t);
  json["paths"] = Json::object();
  for (const auto& [name, values] : results.paths)
    json["paths"][name] = {{"values", lists(values.values)},
                           {"barriers", barriers_of(results.t, values)}};
  json["alignment"] = Json::object();
  for (const auto& [name, value] : results.alignment) json["alignment"][name] = number(value);
}

void add_training_log(Json& json, const std::string& path) {
  json["provenance"] = Json::object();
  Json& columns = json["columns"] = Json::object();
  for (const EpochReport& row : read_training_log(path)) {
    columns["epoch"].push_back(row.epoch);
    columns["learning_rate"].push_back(number(row.learning_rate));
    columns["train_loss"].push_back(number(row.train_loss));
    columns["train_accuracy"].push_back(number(row.train_accuracy));
    columns["test_loss"].push_back(number(row.test_loss));
    columns["test_accuracy"].push_back(number(row.test_accuracy));
    columns["images_per_second"].push_back(number(row.images_per_second));
    columns["seconds"].push_back(number(row.seconds));
    columns["gradient_norm"].push_back(number(row.gradient_norm));
    columns["weight_norm"].push_back(number(row.weight_norm));
  }
}

struct Reader {
  ResultKind kind;
  const char* name;
  void (*add)(Json&, const std::string&);
};

constexpr Reader kReaders[] = {
    {ResultKind::surface, "surface", add_surface},
    {ResultKind::trajectory, "trajectory", add_trajectory},
    {ResultKind::curvature, "curvature", add_curvature},
    {ResultKind::sharpness, "sharpness", add_sharpness},
    {ResultKind::coherence, "coherence", add_coherence},
    {ResultKind::paths, "paths", add_paths},
    {ResultKind::training_log, "training_log", add_training_log},
};

}  // namespace

Json report_result(const std::string& path) {
  const ResultKind kind = kind_of_result(path);
  for (const Reader& reader : kReaders) {
    if (reader.kind != kind) continue;
    Json json = {{"kind", reader.name}, {"file", path}};
    reader.add(json, path);
    return json;
  }
  fail(path, " is ", name_of(kind), ", which a report cannot show");
}

}  // namespace topograd
