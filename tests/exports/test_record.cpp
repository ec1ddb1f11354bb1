// The record of every kind of result, as a table; which format fits which; and a kind that is known
// nowhere.
#include "landscape/results/record.h"

#include "landscape/coherence/coherence_results.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/exports/csv.h"
#include "landscape/exports/format.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/sharpness/sharpness_results.h"
#include "landscape/surface/surface_results.h"
#include "landscape/trajectory/trajectory_results.h"
#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("record: a curvature's arrays without eigenvectors, its table a row a number") {
  const TemporaryFolder folder;
  CurvatureResults results;
  results.provenance = {{"curvature", "hessian"}};
  results.loss = 0.5;
  results.largest = Eigenvalues{{3, 2}, {0.01, 0.02}, {}};
  results.trace = TraceEstimate{7, 0.5, 30};
  results.density = SpectralDensity{0.1, {-1, 1}, {0.25, 0.75}, {0, kNan}, {{{4}, {1}}}};
  CHECK(csv_of(results.record()) ==
        "quantity,index,at,value,error\nloss,0,,0.5,\nlargest/values,0,,3,0.01\n"
        "largest/values,1,,2,0.02\ntrace/value,0,,7,0.5\ntrace/products,0,,30,\n"
        "density/sigma,0,,0.1,\ndensity/density,0,-1,0.25,0\ndensity/density,1,1,0.75,\n"
        "density/probes/0/weights,0,4,1,\n");
  results.largest->vectors = Tensor();
  results.save(folder.file("h.h5"), ParameterLayout());
  const Record record = load_record(folder.file("h.h5"));
  CHECK(record.kind == "curvature");
  CHECK(record.file == folder.file("h.h5"));
  CHECK(record.provenance.at("curvature") == "hessian");
  REQUIRE(record.find("largest/values"));
  CHECK(record.find("largest/values")->numbers == std::vector<double>{3, 2});
  CHECK(record.find("largest/values")->error == "largest/residuals");
  CHECK(record.find("loss")->shape == Shape{});
  CHECK(record.find("density/probes/0/values"));
  CHECK_FALSE(record.find("largest/vectors"));
}

TEST_CASE("record: a panel of sharpness") {
  SharpnessPanel panel;
  panel.measures = {{"trace", {5, 0.25}, "10 products"},
                    {"sam", {0.125, kNan}, "rho 0.05, 1 step"}};
  const std::string csv = csv_of(panel.record());
  CHECK(csv.starts_with("measure,value,standard_error,low,high,unit,settings,definition\n"));
  CHECK(csv.find("\nsam,0.125,,") != std::string::npos);
  CHECK(csv.find(",\"rho 0.05, 1 step\",") != std::string::npos);
  panel.test = ReparametrisationTest{
      "all", 1, 0, {{"trace", {6, 0.5}, ""}}, {{"plain", {-1, 1}, {2, 3}, {4, 5}}}};
  const TemporaryFolder folder;
  panel.save(folder.file("p.h5"));
  const Record record = load_record(folder.file("p.h5"));
  CHECK(csv_of(record).find(",10 products,6,0.5,") != std::string::npos);
  CHECK(record.find("rescaled/description")->words == std::vector<std::string>{"all"});
  CHECK(record.numbers("rescaled/slices/plain/after") == std::vector<double>{4, 5});
  CHECK(record.find("rescaled/slices/plain/after")->axes ==
        std::vector<std::string>{"rescaled/slices/plain/alpha"});
}

TEST_CASE("record: coherence, a row a network") {
  CoherenceResults results;
  CoherenceRow& row = results.rows.emplace_back();
  row.model_name = "resnet8 (option B, width 4)";
  row.model_file = "a.safetensors";
  row.epoch = 3;
  row.coherence.loss = 0.5;
  row.coherence.accuracy = 90;
  row.coherence.all.noise_scale = kInfinity;
  const auto lines = lines_of(csv_of(results.record()));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] ==
        "name,file,epoch,loss,accuracy,gradient_norm,batch_gradient_norm,cosine,"
        "cosine_se,cosine_min,inner_product_min,snr,snr_se,noise_scale,model_hash,data_hash");
  CHECK(lines[1] == "\"resnet8 (option B, width 4)\",a.safetensors,3,0.5,90,0,0,0,0,0,0,0,0,inf,,");
}

TEST_CASE("record: paths, a row a point, with the barriers of those that are complete") {
  ConnectivityResults results;
  results.t = {0, 1};
  PathValues path(2, {"train"});
  path.done = {1, 0};
  path.values["train_loss"][0] = 2;
  results.paths["line/none"] = path;
  path.done = {1, 1};
  path.values = {{"test_loss", {4, 5}}};
  results.paths["curve/none"] = path;
  const Record record = results.record();
  CHECK(csv_of(record) ==
        "t,paths/curve/none/test_loss,paths/curve/none/done,paths/line/none/train_acc,"
        "paths/line/none/train_loss,paths/line/none/train_loss_se,paths/line/none/done\n"
        "0,4,1,,2,,1\n1,5,1,,,,0\n");
  CHECK(record.number("paths/curve/none/test_loss_barrier") == 0);
  CHECK_FALSE(record.find("paths/line/none/train_loss_barrier"));
  CHECK(record.find("paths/line/none/train_loss")->mask == "paths/line/none/done");
}

