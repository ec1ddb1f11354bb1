// Manual pages, in the language of man(7).
#pragma once

#include <string>

#include "apps/manual/documented_program.h"

namespace topograd {

/// Returns the page of a program: its commands, each with the page that describes it.
std::string program_page(const DocumentedProgram& program);

/// Returns the page of a command of the program: what it does, every option, examples.
std::string command_page(const DocumentedProgram& program, const DocumentedCommand& command);

}  // namespace topograd
