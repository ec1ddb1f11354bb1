// A file that comes, grows, is replaced under the reader's hands, breaks and goes.
#include "apps/landscape/watch/watched_surface.h"

#include <filesystem>

#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Surface surface_of(int64_t done, int64_t points = 4) {
  std::vector<double> x;
  for (int64_t i = 0; i < points; ++i) x.push_back(static_cast<double>(i));
  Surface surface(x);
  surface.add_plane("train_loss").assign(static_cast<size_t>(points), 1);
  for (int64_t i = 0; i < done; ++i) surface.mark_done(i);
  return surface;
}

/// The Error of the last look of so many; those before have none.
std::string error_after(WatchedSurface& watched, int looks) {
  for (int i = 1; i < looks; ++i) watched.look(0);
  return error_of([&] { watched.look(0); });
}

}  // namespace

TEST_CASE("watched surface: waits for a file, follows it, and keeps what it has when it goes") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  WatchedSurface watched(path);
  CHECK(!watched.look(0));
  CHECK(!watched.there());
  CHECK(watched.surface() == nullptr);
  surface_of(1).save(path);
  CHECK(watched.look(1));
  CHECK(watched.there());
  CHECK(watched.version() == 1);
  CHECK(watched.surface()->done_count() == 1);
  CHECK(!watched.look(2));
  surface_of(3).save(path);
  CHECK(watched.look(3));
  CHECK(!watched.look(3));
  CHECK(watched.version() == 2);
  CHECK(watched.surface()->done_count() == 3);
  std::filesystem::remove(path);
  CHECK(watched.look(4));
  CHECK(!watched.look(4));
  CHECK(!watched.there());
  CHECK(watched.surface()->done_count() == 3);
  surface_of(4).save(path);
  CHECK(watched.look(5));
  CHECK(watched.there());
  CHECK(watched.version() == 3);
}

TEST_CASE("watched surface: another grid in the same place starts a new count") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  WatchedSurface watched(path);
  surface_of(1).save(path);
  watched.look(0);
  surface_of(2).save(path);
  watched.look(1000);
  CHECK(watched.progress().rate() > 0);
  surface_of(5, 9).save(path);
  watched.look(2000);
  CHECK(!(watched.progress().rate() > 0));
}

TEST_CASE("watched surface: a file that is replaced while it is read is no error") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  int reads = 0;
  WatchedSurface watched(path, [&](const std::string& name) -> Surface {
    if (++reads <= 20) {
      surface_of(1 + reads % 3).save(name);
      throw Error("half of the old file and half of the new one");
    }
    return Surface::load(name);
  });
  surface_of(1).save(path);
  CHECK(watched.look(0));  // the file has come
  for (int i = 1; i < 20; ++i) CHECK(!watched.look(i));
  CHECK(watched.version() == 0);
  CHECK(watched.look(20));
  CHECK(watched.version() == 1);
}

TEST_CASE("watched surface: one that failed and is replaced at the last look is no error") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  int reads = 0;
  WatchedSurface watched(path, [&](const std::string& name) -> Surface {
    if (++reads > WatchedSurface::kPatience) return Surface::load(name);
    if (reads == WatchedSurface::kPatience) surface_of(3).save(name);
    throw Error("not yet");
  });
  surface_of(1).save(path);
  for (int i = 0; i < WatchedSurface::kPatience; ++i) watched.look(i);
  CHECK(watched.look(9));
  CHECK(watched.surface()->done_count() == 3);
}

TEST_CASE("watched surface: the newest contents are read in the end") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  bool late = true;
  WatchedSurface watched(path, [&](const std::string& name) {
    Surface read = Surface::load(name);
    if (late) surface_of(4).save(name);
    late = false;
    return read;
  });
  surface_of(2).save(path);
  CHECK(watched.look(0));
  CHECK(watched.surface()->done_count() == 2);
  CHECK(watched.look(1));
  CHECK(watched.surface()->done_count() == 4);
}

TEST_CASE("watched surface: what stays wrong is an error, whatever was there before") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  surface_of(1).save(path);
  const std::string whole = folder.read("s.h5");
  WatchedSurface watched(path);
  CHECK(watched.look(0));
  folder.write("s.h5", whole.substr(0, whole.size() / 2));
  CHECK(!watched.look(1));
  CHECK(!watched.look(2));
  folder.write("s.h5", whole.substr(0, whole.size() / 3));  // still being written: counts anew
  CHECK(error_after(watched, WatchedSurface::kPatience).find(path) != std::string::npos);

  folder.write("text.h5", "hello");
  WatchedSurface foreign(folder.file("text.h5"));
  CHECK(error_after(foreign, WatchedSurface::kPatience).find("neither an HDF5 file") !=
        std::string::npos);
  folder.write("log.csv", "epoch,learning_rate,train_loss\n");
  WatchedSurface log(folder.file("log.csv"));
  CHECK(error_after(log, WatchedSurface::kPatience).find("a training's log") != std::string::npos);
  WatchedSurface inside(folder.file("text.h5") + "/s.h5");
  CHECK(error_after(inside, 1).find("Not a directory") != std::string::npos);
}
