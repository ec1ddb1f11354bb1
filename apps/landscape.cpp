// landscape: maps the loss around a trained network.
#include <iostream>

#include "apps/coherence_command.h"
#include "apps/compare_command.h"
#include "apps/connect_command.h"
#include "apps/hessian_command.h"
#include "apps/sharpness_command.h"
#include "apps/surface_command.h"
#include "kernels/core/check.h"

using namespace topograd;

namespace {

constexpr const char* kUsage = R"(Maps the landscape of a network's loss.

Usage:
  landscape surface MODEL.safetensors [flags]   losses on a plane through the network
  landscape line MODEL.safetensors [flags]      losses along a line, or on the way to another network
  landscape hessian MODEL.safetensors [flags]   the curvature's eigenvalues, trace and density
  landscape sharpness MODEL... [flags]          measures of how sharp the minima of networks are
  landscape coherence MODEL.safetensors...      how well minibatches' gradients agree
  landscape connect A.safetensors B.safetensors losses on paths between two networks
  landscape compare FIRST.h5 OTHER.h5...        how surfaces on the same points differ, or networks
                                                by their measures of sharpness
  landscape <command> --help                    the flags
  landscape --version

Examples:
  landscape surface model.safetensors --data cifar10 --images 1000 --x -1:1:51 --y -1:1:51
  landscape line a.safetensors --to b.safetensors --data cifar10 --split both

Surfaces and lines are HDF5 files in the layout of the paper's authors, and pictures as SVG and PNG. Ctrl-C
saves; the same command continues.
)";

int compare(cli::Arguments& arguments) {
  cxxopts::Options options = compare_flags();
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help") == 0) return run_compare(flags);
  std::cout << options.help();
  return 0;
}

int connect(cli::Arguments& arguments, const std::string& command) {
  cxxopts::Options options = connect_flags();
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help") == 0) return run_connect(flags, command);
  std::cout << options.help({"Paths", "Curve", "Data", "Output", "Run"});
  return 0;
}

int hessian(cli::Arguments& arguments, const std::string& command) {
  cxxopts::Options options = hessian_flags();
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help") == 0) return run_hessian(flags, command);
  std::cout << options.help({"Curvature", "Data", "Over a surface", "Output", "Run"});
  return 0;
}

int sharpness(cli::Arguments& arguments, const std::string& command) {
  cxxopts::Options options = sharpness_flags();
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help") == 0) return run_sharpness(flags, command);
  std::cout << sharpness_help(options);
  return 0;
}

int coherence(cli::Arguments& arguments, const std::string& command) {
  cxxopts::Options options = coherence_flags();
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help") == 0) return run_coherence(flags, command);
  std::cout << options.help({"Gradients", "Data", "Output", "Run"});
  return 0;
}

int run(int argc, char** argv) {
  const std::string subcommand = argc > 1 ? argv[1] : "--help";
  if (subcommand == "--help" || subcommand == "-h") {
    std::cout << kUsage;
    return 0;
  }
  if (subcommand == "--version") {
    std::cout << "landscape " << cli::version() << '\n';
    return 0;
  }
  require(subcommand == "surface" || subcommand == "line" || subcommand == "hessian" ||
              subcommand == "sharpness" || subcommand == "coherence" || subcommand == "connect" ||
              subcommand == "compare",
          "unknown command '", subcommand,
          "': choose surface or line, hessian, sharpness, coherence, connect or compare; see "
          "landscape --help");
  const bool line = subcommand == "line";
  cli::Arguments all(argc, argv);
  cli::Arguments arguments(argc - 1, argv + 1);
  if (subcommand == "compare") return compare(arguments);
  if (subcommand == "coherence") return coherence(arguments, all.command());
  if (subcommand == "connect") return connect(arguments, all.command());
  if (subcommand == "hessian") return hessian(arguments, all.command());
  if (subcommand == "sharpness") return sharpness(arguments, all.command());
  const std::unique_ptr<Ranks> ranks = join_ranks();  // before any but rank 0 says anything
  // An error is said before the ranks part: a launcher ends rank 0 as soon as another has left
  // with an error.
  return cli::run_program("landscape", [&] {
    cxxopts::Options options = surface_flags(line);
    const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
    if (flags.count("help") == 0) return run_surface(flags, line, all.command(), *ranks);
    std::cout << surface_help(options);
    return 0;
  });
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("landscape", [&] { return run(argc, argv); });
}
