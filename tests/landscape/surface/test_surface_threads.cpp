// Computations in several threads of one process: files read and written at once, and fork().
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "kernels/core/output_claim.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/planes/random_directions.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/surface/surface_computation.h"
#include "landscape/surface/surface_saver.h"
#include "tests/landscape/small_model.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Computes a surface of the small network to a file, as a command on this thread does.
void compute_to(const std::string& output, uint64_t seed, Observer& observer) {
  const InputScope command;
  const LoadedModel model = small_model(1);
  const ImageSets images = select_images({.source = "synthetic", .count = 10}, model);
  ThreadPool pool(2);
  compute_surface({.output = output, .x = Axis{-1, 1, 5}, .y = Axis{-1, 1, 5}, .save_seconds = 0},
                  model, images, random_directions({.seed = seed}, model), pool, observer);
}

}  // namespace

TEST_CASE("threads: two surfaces are computed and saved while a third thread reads them") {
  const TemporaryFolder folder;
  Observer silent;
  for (const uint64_t seed : {1U, 2U}) compute_to(folder.file(text("alone", seed)), seed, silent);
  std::atomic<int> computing = 2;
  std::vector<std::jthread> threads;
  for (const uint64_t seed : {1U, 2U})
    threads.emplace_back([&, seed] {
      Observer observer;
      CHECK(error_of([&] { compute_to(folder.file(text("s", seed)), seed, observer); }) ==
            "no error");
      --computing;
    });
  int64_t read = 0;
  while (computing > 0 || read == 0)
    for (const char* name : {"alone1", "alone2", "s1", "s2"})
      if (std::filesystem::exists(folder.file(name))) {
        const InputScope command;
        const Record record = load_record(folder.file(name));
        CHECK(record.kind == "surface");
        ++read;
      }
  threads.clear();
  for (const char* seed : {"1", "2"})
    CHECK(contents(folder.file(text("s", seed))) == contents(folder.file(text("alone", seed))));
}

TEST_CASE("threads: of two computations that want one output, one is refused in words") {
  const TemporaryFolder folder;
  const std::string output = folder.file("s.h5");
  /// While it computes, another thread asks for the same file.
  class Asking : public Observer {
   public:
    explicit Asking(std::string path) : path_(std::move(path)) {}
    void advance(int64_t done, const std::function<std::string()>&) override {
      if (done != 3) return;
      std::thread([&] {
        Observer observer;
        refusal = error_of([&] { compute_to(path_, 2, observer); });
      }).join();
    }
    std::string refusal;

   private:
    std::string path_;
  } asking(output);
  compute_to(output, 1, asking);
  CHECK(asking.refusal == output +
                              " is being written by another computation of this process; wait for "
                              "it, or choose another output");
  CHECK(Surface::load(output).done_count() == 25);
}

TEST_CASE("threads: a thread with an open file may wait for one that saves") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  Surface surface({0, 1});
  surface.add_plane("train_loss");
  surface.save(path);
  const Hdf5File open = Hdf5File::open_read(path);
  SurfaceSaver saver(path, 0);
  saver.save(surface);
  CHECK(open.has("train_loss"));
}

TEST_CASE("threads: a child of fork() reads and writes files, whatever other threads were doing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.h5");
  Surface surface({0, 1});
  surface.add_plane("train_loss");
  surface.save(path);
  const std::jthread reader([&](const std::stop_token& ending) {
    while (!ending.stop_requested()) Surface::load(path);
  });
  {
    SurfaceSaver saver(folder.file("parent.h5"), 0);
    for (int fork = 0; fork < 20; ++fork) {
      saver.offer(surface);
      const pid_t child = ::fork();
      if (child == 0) {
        ::alarm(20);
        const Surface read = Surface::load(path);
        read.save(folder.file("child.h5"));
        saver.~SurfaceSaver();  // its thread is the parent's alone
        _exit(Surface::load(folder.file("child.h5")).nx() == 2 ? 0 : 1);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    }
  }
}
