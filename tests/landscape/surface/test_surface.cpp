
#include "kernels/core/numbers.h"
#include "landscape/directions/grid.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/surface/surface.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// 5 x 3 points, of which three are left to do; each value tells its place.
Surface half_done_surface() {
  Surface surface(Axis{-1, 1, 5}.coordinates(), Axis{0, 1, 3}.coordinates());
  surface.dir_file = "directions of resnet.h5";
  surface.provenance = {{"loss", "cross_entropy"}, {"seed", "123"}, {"command", ""}};
  std::vector<double>& loss = surface.add_plane("train_loss");
  std::vector<double>& error = surface.add_plane("train_loss_se");
  for (int64_t iy = 0; iy < 3; ++iy) {
    for (int64_t ix = 0; ix < 5; ++ix) {
      const int64_t point = surface.index(ix, iy);
      if (point % 6 == 2) continue;  // points 2, 8, 14
      loss[static_cast<size_t>(point)] = 100 * static_cast<double>(iy) + static_cast<double>(ix);
      error[static_cast<size_t>(point)] = 0.1;
      surface.mark_done(point);
    }
  }
  loss[3] = kNaN;
  loss[4] = kInfinity;
  loss[5] = -1;  // done: the mask says so
  return surface;
}

void check_same(const Surface& a, const Surface& b) {
  CHECK(a.x() == b.x());
  CHECK(a.y() == b.y());
  CHECK(a.dir_file == b.dir_file);
  CHECK(a.provenance == b.provenance);
  REQUIRE(a.planes().size() == b.planes().size());
  for (const auto& [name, values] : a.planes())
    for (size_t i = 0; i < values.size(); ++i) CHECK(same(values[i], b.plane(name)[i]));
  for (int64_t i = 0; i < a.points(); ++i) CHECK(a.done(i) == b.done(i));
}

/// A file as the authors' tools leave it.
void write_authors_file(const std::string& path, const std::vector<double>& x,
                        const std::vector<double>& y, const std::vector<double>& loss,
                        const Shape& shape) {
  Hdf5File file = Hdf5File::create(path);
  file.write_text("dir_file", "model_weights.h5");
  file.write("xcoordinates", x.data(), {static_cast<int64_t>(x.size())});
  if (!y.empty()) file.write("ycoordinates", y.data(), {static_cast<int64_t>(y.size())});
  file.write("train_loss", loss.data(), shape);
  file.write("train_acc", loss.data(), shape);
  file.close();
}

}  // namespace

TEST_CASE("surface: what is saved comes back, NaN, infinity and -1 among the values") {
  const TemporaryFolder folder;
  const Surface surface = half_done_surface();
  CHECK(surface.done_count() == 12);
  surface.save(folder.file("s.h5"));
  CHECK(folder.files() == 1);
  const Surface read = Surface::load(folder.file("s.h5"));
  check_same(surface, read);
  CHECK(read.done(3));
  CHECK_FALSE(read.done(2));
  read.save(folder.file("again.h5"));
  CHECK(contents(folder.file("s.h5")) == contents(folder.file("again.h5")));
}

TEST_CASE("surface: the file is what the authors' plotters read") {
  const TemporaryFolder folder;
  half_done_surface().save(folder.file("s.h5"));
  const Hdf5File file = Hdf5File::open_read(folder.file("s.h5"));
  CHECK(file.shape("train_loss") == Shape{3, 5});  // row = y
  const std::vector<double> loss = file.read<double>("train_loss");
  CHECK(loss[5 * 2 + 3] == 203);
  for (size_t to_do : {2, 8, 14}) {
    CHECK(loss[to_do] == -1);
    CHECK(file.read<double>("train_loss_se")[to_do] == -1);
  }
  CHECK(file.read<double>("xcoordinates") == std::vector<double>{-1, -0.5, 0, 0.5, 1});
  CHECK(file.read<double>("ycoordinates") == std::vector<double>{0, 0.5, 1});
  CHECK(file.read_text("dir_file") == "directions of resnet.h5");
}

TEST_CASE("surface: a line, a single point, and no planes yet") {
  const TemporaryFolder folder;
  Surface line(Axis{-0.5, 1.5, 401}.coordinates());
  CHECK(line.is_line());
  line.add_plane("train_loss")[400] = 2;
  line.mark_done(400);
  line.save(folder.file("line.h5"));
  CHECK_FALSE(Hdf5File::open_read(folder.file("line.h5")).has("ycoordinates"));
  check_same(line, Surface::load(folder.file("line.h5")));

  const Surface point({0.0}, {0.0});
  CHECK_FALSE(point.is_line());
  point.save(folder.file("point.h5"));
  check_same(point, Surface::load(folder.file("point.h5")));
  CHECK_THROWS_AS(Surface({}), Error);
}

TEST_CASE("surface: planes are found by name") {
  Surface surface({0.0, 1.0});
  CHECK_THROWS_WITH_AS(surface.plane("test_loss"),
                       "the surface has no 'test_loss': it has no values at all", Error);
  surface.add_plane("train_loss")[1] = 7;
  CHECK(std::isnan(surface.plane("train_loss")[0]));
  CHECK(surface.add_plane("train_loss")[1] == 7);
  surface.add_plane("train_acc");
  CHECK_THROWS_WITH_AS(surface.plane("test_loss"),
                       "the surface has no 'test_loss': it has train_acc, train_loss", Error);
  CHECK_THROWS_WITH_AS(surface.add_plane("done"), "a plane of a surface cannot be named 'done'",
                       Error);
  CHECK_THROWS_AS(surface.add_plane("a/b"), Error);
}

