#include "landscape/exports/export_source.h"

#include "landscape/results/training_log.h"

namespace topograd {

namespace {

Record record_of_log(const std::string& path) {
  constexpr std::pair<const char*, double EpochReport::*> kColumns[] = {
      {"learning_rate", &EpochReport::learning_rate},
      {"train_loss", &EpochReport::train_loss},
      {"train_accuracy", &EpochReport::train_accuracy},
      {"test_loss", &EpochReport::test_loss},
      {"test_accuracy", &EpochReport::test_accuracy},
      {"images_per_second", &EpochReport::images_per_second},
      {"seconds", &EpochReport::seconds},
      {"gradient_norm", &EpochReport::gradient_norm},
      {"weight_norm", &EpochReport::weight_norm}};
  const std::vector<EpochReport> epochs = read_training_log(path);
  std::vector<double> numbers;
  for (const EpochReport& epoch : epochs) numbers.push_back(static_cast<double>(epoch.epoch));
  Record record;
  record.arrays.push_back(real_column("epoch", numbers));
  for (const auto& [name, member] : kColumns) {
    std::vector<double> values;
    for (const EpochReport& epoch : epochs) values.push_back(epoch.*member);
    record.arrays.push_back(real_column(name, values));
  }
  return record;
}

void read_surface(ExportSource& source) {
  source.surface = Surface::load(source.path);
  source.extent = source.surface->is_line() ? Extent::line : Extent::grid;
  source.record = record_of(*source.surface);
}

void read_trajectory(ExportSource& source) {
  source.trajectory = TrajectoryResults::load(source.path);
  source.record = record_of_hdf5(source.path);
  source.record.columns = table_of(*source.trajectory);
}

template <class Results>
void read_results(ExportSource& source, const Results& results) {
  source.record = record_of_hdf5(source.path);
  source.record.columns = table_of(results);
}

/// "surface", "training_log": what files call it.
const char* kind_name(ResultKind kind) {
  switch (kind) {
    case ResultKind::surface:
      return "surface";
    case ResultKind::trajectory:
      return "trajectory";
    case ResultKind::curvature:
      return "curvature";
    case ResultKind::sharpness:
      return "sharpness";
    case ResultKind::coherence:
      return "coherence";
    case ResultKind::paths:
      return "paths";
    case ResultKind::training_log:
      return "training_log";
  }
  fail("no such kind of result");
}

}  // namespace

ExportSource read_export_source(const std::string& path) {
  ExportSource source{path, kind_of_result(path), Extent::other, {}, {}, {}};
  switch (source.kind) {
    case ResultKind::surface:
      read_surface(source);
      break;
    case ResultKind::trajectory:
      read_trajectory(source);
      break;
    case ResultKind::curvature:
      read_results(source, CurvatureResults::load_values(path));
      break;
    case ResultKind::sharpness:
      read_results(source, SharpnessPanel::load(path));
      break;
    case ResultKind::coherence:
      read_results(source, CoherenceResults::load(path));
      break;
    case ResultKind::paths:
      read_results(source, ConnectivityResults::load(path));
      break;
    case ResultKind::training_log:
      source.record = record_of_log(path);
      break;
  }
  source.record.kind = kind_name(source.kind);
  return source;
}

}  // namespace topograd
