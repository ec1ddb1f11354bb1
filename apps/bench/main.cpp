// bench: times training steps, surfaces and products with the Hessian, PyTorch beside them in the
// same run.
#include <iostream>

#include "apps/bench/curvature.h"
#include "apps/bench/surfaces.h"
#include "apps/bench/training.h"

using namespace topograd;

namespace {

constexpr const char* kHelp = R"(Times Topograd, and PyTorch in the same run.

  bench training   steps of SGD
  bench surfaces   points of a loss surface
  bench curvature  products with the Hessian of a loss

bench training --help and so on say more.
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
  if (word == "curvature") return run_bench_curvature(arguments);
  fail("'", word, "': choose training, surfaces or curvature; see bench --help");
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("bench", [&] { return run(argc, argv); });
}