TEST_CASE("record: a trajectory, a row a checkpoint") {
  TrajectoryResults results({0, 1});
  results.coordinates = {.x = {3, 0}, .y = {4, 0}, .distance = {1, 0}, .length = {5, 0}};
  results.own.add_plane("train_loss") = {2, 1};
  results.projected.add_plane("train_loss") = {kNan, 1};
  results.own.mark_done(0);
  results.projected.mark_done(1);
  CHECK(csv_of(results.record()) ==
        "epoch,proj_xcoord,proj_ycoord,length,distance,train_loss,done,projected_train_loss,"
        "projected_done\n0,3,4,5,1,2,1,,0\n1,0,0,0,0,1,0,1,1\n");
}

TEST_CASE("record: surfaces and trajectories come back from theirs") {
  const Surface surface = with_holes();
  const Surface back = surface_of(record_of(surface));
  CHECK(back.same_points(surface));
  for (const auto& [name, values] : surface.planes()) CHECK(same_bits(back.plane(name), values));
  CHECK(back.done_count() == surface.done_count());
  CHECK_FALSE(back.done(9));
  CHECK(back.provenance == surface.provenance);
  CHECK(back.dir_file == "directions.h5");
  TrajectoryResults results({0, 1});
  results.coordinates = {.x = {3, 0}, .y = {4, 0}, .distance = {1, 0}, .length = {5, 0}};
  results.own.add_plane("train_loss") = {2, 1};
  results.projected.add_plane("train_loss") = {kNan, 1};
  results.projected.mark_done(1);
  results.in_plane = 0.75;
  results.explained = {0.5, 0.25};
  results.random_walk = {0.6, 0.1};
  const TrajectoryResults again = trajectory_of(results.record());
  CHECK(again.coordinates.distance == results.coordinates.distance);
  CHECK(again.own.plane("train_loss") == results.own.plane("train_loss"));
  CHECK(same_bits(again.projected.plane("train_loss"), results.projected.plane("train_loss")));
  CHECK(again.projected.done(1));
  CHECK_FALSE(again.own.done(1));
  CHECK(again.random_walk == results.random_walk);
  CHECK(again.in_plane == 0.75);
}

TEST_CASE("record: what does not fit together is refused") {
  Record record{"gap", ""};
  record.add_series("at", "at", {0, 1});
  const auto error = [&](NamedArray array) { return error_of([&] { record.add(array); }); };
  CHECK(error({.name = "at", .numbers = {1}}) == "two arrays of a record are called 'at'");
  CHECK(error({.name = "", .numbers = {1}}) == "an array of a record has no name");
  CHECK(error({.name = "a", .shape = {2}, .numbers = {1}, .axes = {"b"}}) ==
        "a has 1 values for the shape [2]");
  CHECK(error({.name = "a", .shape = {2}, .numbers = {1, 2}}) == "a has 0 axes for the shape [2]");
  CHECK(error({.name = "a", .shape = {3}, .numbers = {1, 2, 3}, .axes = {"at"}}) ==
        "a has 3 values along at, which has 2");
  CHECK(record.arrays.size() == 1);
}

TEST_CASE("formats: what does not apply says what does") {
  const auto error = [](const std::string& kind, Extent extent, ExportFormat format) {
    Record record{.kind = kind, .title = ""};
    if (extent == Extent::line) record.table = {"x"};
    return error_of([&] { require_format("f", record, extent, format); });
  };
  using enum ExportFormat;
  const char* const surface = "surface";
  for (ExportFormat format : {vti, vtr, vtp, npz, json, csv, obj, stl, h5})
    CHECK(error(surface, Extent::grid, format) == "no error");
  for (ExportFormat format : {vti, vtr, vtp, obj, stl})
    CHECK(error(surface, Extent::line, format) ==
          "f is a line, which has no mesh: choose npz, json, csv or h5");
  CHECK(error("trajectory", Extent::other, vtp) == "no error");
  CHECK(error("trajectory", Extent::other, stl) ==
        "f is a trajectory, which makes a line in space, but no stl: choose vtp, npz, json or csv");
  CHECK(error("training_log", Extent::other, csv) ==
        "f is a training's log, which is csv already: choose npz or json");
  CHECK(error("curvature", Extent::other, h5) ==
        "f is a curvature, and the authors' layout holds surfaces alone: choose npz, json or csv");
  CHECK(error_of([] { format_named("png"); }) ==
        "no format 'png': choose vti, vtr, vtp, npz, json, csv, obj, stl or h5");
}

TEST_CASE("formats: a kind that is known nowhere has arrays, and no mesh") {
  using enum ExportFormat;
  const Record gap{.kind = "gap", .title = ""};
  for (ExportFormat format : {npz, json, csv})
    CHECK(error_of([&] { require_format("f", gap, Extent::other, format); }) == "no error");
  CHECK(error_of([&] { require_format("f", gap, Extent::other, obj); }) ==
        "f is a result of the kind 'gap', which has no points of a plane: choose npz, json or csv");
}
