// Completion of a program's commands, options and their values, for three shells.
#pragma once

#include <string>

#include "apps/manual/documented_program.h"

namespace topograd {

// Each offers a program's commands, then the command's options; behind an option with choices
// these, behind one that takes a file or folder such names, behind one that takes a number or a
// text nothing; elsewhere files.

std::string bash_completion(const DocumentedProgram& program);
std::string zsh_completion(const DocumentedProgram& program);
std::string fish_completion(const DocumentedProgram& program);

}  // namespace topograd
