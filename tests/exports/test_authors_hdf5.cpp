// The authors' layout: what it has, and nothing else.
#include "landscape/exports/authors_hdf5.h"

#include "landscape/results/hdf5_file.h"
#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

using Names = std::vector<std::string>;

TEST_CASE("authors' hdf5: their data sets in rows of x, -1 to do, no mask and no attributes") {
  const TemporaryFolder folder;
  Surface surface = with_holes();
  surface.add_plane("train_loss_se");
  const std::string path = folder.file("s.h5");
  write_authors_hdf5(surface, path);
  const Hdf5File file = Hdf5File::open_read(path);
  CHECK(file.members() ==
        Names{"dir_file", "train_acc", "train_loss", "xcoordinates", "ycoordinates"});
  CHECK(file.attributes().empty());
  CHECK(file.read_text("dir_file") == "directions.h5");
  CHECK(file.shape("train_loss") == Shape{3, 4});
  CHECK(file.read<double>("xcoordinates") == surface.x());
  CHECK(file.read<double>("ycoordinates") == surface.y());
  std::vector<double> expected = surface.plane("train_loss");
  expected[9] = -1;
  CHECK(same_bits(file.read<double>("train_loss"), expected));
  const Surface back = Surface::load(path);
  CHECK(back.done_count() == 11);
  CHECK(same_bits(back.plane("train_loss"), surface.plane("train_loss")));
}

TEST_CASE("authors' hdf5: a line has no ycoordinates, a map of eigenvalues their names") {
  const TemporaryFolder folder;
  Surface line({0, 1});
  line.add_plane("test_loss") = {1, 2};
  line.add_plane("lambda_min") = {-1, -2};
  line.add_plane("lambda_max") = {3, 4};
  line.mark_done(0);
  line.mark_done(1);
  write_authors_hdf5(line, folder.file("l.h5"));
  const Hdf5File file = Hdf5File::open_read(folder.file("l.h5"));
  CHECK(file.members() == Names{"dir_file", "max_eig", "min_eig", "test_loss", "xcoordinates"});
  CHECK(file.shape("min_eig") == Shape{2});
  CHECK(file.read<double>("max_eig") == std::vector<double>{3, 4});
  line.add_plane("max_eig") = {5, 6};  // of the authors' own: it stays
  write_authors_hdf5(line, folder.file("l2.h5"));
  CHECK(Hdf5File::open_read(folder.file("l2.h5")).read<double>("max_eig") ==
        std::vector<double>{5, 6});
}

TEST_CASE("authors' hdf5: a surface without any of their planes is refused") {
  const TemporaryFolder folder;
  Surface surface({0, 1}, {0, 1});
  surface.add_plane("trace");
  CHECK(error_of([&] { write_authors_hdf5(surface, folder.file("s.h5")); }).find("none of them") !=
        std::string::npos);
  CHECK(folder.files() == 0);
}
