// Lists of commands: finding one by name, and the table of all.
#include <doctest/doctest.h>

#include "apps/common/command.h"

using namespace topograd;

namespace {

class Draw : public cli::Command {
 public:
  void add_options(cli::Options& options) override { options.flag("log", log, "logarithmic"); }
  int run(const std::string&) override { return log ? 3 : 4; }
  bool log = false;
};

const std::vector<cli::CommandEntry> kCommands = {
    {"surface", "MODEL", "losses", cli::make_command<Draw>},
    {"draw", "FILE...", "figures", cli::make_command<Draw>, "Draw"},
    {"line", "", "losses along a line", cli::make_command<Draw>}};

std::string refusal(const std::string& name) {
  try {
    cli::entry_named(kCommands, name, "tool");
  } catch (const cli::UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a command is found by its name alone") {
  CHECK(cli::entry_named(kCommands, "draw", "tool").summary == std::string("figures"));
  CHECK(refusal("drwa") ==
        "unknown command 'drwa': did you mean draw? choose surface, draw or line; see tool --help");
  CHECK(refusal("volume") ==
        "unknown command 'volume': choose surface, draw or line; see tool --help");
  CHECK(refusal("Draw") != "");
}

TEST_CASE("the table of commands, by group") {
  CHECK(cli::command_table(kCommands, "tool") == R"(Compute:
  tool surface MODEL  losses
  tool line           losses along a line

Draw:
  tool draw FILE...   figures
)");
}

TEST_CASE("a command reads its words") {
  Draw draw;
  cli::Options options("tool draw");
  CHECK(cli::read_command_line(draw, options, {"--log"}));
  CHECK(draw.run("") == 3);
  Draw wrong;
  cli::Options others("tool draw");
  CHECK_THROWS_AS(cli::read_command_line(wrong, others, {"--lgo"}), cli::UsageError);
}
