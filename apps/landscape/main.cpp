// landscape: maps the loss around a trained network.
#include <iostream>

#include "apps/landscape/animate/animate_command.h"
#include "apps/landscape/commands.h"
#include "apps/landscape/common/distributed_command.h"
#include "apps/landscape/compare/compare_command.h"
#include "apps/landscape/export/export_command.h"
#include "apps/landscape/plot/plot_command.h"
#include "apps/landscape/report/report_command.h"
#include "apps/landscape/watch/watch_command.h"
#include "kernels/core/check.h"
#include "kernels/core/version.h"
#include "landscape/distributed/process_group.h"

using namespace topograd;

namespace {

constexpr const char* kUsage = R"(Maps the landscape of a network's loss.

Usage:
  landscape surface MODEL.safetensors [flags]   losses on a plane through the network
  landscape line MODEL.safetensors [flags]      losses along a line
  landscape line A.safetensors B.safetensors    losses on the way to another network, and the barrier
  landscape plane A B C [flags]                 losses on the plane through three networks
  landscape plane MODEL.safetensors [flags]     or along eigenvectors, the gradient, a file's directions
  landscape trajectory RUN [flags]              a training's path on the plane of its principal components
  landscape hessian MODEL.safetensors [flags]   the curvature's eigenvalues, trace and density
  landscape sharpness MODEL... [flags]          measures of how sharp the minima of networks are
  landscape coherence MODEL.safetensors...      how well minibatches' gradients agree
  landscape connect A.safetensors B.safetensors losses on paths between two networks
  landscape compare FIRST.h5 OTHER.h5...        how surfaces on the same points differ, or networks
                                                by their measures of sharpness
  landscape plot FILE... [flags]                figures of results: SVG, PNG, PDF; beside one another
  landscape animate FOLDER | FILE... [flags]    films of surfaces, or of a camera that goes around them
  landscape export FILE... --format vtp,npz     results in other tools' formats: ParaView, NumPy, JSON,
                                                CSV, Blender, 3D printing, the authors' own
  landscape report RESULT...                    results of all these, as one interactive HTML page
  landscape watch SURFACE.h5 [flags]            a surface while it is computed: in the terminal, in a
                                                browser on this machine (--serve)
  landscape <command> --help                    the flags
  landscape --version

Examples:
  landscape surface model.safetensors --data cifar10 --images 1000 --x -1:1:51 --y -1:1:51
  landscape trajectory runs/resnet20 --data cifar10 --images 1000    (of train --checkpoint-every 1)
  landscape line a.safetensors b.safetensors --data cifar10 --split both

Surfaces and lines are HDF5 files in the layout of the paper's authors, and pictures as SVG and PNG. Ctrl-C
saves; the same command continues.
)";

/// A command of one process.
struct Command {
  const char* name;
  cxxopts::Options (*flags)();
  std::string (*help)(const cxxopts::Options&);
  /// The second argument is what the user typed, for files.
  int (*run)(const cxxopts::ParseResult&, const std::string&);
};

using Options = cxxopts::Options;

const Command kCommands[] = {
    {"compare", compare_flags, [](const Options& options) { return options.help(); },
     [](const cxxopts::ParseResult& flags, const std::string&) { return run_compare(flags); }},
    {"plot", plot_flags, [](const Options& options) { return options.help(); },
     [](const cxxopts::ParseResult& flags, const std::string&) { return run_plot(flags); }},
    {"animate", animate_flags, [](const Options& options) { return options.help(); },
     [](const cxxopts::ParseResult& flags, const std::string&) { return run_animate(flags); }},
    {"export", export_flags, [](const Options& options) { return options.help(); },
     [](const cxxopts::ParseResult& flags, const std::string&) { return run_export(flags); }},
    {"report", report_flags, [](const Options& options) { return options.help(); }, run_report},
    {"watch", watch_flags, [](const Options& options) { return options.help(); }, run_watch},
};

std::vector<std::string> words_of(int argc, char** argv) {
  return {argv, argv + argc};
}

/// Parses the words and runs the command; `group` is null where the command runs as one process.
int run_in_group(const cli::CommandEntry& entry, cli::Command& command,
                 const std::vector<std::string>& words, ProcessGroup* group) {
  bool help = false;
  cli::Options options(text("landscape ", entry.name));
  command.add_options(options);
  options.group("Run").flag("help,h", help, "print this");
  options.parse({words.begin() + 2, words.end()});
  if (help) {
    std::cout << options.help();
    return 0;
  }
  const std::string typed = cli::shell_quoted(words);
  if (group != nullptr) {
    command.check(options);
    return dynamic_cast<DistributedCommand&>(command).run_distributed(typed, *group);
  }
  require_one_process(text("landscape ", entry.name,
                           " runs as one, with as many threads as there are processors: start it "
                           "without a launcher"));
  command.check(options);
  return command.run(typed);
}

int run_entry(const cli::CommandEntry& entry, const std::vector<std::string>& words) {
  const std::unique_ptr<cli::Command> command = entry.make();
  if (dynamic_cast<DistributedCommand*>(command.get()) == nullptr)
    return run_in_group(entry, *command, words, nullptr);
  const std::unique_ptr<ProcessGroup> group =
      init_process_group();  // before any but rank zero says anything
  // An error is said before the ranks part: a launcher ends rank zero as soon as another has left
  // with an error.
  return cli::run_program("landscape",
                          [&] { return run_in_group(entry, *command, words, group.get()); });
}

int run_command(const Command& command, cli::Arguments& arguments, const std::string& typed) {
  Options options = command.flags();
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help") != 0) {
    std::cout << command.help(options);
    return 0;
  }
  require_one_process(text("landscape ", command.name,
                           " runs as one, with as many threads as there are processors: start it "
                           "without a launcher"));
  return command.run(flags, typed);
}

int run(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "--help";
  if (word == "--help" || word == "-h") {
    std::cout << kUsage;
    return 0;
  }
  if (word == "--version") {
    std::cout << "landscape " << version() << '\n';
    return 0;
  }
  for (const cli::CommandEntry& entry : landscape_commands())
    if (word == entry.name) return run_entry(entry, words_of(argc, argv));
  cli::Arguments all(argc, argv);
  cli::Arguments arguments(argc - 1, argv + 1);
  for (const Command& command : kCommands)
    if (command.name == word) return run_command(command, arguments, all.command());
  std::string names;
  for (const cli::CommandEntry& entry : landscape_commands())
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  for (const Command& command : kCommands) names += std::string(", ") + command.name;
  fail("unknown command '", word, "': choose one of ", names, "; see landscape --help");
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("landscape", [&] { return run(argc, argv); });
}
