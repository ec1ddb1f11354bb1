// Arrays and tables of every kind of result, and which format fits which.
#include "landscape/exports/record.h"

#include "landscape/exports/csv.h"
#include "landscape/exports/format.h"
#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

std::string table(const std::vector<NamedArray>& columns) {
  Record record;
  record.columns = columns;
  return csv_of(record);
}

const NamedArray* find(const Record& record, const std::string& name) {
  for (const NamedArray& array : record.arrays)
    if (array.name == name) return &array;
  return nullptr;
}

}  // namespace

TEST_CASE("record: a curvature's arrays without eigenvectors, its table a row a number") {
  const TemporaryFolder folder;
  CurvatureResults results;
  results.provenance = {{"curvature", "hessian"}};
  results.loss = 0.5;
  results.largest = Eigenvalues{{3, 2}, {0.01, 0.02}, {}};
  results.trace = TraceEstimate{7, 0.5, 30};
  results.density = SpectralDensity{0.1, {-1, 1}, {0.25, 0.75}, {0, kNan}, {{{4}, {1}}}};
  CHECK(table(table_of(results)) ==
        "quantity,index,at,value,error\nloss,0,,0.5,\nlargest,0,,3,0.01\nlargest,1,,2,0.02\n"
        "trace,0,,7,0.5\ndensity,0,-1,0.25,0\ndensity,1,1,0.75,\n");
  results.largest->vectors = Tensor();
  results.save(folder.file("h.h5"), ParameterLayout());
  const Record record = record_of_hdf5(folder.file("h.h5"));
  CHECK(record.provenance.at("curvature") == "hessian");
  REQUIRE(find(record, "largest/values"));
  CHECK(find(record, "largest/values")->numbers == std::vector<double>{3, 2});
  CHECK(find(record, "largest/values")->shape == Shape{2});
  REQUIRE(find(record, "loss"));
  CHECK(find(record, "loss")->shape == Shape{});
  CHECK(find(record, "density/probes/0/values"));
  CHECK_FALSE(find(record, "largest/vectors"));
}

TEST_CASE("record: a panel of sharpness") {
  SharpnessPanel panel;
  panel.measures = {{"trace", {5, 0.25}, "10 products"},
                    {"sam", {0.125, kNan}, "rho 0.05, 1 step"}};
  const std::string csv = table(table_of(panel));
  CHECK(csv.starts_with("measure,value,standard_error,unit,settings\n"));
  CHECK(csv.find("\nsam,0.125,,") != std::string::npos);
  CHECK(csv.find(",\"rho 0.05, 1 step\"\n") != std::string::npos);
  panel.test = ReparametrisationTest{"all", 1, 0, {{"trace", {6, 0.5}, ""}}, {}};
  const std::string rescaled = table(table_of(panel));
  CHECK(rescaled.find(",10 products,6,0.5\n") != std::string::npos);
  const TemporaryFolder folder;
  panel.save(folder.file("p.h5"));
  const Record record = record_of_hdf5(folder.file("p.h5"));
  REQUIRE(find(record, "sam/settings"));
  CHECK(find(record, "sam/settings")->words == std::vector<std::string>{"rho 0.05, 1 step"});
  REQUIRE(find(record, "rescaled/trace/value"));
  CHECK(find(record, "rescaled/trace/value")->numbers == std::vector<double>{6});
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
  const auto lines = lines_of(table(table_of(results)));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] ==
        "name,file,epoch,loss,accuracy,gradient_norm,batch_gradient_norm,cosine,"
        "cosine_se,cosine_min,inner_product_min,snr,snr_se,noise_scale");
  CHECK(lines[1] == "\"resnet8 (option B, width 4)\",a.safetensors,3,0.5,90,0,0,0,0,0,0,0,0,inf");
}

TEST_CASE("record: paths, one below the other") {
  ConnectivityResults results;
  results.t = {0, 0.5};
  PathValues path(2, {"train"});
  path.done = {1, 0};
  path.values["train_loss"][0] = 2;
  results.paths["line/none"] = path;
  path.values["test_loss"] = {4, 5};
  results.paths["curve/none"] = path;
  CHECK(table(table_of(results)) ==
        "path,t,test_loss,train_acc,train_loss,train_loss_se,done\n"
        "curve/none,0,4,,2,,1\ncurve/none,0.5,5,,,,0\n"
        "line/none,0,,,2,,1\nline/none,0.5,,,,,0\n");
}

TEST_CASE("record: a trajectory, a row a checkpoint") {
  TrajectoryResults results({0, 1});
  results.coordinates = {.x = {3, 0}, .y = {4, 0}, .distance = {1, 0}, .length = {5, 0}};
  results.own.add_plane("train_loss") = {2, 1};
  results.projected.add_plane("train_loss") = {kNan, 1};
  results.own.mark_done(0);
  results.projected.mark_done(1);
  CHECK(table(table_of(results)) ==
        "epoch,proj_xcoord,proj_ycoord,length,distance,train_loss,done,projected_train_loss,"
        "projected_done\n0,3,4,5,1,2,1,,0\n1,0,0,0,0,1,0,1,1\n");
}

TEST_CASE("formats: what does not apply says what does") {
  const auto error = [](ResultKind kind, Extent extent, ExportFormat format) {
    return error_of([&] { require_format("f", kind, extent, format); });
  };
  using enum ExportFormat;
  const auto surface = ResultKind::surface;
  for (ExportFormat format : {vti, vtr, vtp, npz, json, csv, obj, stl, h5})
    CHECK(error(surface, Extent::grid, format) == "no error");
  for (ExportFormat format : {vti, vtr, vtp, obj, stl})
    CHECK(error(surface, Extent::line, format) ==
          "f is a line, which has no mesh: choose npz, json, csv or h5");
  CHECK(error(ResultKind::trajectory, Extent::other, vtp) == "no error");
  CHECK(error(ResultKind::trajectory, Extent::other, stl) ==
        "f is a trajectory, which makes a line in space, but no stl: choose vtp, npz, json or csv");
  CHECK(error(ResultKind::training_log, Extent::other, csv) ==
        "f is a training's log, which is csv already: choose npz or json");
  CHECK(error(ResultKind::curvature, Extent::other, h5) ==
        "f is a curvature, and the authors' layout holds surfaces alone: choose npz, json or csv");
  CHECK(error_of([] { format_named("png"); }) ==
        "no format 'png': choose vti, vtr, vtp, npz, json, csv, obj, stl or h5");
}
