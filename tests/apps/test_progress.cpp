// What a progress line says where it has room, and where it has not.
#include "apps/common/progress.h"

#include <doctest/doctest.h>

using namespace topograd;

namespace {

const Progress kHalf{"surface", 0.5, "120/240 points, loss 0.3", "1:05"};

}  // namespace

TEST_CASE("progress: everything where there is room") {
  CHECK(progress_line(kHalf, 100) ==
        "surface [============            ]  50%  120/240 points, loss 0.3  1:05 left");
  CHECK(progress_line({"surface", 0, "", "?"}, 100) ==
        "surface [                        ]   0%  ? left");
  CHECK(progress_line({"surface", 1, "", "0:00"}, 100) ==
        "surface [========================] 100%  0:00 left");
}

TEST_CASE("progress: the bar goes first, then the detail, then the label") {
  CHECK(progress_line(kHalf, 76) == progress_line(kHalf, 100));
  CHECK(progress_line(kHalf, 75) ==
        "surface [========        ]  50%  120/240 points, loss 0.3  1:05 left");
  CHECK(progress_line(kHalf, 60) == "surface [====    ]  50%  120/240 points, loss 0.3  1:05 left");
  CHECK(progress_line(kHalf, 59) == "surface  50%  120/240 points, loss 0.3  1:05 left");
  CHECK(progress_line(kHalf, 40) == "surface  50%  120/240 poin...  1:05 left");
  CHECK(progress_line(kHalf, 25) == "surface  50%  1:05 left");
  CHECK(progress_line(kHalf, 10) == "surface...");
  CHECK(progress_line(kHalf, 2) == "..");
  CHECK(progress_line(kHalf, 0).empty());
  CHECK(progress_line(kHalf, -1).empty());
}

TEST_CASE("progress: a character of several bytes is one column, and stays whole") {
  const Progress named{"größe", 0.5, "ü", "1:05"};
  CHECK(progress_line(named, 24) == "größe  50%  ü  1:05 left");
  CHECK(progress_line(named, 6) == "grö...");
}
