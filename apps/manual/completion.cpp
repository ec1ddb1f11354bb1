#include "apps/manual/completion.h"

#include "kernels/core/check.h"

namespace topograd {

namespace {

using cli::OptionEntry;
using cli::ValueKind;

/// Quotes in single quotes: within them fish knows \' and \\, the other shells neither.
std::string quoted(const std::string& text, bool fish = false) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += fish ? "\\'" : "'\\''";
    else if (c == '\\' && fish)
      result += "\\\\";
    else
      result += c;
  }
  return result + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool has_choices(const OptionEntry& entry) {
  return entry.kind == ValueKind::choice && !entry.choices.empty();
}

/// Returns whether the next word is always the option's value.
bool takes_next_word(const OptionEntry& entry) {
  return entry.kind != ValueKind::none && !entry.implicit;
}

/// Returns what completes the option's value; nothing for a number.
std::string bash_values(const OptionEntry& entry) {
  if (has_choices(entry)) return "_topograd_words " + quoted(joined(entry.choices));
  if (entry.kind == ValueKind::file) return "_topograd_files -f";
  if (entry.kind == ValueKind::folder) return "_topograd_files -d";
  return "";
}

/// Escapes a description in brackets, or before a colon.
std::string zsh_text(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_action(const OptionEntry& entry) {
  if (entry.kind == ValueKind::none) return "";
  const std::string value = zsh_text(entry.value.empty() ? "value" : entry.value);
  const std::string action = has_choices(entry)                ? "(" + joined(entry.choices) + ")"
                             : entry.kind == ValueKind::file   ? "_files"
                             : entry.kind == ValueKind::folder ? "_files -/"
                                                               : " ";
  return (entry.implicit ? "::" : ":") + value + ":" + action;
}

/// Returns the option's names, each as a line of _arguments.
std::string zsh_option(const OptionEntry& entry) {
  std::string lines;
  for (const std::string& name : typed_names(entry)) {
    const bool is_letter = name.size() == 2;
    if (!is_letter && name != "--" + entry.names.front()) continue;  // older spellings
    // Signs of _arguments: the value is the next word, or follows the sign, or only the latter.
    const char* sign = entry.kind == ValueKind::none ? ""
                       : is_letter                   ? "+"
                       : entry.implicit              ? "=-"
                                                     : "=";
    lines += "      " +
             quoted("*" + name + sign + "[" + zsh_text(entry.help) + "]" + zsh_action(entry)) +
             " \\\n";
  }
  return lines;
}

std::string fish_values(const OptionEntry& entry) {
  if (!takes_next_word(entry)) return "";
  if (has_choices(entry)) return " -x -a " + quoted(joined(entry.choices), true);
  if (entry.kind == ValueKind::file) return " -r -F";
  if (entry.kind == ValueKind::folder) return " -x -a '(__fish_complete_directories)'";
  return " -x";
}

}  // namespace

std::string bash_completion(const DocumentedProgram& program) {
  std::vector<std::string> commands;
  std::string values, options;
  for (const DocumentedCommand& command : program.commands) {
    const std::string name = command.entry.name;
    commands.push_back(name);
    std::vector<std::string> names;
    std::string without_words;
    for (const OptionEntry& entry : shown_options(*command.options)) {
      names.push_back("--" + entry.names.front());
      if (!takes_next_word(entry)) continue;
      std::string patterns;
      for (const std::string& option : typed_names(entry))
        patterns += (patterns.empty() ? "" : " | ") + quoted(name + " " + option);
      const std::string words = bash_values(entry);
      if (words.empty())
        without_words += (without_words.empty() ? "" : " | ") + patterns;
      else
        values += "    " + patterns + ") " + words + "; return ;;\n";
    }
    if (!without_words.empty()) values += "    " + without_words + ") return ;;\n";
    options += "      " + quoted(name) + ") _topograd_words " + quoted(joined(names)) + " ;;\n";
  }
  const char* command_word = program.has_commands() ? "${COMP_WORDS[1]}" : "";
  const std::string first_word = program.has_commands()
                                     ? "  if ((COMP_CWORD == 1)); then\n    _topograd_words " +
                                           quoted(joined(commands) + " --help --version") +
                                           "\n    return\n  fi\n"
                                     : "";
  return text("# bash completion for ", program.name, R"( -*- shell-script -*-

_topograd_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_topograd_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_topograd_)",
              program.name, R"(() {
  local command=)",
              command_word, R"(
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  # "--option=value" comes in three words.
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
)",
              first_word, R"(  case "$command $previous" in
)",
              values, R"(  esac
  if [[ $current == -* ]]; then
    case $command in
)",
              options, R"(    esac
    return
  fi
  _topograd_files -f
}
complete -F _topograd_)",
              program.name, " ", program.name, "\n");
}

std::string zsh_completion(const DocumentedProgram& program) {
  std::string commands, options;
  for (const DocumentedCommand& command : program.commands) {
    const std::string name = command.entry.name;
    commands += "    " + quoted(name + ":" + zsh_text(command.entry.summary)) + "\n";
    options += "  " + quoted(name) + ")\n    _arguments -s \\\n";
    for (const OptionEntry& entry : shown_options(*command.options)) options += zsh_option(entry);
    options += "      '*:file:_files'\n    ;;\n";
  }
  if (!program.has_commands())
    return text("#compdef ", program.name, "\n\ncase '' in\n", options, "esac\n");
  return text("#compdef ", program.name, R"(

if (( CURRENT == 2 )); then
  local -a commands=(
)",
              commands, R"(  )
  _describe command commands
  return
fi
shift words
(( CURRENT-- ))
case $words[1] in
)",
              options, "esac\n");
}

std::string fish_completion(const DocumentedProgram& program) {
  const std::string begin = "complete -c " + program.name + " ";
  std::string lines = "# fish completion for " + program.name + "\n";
  if (program.has_commands())
    for (const char* option : {"help", "version"})
      lines += begin + "-n __fish_use_subcommand -l " + option + "\n";
  for (const DocumentedCommand& command : program.commands) {
    const std::string name = command.entry.name;
    std::string condition;
    if (program.has_commands()) {
      lines += begin + "-n __fish_use_subcommand -f -a " + name + " -d " +
               quoted(command.entry.summary, true) + "\n";
      condition = "-n '__fish_seen_subcommand_from " + name + "' ";
    }
    for (const OptionEntry& entry : shown_options(*command.options)) {
      lines += begin + condition + "-l " + entry.names.front();
      for (const std::string& option : typed_names(entry))
        if (option.size() == 2) lines += " -s " + option.substr(1);
      lines += fish_values(entry) + " -d " + quoted(entry.help, true) + "\n";
    }
  }
  return lines;
}

}  // namespace topograd
