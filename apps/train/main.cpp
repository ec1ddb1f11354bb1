// train: trains a network, or evaluates one.
#include "apps/common/cli.h"
#include "apps/common/settings_file.h"
#include "apps/train/train_command.h"

using namespace topograd;

int main(int argc, char** argv) {
  return cli::run_program("train", [&] {
    std::vector<std::string> words = cli::with_settings_files({argv, argv + argc}, 1);
    if (words.size() == 1) words.emplace_back("--help");
    TrainCommand command;
    cli::Options options("train");
    if (!cli::read_command_line(command, options, {words.begin() + 1, words.end()})) return 0;
    command.check(options);
    return command.run(cli::shell_quoted(words));
  });
}