TEST_CASE("surface: the authors' files, in which -1 means to do and NaN is a value") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  write_authors_file(path, {-1, 0, 1}, {}, {2.5, -1, kNaN}, {3});
  const Surface line = Surface::load(path);
  CHECK(line.is_line());
  CHECK(line.done(0));
  CHECK_FALSE(line.done(1));
  CHECK(line.done(2));
  CHECK(std::isnan(line.plane("train_loss")[1]));
  CHECK(line.provenance.empty());
  CHECK(line.dir_file == "model_weights.h5");

  // Their grids of 3 x 2 points are labelled [nx][ny], but hold rows of nx values.
  write_authors_file(path, {-1, 0, 1}, {5, 6}, {0.51, 0.52, 0.53, 0.61, 0.62, -1}, {3, 2});
  const Surface grid = Surface::load(path);
  CHECK(grid.nx() == 3);
  CHECK(grid.ny() == 2);
  CHECK(grid.plane("train_loss")[static_cast<size_t>(grid.index(2, 0))] == 0.53);
  CHECK(grid.plane("train_loss")[static_cast<size_t>(grid.index(0, 1))] == 0.61);
  CHECK(grid.done_count() == 5);
  CHECK_FALSE(grid.done(5));

  // A run that failed between writing the axes and the first value.
  Hdf5File half = Hdf5File::create(path);
  const double x[] = {0, 1};
  half.write("xcoordinates", x, {2});
  half.close();
  CHECK(Surface::load(path).done_count() == 0);
}

TEST_CASE("surface: a file the authors' own code wrote") {
  const std::string path = shared_file("golden/resnet56_surface_fp32_9x9_batch1_first500.h5");
  if (path.empty()) return;
  const Surface surface = Surface::load(path);
  CHECK(surface.same_points(Surface(Axis{-1, 1, 9}.coordinates(), Axis{-1, 1, 9}.coordinates())));
  CHECK(surface.done_count() == 81);
  const std::vector<double>& accuracy = surface.plane("train_acc");
  CHECK(accuracy[static_cast<size_t>(surface.index(4, 4))] == 100);
  CHECK(accuracy[static_cast<size_t>(surface.index(3, 0))] == doctest::Approx(12.8));
  CHECK(accuracy[static_cast<size_t>(surface.index(0, 3))] == doctest::Approx(9.8));
}

TEST_CASE("surface: same points up to rounding") {
  const Surface a({0.0, 0.1 + 0.2, 1.0}), b({0.0, 0.3, 1.0}), c({0.0, 0.31, 1.0});
  CHECK(a.same_points(b));
  CHECK_FALSE(a.same_points(c));
  CHECK_FALSE(a.same_points(Surface({0.0, 0.3, 1.0}, {0.0})));
}

TEST_CASE("surface: damaged and foreign files are one clear error each") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  half_done_surface().save(path);
  const std::string whole = contents(path);
  for (size_t length = 0; length < whole.size(); length += 97) {
    CAPTURE(length);
    write_contents(path, whole.substr(0, length));
    CHECK_THROWS_WITH_AS(Surface::load(path), doctest::Contains(path.c_str()), Error);
  }
  Hdf5File::create(path).close();
  const std::string foreign = path + " holds no xcoordinates: it is not a surface file";
  CHECK_THROWS_WITH_AS(Surface::load(path), foreign.c_str(), Error);
  write_authors_file(path, {0, 1}, {0, 1, 2}, {1, 2, 3, 4}, {2, 2});
  const std::string misfit = path + ": train_acc has the shape [2x2], its axes ask for [3x2]";
  CHECK_THROWS_WITH_AS(Surface::load(path), misfit.c_str(), Error);
  write_authors_file(path, {0, kNaN}, {}, {1, 2}, {2});
  const std::string axis = path + ": xcoordinates is not a list of coordinates";
  CHECK_THROWS_WITH_AS(Surface::load(path), axis.c_str(), Error);
}

TEST_CASE("surface: one wrong byte anywhere is an error or a wrong value, never a crash") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  half_done_surface().save(path);
  const std::string whole = contents(path);
  int refused = 0;
  for (size_t place = 0; place < whole.size(); place += 11) {
    CAPTURE(place);
    std::string damaged = whole;
    damaged[place] = static_cast<char>(~damaged[place]);
    write_contents(path, damaged);
    try {
      const Surface surface = Surface::load(path);
      CHECK(surface.points() == 15);
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(path) != std::string::npos);
      ++refused;
    }
  }
  CHECK(refused > 20);
}

TEST_CASE("surface: where it cannot be written it says so and leaves nothing") {
  const TemporaryFolder folder;
  const Surface surface = half_done_surface();
  write_contents(folder.file("file"), "");
  const std::string inside = folder.file("file") + "/s.h5";
  CHECK_THROWS_WITH_AS(surface.save(inside),
                       doctest::Contains(text("cannot write ", inside).c_str()), Error);
  if (::geteuid() == 0) {
    MESSAGE("SKIPPED: root may write to a read-only folder");
    return;
  }
  std::filesystem::permissions(
      folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  CHECK_THROWS_WITH_AS(surface.save(folder.file("s.h5")), doctest::Contains("Permission denied"),
                       Error);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  CHECK(folder.files() == 1);
}

TEST_CASE("provenance: what differs, in words") {
  const Provenance file = {{"loss", "cross_entropy"}, {"seed", "1"}, {"precision", "f32"}};
  const Provenance asked = {{"loss", "mse"}, {"seed", "1"}, {"data_hash", "af"}};
  CHECK(differences(file, asked, {"seed", "unknown"}).empty());
  CHECK(differences(file, asked, {"loss", "seed", "data_hash", "precision"}) ==
        std::vector<std::string>{"loss: file has cross_entropy, this command asks for mse",
                                 "data_hash: file does not say, this command asks for af",
                                 "precision: file has f32, this command asks for none"});
}
