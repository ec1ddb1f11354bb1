// The trajectory's file.
#include "landscape/trajectory/trajectory_results.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/core/check.h"
#include "landscape/results/hdf5_file.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

TrajectoryResults some_results() {
  TrajectoryResults results({0, 5, 10});
  results.coordinates = {{-3, -1, 0}, {0.5, 2, 0}, {1, 0.25, 0}, {3.2, 2.3, 0}};
  results.explained = {0.75, 0.25};
  results.random_walk = {0.8, 0.2};
  results.in_plane = 0.9;
  results.provenance["loss"] = "cross_entropy";
  for (Surface* losses : {&results.own, &results.projected}) losses->add_plane("train_loss");
  return results;
}

}  // namespace

TEST_CASE("trajectory file: losses come back with what is still to do") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.h5");
  TrajectoryResults results = some_results();
  results.own.add_plane("train_loss") = {2, std::numeric_limits<double>::infinity(), 0.5};
  for (int64_t e : {0, 1}) results.own.mark_done(e);
  results.projected.add_plane("train_loss")[2] = std::numeric_limits<double>::quiet_NaN();
  results.projected.mark_done(2);
  results.save(path);
  TrajectoryResults again = some_results();
  again.take_losses(path);
  CHECK(again.own.plane("train_loss")[0] == 2);
  CHECK(std::isinf(again.own.plane("train_loss")[1]));
  CHECK(again.own.done(1));
  CHECK(!again.own.done(2));
  CHECK(!again.projected.done(0));
  CHECK(again.projected.done(2));
  CHECK(TrajectoryResults::read_provenance(path).at("loss") == "cross_entropy");
  const Hdf5File file = Hdf5File::open_read(path);
  CHECK(file.read<double>("proj_xcoord") == results.coordinates.x);
  CHECK(file.read<double>("proj_ycoord") == results.coordinates.y);
  CHECK(file.read<double>("distance") == results.coordinates.distance);
  CHECK(file.read<double>("length") == results.coordinates.length);
  CHECK(file.read<double>("epoch") == results.epochs);
  CHECK(file.read<double>("explained_variance_ratio_") == results.explained);
  CHECK(file.read<double>("random_walk_variance_ratio") == results.random_walk);
  CHECK(file.read<double>("variance_in_plane").at(0) == 0.9);
}

TEST_CASE("trajectory file: read without knowing what it holds, it is written again to the byte") {
  const TemporaryFolder folder;
  TrajectoryResults results = some_results();
  results.projected.add_plane("train_loss") = {3, 2, 1};
  results.projected.mark_done(1);
  results.save(folder.file("t.h5"));
  TrajectoryResults::load(folder.file("t.h5")).save(folder.file("again.h5"));
  CHECK(folder.read("again.h5") == folder.read("t.h5"));
}

TEST_CASE("trajectory file: others are refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.h5");
  some_results().save(path);
  TrajectoryResults longer({0, 1, 2, 3});
  longer.own.add_plane("train_loss");
  CHECK_THROWS_AS(longer.take_losses(path), Error);
  TrajectoryResults other = some_results();
  other.own.add_plane("test_loss");
  CHECK_THROWS_AS(other.take_losses(path), Error);
  Surface({0, 1}).save(path);
  CHECK_THROWS_AS(TrajectoryResults::read_provenance(path), Error);
}
