// bench: times training steps, surfaces and products with the Hessian, PyTorch beside them in the
// same run.
#include <iostream>

#include "apps/bench/curvature.h"
#include "apps/bench/surfaces.h"
#include "apps/bench/training.h"
#include "apps/common/cli.h"

using namespace topograd;

namespace {

int run(const std::vector<std::string>& words) {
  const std::vector<cli::CommandEntry> commands = {
      {"training", "", "steps of SGD", cli::make_command<TrainingBench>, "Benchmarks"},
      {"surfaces", "", "points of a loss surface", cli::make_command<SurfacesBench>, "Benchmarks"},
      {"curvature", "", "products with the Hessian of a loss", cli::make_command<CurvatureBench>,
       "Benchmarks"}};
  const std::string word = words.size() > 1 ? words[1] : "--help";
  if (word == "--help" || word == "-h") {
    std::cout << "Times Topograd, and PyTorch in the same run.\n\n"
              << cli::command_table(commands, "bench")
              << "\nbench training --help and so on say more.\n";
    return 0;
  }
  const cli::CommandEntry& entry = cli::entry_named(commands, word, "bench");
  const std::unique_ptr<cli::Command> command = entry.make();
  cli::Options options(text("bench ", entry.name));
  if (!cli::read_command_line(*command, options, {words.begin() + 2, words.end()})) return 0;
  command->check(options);
  return command->run(cli::shell_quoted(words));
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("bench", [&] { return run({argv, argv + argc}); });
}
