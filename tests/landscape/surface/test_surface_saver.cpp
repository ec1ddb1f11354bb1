// Saving beside the computation: whole files, no more often than asked, and failures that are told.
#include "landscape/surface/surface_saver.h"

#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Surface surface_with(double value) {
  Surface surface({0, 1, 2});
  surface.add_plane("train_loss") = {value, value, value};
  for (int64_t point = 0; point < 3; ++point) surface.mark_done(point);
  return surface;
}

double saved_value(const std::string& path) {
  return Surface::load(path).plane("train_loss")[1];
}

}  // namespace

TEST_CASE("surface saver: save() has written when it returns, whatever was offered before") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  {
    SurfaceSaver saver(path, 0);
    for (int i = 1; i <= 50; ++i) saver.offer(surface_with(i));
    saver.save(surface_with(51));
    CHECK(saved_value(path) == 51);
    saver.offer(surface_with(52));
  }
  CHECK(saved_value(path) == 52);  // the last offer is not lost with the saver
  CHECK(folder.files() == 1);
}

TEST_CASE("surface saver: what is offered too soon is not written") {
  const TemporaryFolder folder;
  {
    SurfaceSaver saver(folder.file("s.h5"), 3600);
    saver.offer(surface_with(1));
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("surface saver: a failure reaches the next caller, and a later success makes it good") {
  const TemporaryFolder folder;
  const std::string path = folder.file("absent") + "/s.h5";
  SurfaceSaver saver(path, 0);
  CHECK_THROWS_WITH_AS(saver.save(surface_with(1)), doctest::Contains("cannot write"), Error);
  CHECK_THROWS_AS(
      [&] {
        for (;;) saver.offer(surface_with(2));
      }(),
      Error);
  std::filesystem::create_directory(folder.file("absent"));
  saver.save(surface_with(3));
  CHECK(saved_value(path) == 3);
}
