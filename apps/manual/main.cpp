// topograd_manual FOLDER DOCUMENTS: writes the programs' manual pages and shells' completion there, from
// the options that --help shows, and that of the tasks from their documents. Run by the build.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "apps/manual/completion.h"
#include "apps/manual/manual_page.h"
#include "apps/manual/tasks_page.h"
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

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  require(file.good(), path.string(), " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_tasks(const std::filesystem::path& folder, const std::filesystem::path& documents) {
  const std::string list = read(documents / "README.md");
  std::vector<std::string> texts = {list};
  for (const std::string& name : documents_listed(list)) texts.push_back(read(documents / name));
  write(folder / "man7" / "topograd-tasks.7", tasks_page(texts));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc == 3, "usage: topograd_manual FOLDER DOCUMENTS");
    std::filesystem::remove_all(argv[1]);  // removes pages of former commands
    write_manual(argv[1], documented_landscape());
    write_manual(argv[1], documented_train());
    write_tasks(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::cerr << "topograd_manual: " << error.what() << '\n';
    return 1;
  }
}
