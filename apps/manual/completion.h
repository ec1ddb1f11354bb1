// Completion of a program's commands, options and their values, for three shells.
#pragma once

#include <string>

#include "apps/manual/documented_program.h"

namespace topograd {

// Return a shell's completion script. It offers a program's commands, then the command's options;
// after an option its choices, or names of files or folders if it takes them, or nothing if it
// takes a number or a text; elsewhere files.

std::string bash_completion(const DocumentedProgram& program);
std::string zsh_completion(const DocumentedProgram& program);
std::string fish_completion(const DocumentedProgram& program);

}  // namespace topograd
