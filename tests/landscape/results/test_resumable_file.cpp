// Files that a repeated command continues: what makes them another command's.
#include "landscape/results/resumable_file.h"

#include <doctest/doctest.h>

#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "landscape/results/observer.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Results {
  Provenance provenance;
  int points = 0;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("resumable file: nothing where there is no file, its contents where there is") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/r.h5";
  const Provenance asked = {{"model_hash", "a"}, {"seed", "1"}, {"command", "second"}};
  const Results kept{{{"model_hash", "a"}, {"seed", "1"}, {"command", "first"}, {"curve", "c"}}, 7};
  const auto load = [&] { return kept; };
  CHECK_FALSE(load_saved(path, asked, identity_with({"seed"}), load).has_value());
  write_file_atomically(path, "a file");
  const auto saved = load_saved(path, asked, identity_with({"seed"}), load);
  REQUIRE(saved.has_value());
  CHECK(saved->points == 7);
  CHECK(saved->provenance ==
        Provenance{{"model_hash", "a"}, {"seed", "1"}, {"command", "second"}, {"curve", "c"}});
  CHECK(contains(error_of([&] { load_saved(folder.path(), asked, {}, load); }), "is a directory"));
  CHECK(contains(error_of([&] { load_saved("", asked, {}, load); }), "--output is empty"));
}

TEST_CASE("resumable file: every fact that decides a number is compared, and nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/r.h5";
  write_file_atomically(path, "a file");
  for (const char* key : {"model_hash", "data_hash", "data", "images", "subset", "loss", "bn_mode",
                          "device", "seed"}) {
    CAPTURE(key);
    const Results kept{{{key, "one"}}, 7};
    const auto load = [&] { return kept; };
    const std::vector<std::string> identity = identity_with({"seed"});
    CHECK(contains(error_of([&] {
                     load_saved(path, {{key, "other"}}, identity, load);
                   }),
                   text("belongs to another command (", key, ": file has one, ")));
    CHECK(contains(error_of([&] { load_saved(path, {}, identity, load); }), key));
    CHECK_NOTHROW(load_saved(path, kept.provenance, identity, load));
  }
  const Results kept{{{"version", "1"}}, 7};
  const auto load = [&] { return kept; };
  CHECK_NOTHROW(load_saved(path, {{"version", "2"}}, identity_with({}), load));
  const std::string said = error_of([&] {
    load_saved(path, {{"loss", "mse"}}, identity_with({}), load, [](const Results& results) {
      return std::vector<std::string>{text("it has ", results.points, " points")};
    });
  });
  CHECK(contains(said, "it has 7 points; loss: "));
}

TEST_CASE("observer: who asks to stop is told what is saved") {
  struct Stopper : Observer {
    bool stop = false;
    bool stop_requested() override { return stop; }
  } observer;
  stop_if_requested(observer, "nothing");
  observer.stop = true;
  std::string said;
  try {
    stop_if_requested(observer, "3 of 4 are saved");
  } catch (const Interrupted& interruption) {
    said = interruption.what();
  }
  CHECK(said == "3 of 4 are saved");
}
