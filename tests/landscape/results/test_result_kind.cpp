// What a file holds, told from its contents.
#include "landscape/kinds/result_kind.h"

#include <doctest/doctest.h>

#include "landscape/coherence/coherence_results.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/sharpness/sharpness_results.h"
#include "landscape/trajectory/trajectory_results.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("kind of a result: every program's file is known, whatever its name") {
  const TemporaryFolder folder;
  const std::string path = folder.file("anything");
  const auto kind = [&] { return kind_of_result(path).name; };
  Surface({0, 1}, {0, 1, 2}).save(path);
  CHECK(kind() == "surface");
  TrajectoryResults trajectory({0, 1});
  trajectory.coordinates.x = {-1, 0};
  trajectory.save(path);
  CHECK(kind() == "trajectory");
  CurvatureResults curvature;
  curvature.provenance["curvature"] = "hessian";
  curvature.save(path, ParameterLayout());
  CHECK(kind() == "curvature");
  SharpnessPanel().save(path);
  CHECK(kind() == "sharpness");
  CoherenceResults coherence;
  coherence.provenance["batches"] = "32";
  coherence.save(path);
  CHECK(kind() == "coherence");
  ConnectivityResults paths;
  paths.t = {0, 0.5, 1};
  paths.provenance["to_model_hash"] = "1";
  paths.save(path);
  CHECK(kind() == "paths");
  folder.write("anything", "epoch,learning_rate,train_loss\n");
  CHECK(kind() == "training_log");
  folder.write("anything", "{\"format\":\"topograd-record-1\",\"kind\":\"gap\",\"arrays\":{}}");
  CHECK(kind() == "record");
  CHECK(load_record(path).kind == "gap");
}

TEST_CASE("kind of a result: what is none is refused with a reason") {
  const TemporaryFolder folder;
  const std::string path = folder.file("file");
  const auto error = [&] { return error_of([&] { kind_of_result(path); }); };
  CHECK(error() == path + " cannot be opened: is its name right?");
  folder.write("file", "");
  CHECK(error() == path + " is empty");
  folder.write("file", "surface");
  CHECK(error() ==
        path + " is neither an HDF5 file, nor a training's log.csv, nor a record in JSON");
  Hdf5File directions = Hdf5File::create(path);
  const float one = 1;
  directions.write("xdirection/0", &one, {1});
  directions.close();
  CHECK(error().find("holds directions") != std::string::npos);
  Surface({0, 1}).save(path);
  const std::string whole = folder.read("file");
  folder.write("file", whole.substr(0, whole.size() / 2));
  CHECK(error().find(path) != std::string::npos);
  CHECK(error_of([&] { kind_of_result(folder.path()); }).find("is a folder") != std::string::npos);
}
