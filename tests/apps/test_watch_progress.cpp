// Pace and time left, with times that the test makes up.
#include "apps/landscape/watch/watch_progress.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/landscape/watch/watch_status.h"

using namespace topograd;

TEST_CASE("watch progress: unknown until the count has grown") {
  ProgressEstimate progress;
  CHECK(std::isnan(progress.rate()));
  CHECK(std::isnan(progress.seconds_left(0, 100)));
  CHECK(progress.idle(5) == 0);
  CHECK(!progress.stalled(1e6));
  progress.observe(10, 20);
  CHECK(std::isnan(progress.rate()));
  progress.observe(20, 70);
  CHECK(progress.rate() == 5);
  CHECK(progress.seconds_left(20, 100) == 6);
  CHECK(progress.seconds_left(24, 100) == 2);
  CHECK(progress.seconds_left(99, 100) == 0);
}

TEST_CASE("watch progress: a computation that is continued counts from where it begins again") {
  ProgressEstimate progress;
  progress.observe(-36000, 50);  // ten hours old when the watching began
  CHECK(progress.stalled(0));
  progress.observe(2, 50);
  CHECK(std::isnan(progress.rate()));
  progress.observe(7, 60);
  CHECK(progress.rate() == 2);
  progress.observe(12, 5);  // somebody began anew
  CHECK(std::isnan(progress.rate()));
  progress.observe(17, 10);
  CHECK(progress.rate() == 1);
}

TEST_CASE("watch progress: the pace of the last two minutes") {
  ProgressEstimate progress;
  int64_t done = 0;
  double now = 0;
  for (; now <= 1000; now += 5) progress.observe(now, done += 50);
  CHECK(progress.rate() == 10);
  for (; now <= 1200; now += 5) progress.observe(now, done += 5);
  CHECK(progress.rate() == doctest::Approx(1));
  // Slow points: the last two files are all that is known.
  progress.observe(2000, done += 8);
  progress.observe(2800, done + 8);
  CHECK(progress.rate() == doctest::Approx(0.01));
}

TEST_CASE("watch progress: a stall is five usual pauses, a minute at least") {
  ProgressEstimate progress;
  progress.observe(0, 1);
  progress.observe(5, 2);
  CHECK(!progress.stalled(60));
  CHECK(progress.stalled(66));
  ProgressEstimate slow;
  slow.observe(0, 1);
  slow.observe(100, 2);
  CHECK(!slow.stalled(599));
  CHECK(slow.stalled(601));
}

TEST_CASE("watch status: numbers and words") {
  Surface surface({-1, 0, 1}, {-2, 2});
  surface.add_plane("train_loss") = {3, 2, NAN, 5, 0.25, INFINITY};
  for (const int64_t point : {0, 1, 4}) surface.mark_done(point);
  ProgressEstimate progress;
  progress.observe(0, 1);
  progress.observe(4, 3);
  const WatchStatus status = status_of(surface, "train_loss", progress, 5);
  CHECK(progress_words(status) == "3 of 6 points, 50 %, 0.500 points/s, 0:05 left");
  CHECK(smallest_words(status) == "smallest 0.25 at alpha 0, beta 2");
  CHECK(progress_words(status_of(surface, "train_loss", progress, 100)) ==
        "3 of 6 points, 50 %, 0.500 points/s, nothing new for 1:36");
  for (int64_t point = 0; point < 6; ++point) surface.mark_done(point);
  CHECK(progress_words(status_of(surface, "train_loss", progress, 1e6)) ==
        "6 of 6 points, 100 %, finished");

  Surface line({0, 1});
  line.add_plane("train_loss") = {NAN, NAN};
  CHECK(smallest_words(status_of(line, "train_loss", {}, 0)) == "no finite value yet");
  CHECK(progress_words(status_of(line, "train_loss", {}, 0)) == "0 of 2 points, 0 %");
  line.add_plane("train_loss") = {2, 1};
  CHECK(smallest_words(status_of(line, "train_loss", {}, 0)) == "smallest 1 at alpha 1");
}
