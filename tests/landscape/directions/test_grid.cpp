#include <algorithm>

#include "landscape/directions/grid.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;

TEST_CASE("axis: from:to:points") {
  CHECK(parse_axis("--x", "-1:1:51") == Axis{-1, 1, 51});
  CHECK(parse_axis("--y", "0:1:11") == Axis{0, 1, 11});  // 0 is a number, not "missing"
  CHECK(parse_axis("--x", "-.5:+2.5e-1:3") == Axis{-0.5, 0.25, 3});
  CHECK(parse_axis("--x", "0:0:1") == Axis{0, 0, 1});
}

TEST_CASE("axis: ends are exact, and a symmetric axis is so to the bit") {
  for (double end : {1.0, 0.3, 1.0 / 3, 2.7e-5}) {
    for (int64_t points : {3, 5, 51, 101, 251, 1001}) {
      const std::vector<double> x = Axis{-end, end, points}.coordinates();
      REQUIRE(static_cast<int64_t>(x.size()) == points);
      CHECK(x.front() == -end);
      CHECK(x.back() == end);
      CHECK(x[x.size() / 2] == 0.0);
      CHECK(std::is_sorted(x.begin(), x.end()));
      for (size_t i = 0; i < x.size(); ++i) CHECK(x[i] == -x[x.size() - 1 - i]);
    }
  }
  CHECK(Axis{0, 1, 11}.coordinates()[3] == 0.3);  // from + 3 * step is not
  CHECK(Axis{0.1, 0.7, 2}.coordinates() == std::vector<double>{0.1, 0.7});
  CHECK(Axis{0.25, 0.25, 1}.coordinates() == std::vector<double>{0.25});
}

TEST_CASE("axis: each mistake has its own message") {
  const auto refuses = [](const std::string& text, const std::string& message) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_axis("--x", text), message.c_str(), Error);
  };
  refuses("", "--x is empty: write FROM:TO:POINTS, such as -1:1:51");
  refuses("-1:1", "--x=-1:1 is not FROM:TO:POINTS: write such as -1:1:51");
  refuses("1:-1:51", "--x=1:-1:51 runs backwards: write -1:1:51");
  refuses("-1:1:1", "--x=-1:1:1 has one point for two ends: write -1:1:2 or -1:-1:1");
  refuses("1:1:3", "--x=1:1:3 has the same point many times: write 1:1:1");
  refuses("-1:1:0", "--x=-1:1:0 has no points: ask for at least one");
  refuses("-1:1:-5", "--x=-1:1:-5 has no points: ask for at least one");
  refuses("-1:1:2000000", "--x=-1:1:2000000 has more than 1000000 points: ask for fewer");
  refuses("-1:1:99999999999999999999",
          "--x=-1:1:99999999999999999999 has more than 1000000 points: ask for fewer");
  refuses("nan:1:5", "--x=nan:1:5: nan is not finite");
  refuses("-1:inf:5", "--x=-1:inf:5: inf is not finite");
  refuses("-1e999:1:5", "--x=-1e999:1:5: -1e999 is not finite");
  refuses("a:1:5", "--x=a:1:5: 'a' is not a number");
  refuses("1x:1:5", "--x=1x:1:5: '1x' is not a number");
  refuses(":1:5", "--x=:1:5: '' is not a number");
  refuses("-1:1:5.5", "--x=-1:1:5.5: '5.5' is not a whole number of points");
  refuses("-1:1:", "--x=-1:1:: '' is not a whole number of points");
  refuses("-1:1:5:7", "--x=-1:1:5:7: '5:7' is not a whole number of points");
}

TEST_CASE("grid: an axis around values has room on both sides, and round ends") {
  const Axis axis = covering_axis({0.31, 7.77, 2}, 1.5, 31);
  CHECK(axis.points == 31);
  CHECK(axis.from <= -1.5);
  CHECK(axis.from >= -2.1);
  CHECK(axis.to >= 7.77 + 1.5);
  CHECK(axis.to <= 7.77 + 2.1);
  for (double end : {axis.from, axis.to})
    CHECK(end * 20 / 10 == doctest::Approx(std::round(end * 20 / 10)));
  const Axis small = covering_axis({-3e-5, -1e-5}, 0, 3);
  CHECK(small.from == doctest::Approx(-3e-5));
  CHECK(small.to == 0);
  CHECK(covering_axis({0, 0}, 0, 5) == Axis{-1, 1, 5});
}
