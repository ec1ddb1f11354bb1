// topograd_manual FOLDER: writes the programs' manual pages and shells' completion there, from the
// options that --help shows. Run by the build.
#include <filesystem>
#include <iostream>

#include "apps/manual/completion.h"
#include "apps/manual/manual_page.h"
#include "kernels/core/atomic_file.h"

using namespace topograd;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  write_file_atomically(path.string(), text);
}

void write_manual(const std::filesystem::path& folder, const DocumentedProgram& program) {
  write(folder / "man1" / (program.name + ".1"), program_page(program));
  for (const DocumentedCommand& command : program.commands)
    write(folder / "man1" / (command.page() + ".1"), command_page(program, command));
  write(folder / "bash" / program.name, bash_completion(program));
  write(folder / "zsh" / ("_" + program.name), zsh_completion(program));
  write(folder / "fish" / (program.name + ".fish"), fish_completion(program));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc == 2, "usage: topograd_manual FOLDER");
    std::filesystem::remove_all(argv[1]);  // removes pages of former commands
    write_manual(argv[1], documented_landscape());
    write_manual(argv[1], documented_train());
  } catch (const std::exception& error) {
    std::cerr << "topograd_manual: " << error.what() << '\n';
    return 1;
  }
}
