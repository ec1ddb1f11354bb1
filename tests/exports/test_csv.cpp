// CSV, read back by splitting it at its commas.
#include "landscape/exports/csv.h"

#include <cstdlib>

#include "landscape/surface/surface_results.h"
#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
      cells.back() += line[++i];
    else if (line[i] == '"')
      quoted = !quoted;
    else if (line[i] == ',' && !quoted)
      cells.emplace_back();
    else
      cells.back() += line[i];
  }
  return cells;
}

double value_of(const std::string& cell) {
  return cell.empty() ? kNan : std::strtod(cell.c_str(), nullptr);
}

}  // namespace

TEST_CASE("csv: a row a point, x fastest, numbers that read back to the same bits") {
  Surface surface = with_holes();
  surface.add_plane("train_acc")[0] = 1.0 / 3;
  surface.add_plane("train_acc")[1] = 5e-324;
  surface.add_plane("train_acc")[2] = -1.7976931348623157e308;
  const auto lines = lines_of(csv_of(record_of(surface)));
  REQUIRE(lines.size() == 13);
  CHECK(lines[0] == "x,y,train_acc,train_loss,done");
  std::vector<double> x, y, accuracy, loss, done;
  for (size_t row = 1; row < lines.size(); ++row) {
    const auto cells = cells_of(lines[row]);
    REQUIRE(cells.size() == 5);
    x.push_back(value_of(cells[0]));
    y.push_back(value_of(cells[1]));
    accuracy.push_back(value_of(cells[2]));
    loss.push_back(value_of(cells[3]));
    done.push_back(value_of(cells[4]));
  }
  for (size_t i = 0; i < 12; ++i) {
    CHECK(x[i] == surface.x()[i % 4]);
    CHECK(y[i] == surface.y()[i / 4]);
    CHECK(done[i] == (i == 9 ? 0 : 1));
  }
  CHECK(same_bits(accuracy, surface.plane("train_acc")));
  CHECK(same_bits(loss, surface.plane("train_loss")));
  CHECK(cells_of(lines[4])[3] == "inf");
  CHECK(cells_of(lines[10])[3] == "");
}

TEST_CASE("csv: a line has no y") {
  Surface line({0, 0.1, 1});
  line.add_plane("train_loss") = {3, 2, 1};
  for (int64_t i = 0; i < 3; ++i) line.mark_done(i);
  CHECK(csv_of(record_of(line)) == "x,train_loss,done\n0,3,1\n0.1,2,1\n1,1,1\n");
}

TEST_CASE("csv: provenance in comments, a line each, when asked for") {
  const auto lines = lines_of(csv_of(record_of(lopsided()), true));
  REQUIRE(lines.size() == 16);
  CHECK(lines[0] == "# command: landscape surface \"a b\" <x> & \xC3\xA9 next");
  CHECK(lines[1] == "# dir_file: directions.h5");
  CHECK(lines[2] == "# seed: 3");
  CHECK(lines[3] == "x,y,train_acc,train_loss,done");
}

TEST_CASE("csv: texts are quoted where they have to be") {
  Record record{"gap", "", {}, {"row"}};
  record.add_words("na,me", "row", {"plain", "a,b", "say \"so\"", ""});
  record.add_series("value", "row", {1, 2, kNan, -kInfinity});
  CHECK(csv_of(record) == "\"na,me\",value\nplain,1\n\"a,b\",2\n\"say \"\"so\"\"\",\n,-inf\n");
  CHECK(cells_of("\"say \"\"so\"\"\",2") == std::vector<std::string>{"say \"so\"", "2"});
}

TEST_CASE("csv: a plane that is called like a column is refused") {
  Surface surface({0, 1}, {0, 1});
  surface.add_plane("x");
  CHECK(error_of([&] { record_of(surface); }) == "two arrays of a record are called 'x'");
}
