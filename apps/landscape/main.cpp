// landscape: maps the loss around a trained network.
#include <iostream>

#include "apps/common/cli.h"
#include "apps/common/command.h"
#include "apps/common/settings_file.h"
#include "apps/landscape/commands.h"
#include "apps/landscape/common/distributed_command.h"
#include "kernels/core/version.h"
#include "landscape/distributed/process_group.h"

using namespace topograd;

namespace {

constexpr const char* kAbout =
    "Maps the landscape of a network's loss: surfaces, curvature, sharpness, paths between minima.";

constexpr const char* kEpilogue = R"(
  landscape help <command>     the options of a command; or landscape <command> --help
  landscape --version

A MODEL is a file of train or apps/import_torch.py. Results are HDF5 files, surfaces in the layout of
the paper's authors, and pictures as SVG and PNG. Ctrl-C saves; the same command continues.

Examples:
  landscape surface model.safetensors --data cifar10 --images 1000 --x -1:1:51 --y -1:1:51
  landscape trajectory runs/resnet20 --data cifar10 --images 1000    (of train --checkpoint-every 1)
  landscape line a.safetensors b.safetensors --data cifar10 --split both
  landscape report *.h5 --title "ResNet-20"
)";

void require_alone(const std::string& command) {
  require_one_process(text("landscape ", command,
                           " runs as one, with as many threads as there are processors: start it "
                           "without a launcher"));
}

int run_command(const cli::CommandEntry& entry, const std::vector<std::string>& words,
                const std::string& typed) {
  const std::unique_ptr<cli::Command> command = entry.make();
  auto* const distributed = dynamic_cast<DistributedCommand*>(command.get());
  std::unique_ptr<ProcessGroup> group;
  if (distributed != nullptr) group = init_process_group();  // before any but rank zero prints
  // Print an error before the group ends: a launcher kills rank zero as soon as another rank exits
  // with an error.
  return cli::run_program("landscape", [&] {
    cli::Options options(text("landscape ", entry.name));
    if (!cli::read_command_line(*command, options, words)) return 0;
    if (distributed == nullptr) require_alone(entry.name);
    command->check(options);
    std::vector<OutputClaim> claims;
    if (group == nullptr || group->is_rank_zero()) claims = options.claim_outputs();
    return distributed != nullptr ? distributed->run_distributed(typed, *group)
                                  : command->run(typed);
  });
}

int run(std::vector<std::string> words) {
  // "landscape help plot" is "landscape plot --help".
  if (words.size() == 3 && words[1] == "help") words = {words[0], words[2], "--help"};
  const std::string word = words.size() > 1 ? words[1] : "help";
  const std::vector<cli::CommandEntry>& commands = landscape_commands();
  if (word == "--help" || word == "-h" || word == "help") {
    std::cout << kAbout << "\n\n" << cli::command_table(commands, "landscape") << kEpilogue;
    return 0;
  }
  if (word == "--version") {
    std::cout << "landscape " << version() << '\n';
    return 0;
  }
  const cli::CommandEntry& entry = cli::entry_named(commands, word, "landscape");
  return run_command(entry, {words.begin() + 2, words.end()}, cli::shell_quoted(words));
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("landscape", [&] {
    return run(cli::with_settings_files({argv, argv + argc}, 2));
  });
}
