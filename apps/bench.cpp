// bench: times training steps and surfaces, PyTorch beside them in the same run.
#include <iostream>

#include "apps/bench_surfaces.h"
#include "apps/bench_training.h"

using namespace topograd;

namespace {

constexpr const char* kHelp = R"(Times Topograd, and PyTorch in the same run.

  bench training   steps of SGD
  bench surfaces   points of a loss surface

bench training --help and bench surfaces --help say more.
)";

int run(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "--help";
  if (word == "--help") {
    std::cout << kHelp;
    return 0;
  }
  cli::Arguments arguments(argc - 1, argv + 1);
  if (word == "training") return run_bench_training(arguments);
  if (word == "surfaces") return run_bench_surfaces(arguments);
  fail("'", word, "': choose training or surfaces; see bench --help");
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("bench", [&] { return run(argc, argv); });
}
