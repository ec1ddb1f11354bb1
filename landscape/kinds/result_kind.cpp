#include "landscape/kinds/result_kind.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "kernels/core/check.h"
#include "kernels/core/output_claim.h"
#include "landscape/coherence/coherence_results.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/results/record_json.h"
#include "landscape/results/training_log.h"
#include "landscape/sharpness/sharpness_results.h"
#include "landscape/surface/surface_results.h"
#include "landscape/trajectory/trajectory_results.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

constexpr std::string_view kHdf5Signature = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kPageBegins = "<!doctype html>";
constexpr std::string_view kLogBegins = "epoch,learning_rate,";

bool has(const ResultFile& file, const char* name) {
  return file.hdf5 && file.hdf5->has(name);
}

std::string contents_of(const std::string& path) {
  note_input(path);
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string first_bytes(const std::string& path, size_t count) {
  require(!std::filesystem::is_directory(path), path,
          " is a folder: name a file, of a run's folder log.csv");
  std::ifstream in(path, std::ios::binary);
  require(in.good(), path, " cannot be opened: is its name right?");
  std::string bytes(count, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return bytes;
}

[[noreturn]] void refuse(const std::string& path, const ResultFile& file) {
  require(!file.begin.empty(), path, " is empty");
  require(!path.ends_with(".safetensors"), path,
          " is a network, not a result: landscape surface and its like make results of it");
  require(file.hdf5, path,
          " is neither an HDF5 file, nor a training's log.csv, nor a record in JSON");
  require(!has(file, "xdirection"), path,
          " holds directions, not results: name the surface's file");
  require(!has(file, "proj_xcoord"), path,
          " holds projections of the authors' tool alone: landscape trajectory makes them anew, "
          "with their losses");
  fail(path, " is an HDF5 file, but none that landscape writes");
}

std::string phrase_of_surface(const Record& record) {
  const Provenance& p = record.provenance;
  const bool is_line = record.table.size() == 1;
  if (const std::string quantity = value_of(p, "quantity"); !quantity.empty())
    return "a map of the " + quantity + (is_line ? " along a line" : "");
  if (p.contains("function")) return is_line ? "a function's line" : "a function's surface";
  const auto recipe = json_or_null(value_of(p, "direction_recipe"));
  const auto fact = [&](const char* name) {
    return recipe.is_object() && recipe.contains(name) && recipe.at(name).is_string()
               ? recipe.at(name).get<std::string>()
               : std::string();
  };
  const std::string kind = fact("kind");
  if (is_line)
    return value_of(p, "x_direction").starts_with("towards") ? "a line between networks" : "a line";
  if (kind == "networks") return "a plane through networks";
  if (kind == "eigenvectors") return "a plane of eigenvectors";
  if (kind == "gradient") return "a plane along the gradient";
  if (kind == "principal_components") return "a trajectory's surface";
  return fact("drawn_at").empty() ? "a surface" : "a film's surface";
}

}  // namespace

const std::vector<ResultKind>& result_kinds() {
  using Path = const std::string&;
  using File = const ResultFile&;
  static const std::vector<ResultKind> kinds = {
      {"training_log", "a training's log",  //
       [](File file) { return file.begin.starts_with(kLogBegins); },
       [](Path path) { return record_of(read_training_log(path)); }},
      {"surface", "a surface",  // also lines, and maps of hessian or coherence --over
       [](File file) { return has(file, "xcoordinates"); },
       [](Path path) { return record_of(Surface::load(path)); }},
      {"trajectory", "a trajectory",
       [](File file) { return has(file, "proj_xcoord") && has(file, "projected_done"); },
       [](Path path) { return TrajectoryResults::load(path).record(); }},
      {"curvature", "a curvature", [](File file) { return file.attributes.contains("curvature"); },
       [](Path path) { return CurvatureResults::load_values(path).record(); }},
      {"sharpness", "a panel of sharpness",
       [](File file) {
         return value_of(file.attributes, "format").starts_with("topograd-sharpness");
       },
       [](Path path) { return SharpnessPanel::load(path).record(); }},
      {"coherence", "a coherence of gradients",
       [](File file) { return file.attributes.contains("batches"); },
       [](Path path) { return CoherenceResults::load(path).record(); }},
      {"paths", "paths between networks",
       [](File file) { return file.attributes.contains("to_model_hash") && has(file, "t"); },
       [](Path path) { return ConnectivityResults::load(path).record(); }},
      {"record", "a record",  // JSON, of any kind
       [](File file) { return file.begin.starts_with("{"); },
       [](Path path) { return record_of_json(contents_of(path), path); }},
  };
  return kinds;
}

const ResultKind& kind_of_result(const std::string& path) {
  ResultFile file;
  file.begin = first_bytes(path, kLogBegins.size());
  std::optional<Hdf5File> hdf5;
  if (file.begin.starts_with(kHdf5Signature)) {
    hdf5 = Hdf5File::open_read(path, Hdf5File::Checksum::leave);
    file.hdf5 = &*hdf5;
    file.attributes = hdf5->attributes();
  }
  const auto& kinds = result_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const ResultKind& kind) { return kind.recognises(file); });
  if (found == kinds.end()) refuse(path, file);
  return *found;
}

Record load_record(const std::string& path) {
  Record record = kind_of_result(path).load(path);
  record.file = path;
  return record;
}

std::vector<Record> load_records(const std::string& path) {
  const std::string begin = first_bytes(path, kPageBegins.size());
  if (begin == kPageBegins) return records_of_page(contents_of(path), path);
  if (begin.starts_with("[")) return records_of_json(contents_of(path), path);
  return {load_record(path)};
}

std::string phrase_of(const std::string& kind) {
  for (const ResultKind& known : result_kinds())
    if (known.name == kind) return known.phrase;
  return text("a result of the kind '", kind, "'");
}

std::string phrase_of(const Record& record) {
  return record.kind == "surface" ? phrase_of_surface(record) : phrase_of(record.kind);
}

}  // namespace topograd
