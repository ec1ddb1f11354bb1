// Manual pages and completion of a program that is not there: what each kind of option becomes.
#include <doctest/doctest.h>

#include "apps/manual/completion.h"
#include "apps/manual/manual_page.h"
#include "apps/manual/tasks_page.h"

using namespace topograd;

namespace {

struct PaintCommand : cli::Command {
  void add_options(cli::Options& options) override {
    options.about("Paints a wall. -1 is a number.\n.TH is no request.\n\n  paint wall\n")
        .positional("WALL", wall)
        .group("Colour")
        .choice("colour,c", colour, {{"red", 0}, {"green", 1}}, "of the paint: it's dry [soon]")
        .flag("twice", twice, "two layers")
        .group("Output")
        .file("output,o,out-file", output, "the picture")
        .folder("folder", folder, "where it goes")
        .integer("port", port, {1, 9}, "where it is shown")
        .implicitly("8")
        .integer("old", port, {1, 9}, "without effect")
        .hidden()
        .epilogue("\nExamples:\n  paint wall --colour red\n\nMore.\n");
  }
  int run(const std::string&) override { return 0; }

  std::string wall, output, folder;
  int colour = 0, port = 1;
  bool twice = false;
};

DocumentedProgram painter(bool has_commands) {
  DocumentedProgram program{"painter", "paint", has_commands ? "Paints." : "", {}};
  const cli::CommandEntry entry{has_commands ? "wall" : "", "WALL", "paint a wall",
                                cli::make_command<PaintCommand>};
  program.commands.push_back(documented(program.name, entry));
  return program;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a manual page says what --help says, and nothing in it is a request by chance") {
  const DocumentedProgram program = painter(true);
  const std::string page = command_page(program, program.commands[0]);
  CHECK(page.starts_with(".TH PAINTER\\-WALL 1 \"\" \"Topograd "));
  CHECK(has(page, "\npainter\\-wall \\- paint a wall\n"));
  CHECK(has(page, "\n\\fBpainter wall\\fR [\\fIoptions\\fR] \\fIWALL\\fR\n"));
  CHECK(has(page, "\nPaints a wall. \\-1 is a number.\n\\&.TH is no request.\n"));
  CHECK(has(page, "\n.EX\n  paint wall\n.EE\n"));
  CHECK(
      has(page,
          ".SS Colour\n.TP\n\\fB\\-c\\fR, \\fB\\-\\-colour\\fR \\fIred|green\\fR\n"
          "of the paint: it's dry [soon] (default: red)\n.TP\n\\fB\\-\\-twice\\fR\ntwo layers\n"));
  CHECK(
      has(page,
          "\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFILE\\fR\nthe picture (or \\-\\-out\\-file)\n"));
  CHECK(has(page, "\\fB\\-\\-port\\fR[=\\fIN\\fR]\n"));
  CHECK(has(page, "\n.SH EXAMPLES\n.PP\n.EX\n  paint wall \\-\\-colour red\n.EE\n.PP\nMore.\n"));
  CHECK_FALSE(has(page, "\\-old"));
  CHECK(has(page, ".SH SEE ALSO\n\\fBpainter\\fR(1)\n"));
}

TEST_CASE("the program's page leads to its commands'") {
  const std::string page = program_page(painter(true));
  CHECK(has(page,
            "\\fBpainter wall\\fR \\fIWALL\\fR\npaint a wall; see \\fBpainter\\-wall\\fR(1)\n"));
  CHECK(has(page, ".SH DESCRIPTION\nPaints.\n"));
}

TEST_CASE("bash: values behind the options that take the next word") {
  const std::string script = bash_completion(painter(true));
  CHECK(has(script, "    'wall --colour' | 'wall -c') _topograd_words 'red green'; return ;;\n"));
  CHECK(has(script, "    'wall --output' | 'wall -o' | 'wall --out-file') _topograd_files -f; "));
  CHECK(has(script, "    'wall --folder') _topograd_files -d; return ;;\n"));
  CHECK(has(script,
            "_topograd_words '--colour --twice --output --folder --port --config --help' ;;\n"));
  CHECK_FALSE(has(script, "'wall --port'"));
  CHECK_FALSE(has(script, "--old"));
}

TEST_CASE("zsh and fish: descriptions are quoted as each wants it") {
  const DocumentedProgram program = painter(true);
  const std::string zsh = zsh_completion(program), fish = fish_completion(program);
  CHECK(has(zsh, R"('*--colour=[of the paint\: it'\''s dry \[soon\]]:red|green:(red green)' \)"));
  CHECK(has(zsh, R"('*--port=-[where it is shown]::N: ' \)"));
  CHECK(has(zsh, R"('*--twice[two layers]' \)"));
  CHECK(has(fish,
            "complete -c painter -n '__fish_seen_subcommand_from wall' -l colour -s c -x -a 'red "
            "green' -d 'of the paint: it\\'s dry [soon]'\n"));
  CHECK(has(fish, "-l port -d 'where it is shown'\n"));
  CHECK_FALSE(has(zsh, "--old"));
  CHECK_FALSE(has(fish, "-l old"));
}

TEST_CASE("a program without commands is one page, and its options come at once") {
  const DocumentedProgram program = painter(false);
  CHECK(program.commands[0].page() == "painter");
  const std::string page = command_page(program, program.commands[0]);
  CHECK(has(page, "\n\\fBpainter\\fR [\\fIoptions\\fR] \\fIWALL\\fR\n"));
  CHECK_FALSE(has(page, "SEE ALSO"));
  const std::string bash = bash_completion(program);
  CHECK(has(bash, "  local command=\n"));
  CHECK(has(bash, "' --colour' | ' -c') _topograd_words 'red green'"));
  CHECK_FALSE(has(bash, "COMP_CWORD == 1"));
  CHECK(has(fish_completion(program), "complete -c painter -l colour -s c -x"));
  CHECK(has(zsh_completion(program), "#compdef painter\n\ncase '' in\n  '')\n"));
}

TEST_CASE("documents of tasks become a manual page") {
  CHECK(documents_listed(
            "# Tasks\n\n| page | what |\n|---|---|\n| [A `b`](a.md) | x |\n| [C](c.md) | y |\n") ==
        std::vector<std::string>{"a.md", "c.md"});
  CHECK(troff_of("# How long?\n\nSee `--dry-run`, **all** of it:\n[a page](b.md) and\n.x\n") ==
        ".SH HOW LONG?\n.PP\nSee \\fB\\-\\-dry\\-run\\fR, \\fBall\\fR of it:\na page and\n\\&.x\n");
  CHECK(troff_of("```sh\nls *.h5\n.x `y`\n```\n![A *picture*](a.png)\n") ==
        ".PP\n.EX\nls *.h5\n\\&.x `y`\n.EE\n");
  CHECK(troff_of("| said | do |\n|---|---|\n| `a \\| b` | [it](x.md) |\n| c | d | e |\n") ==
        ".TP\n\\fBa | b\\fR\nit\n.TP\nc\nd\n.br\ne\n");
  CHECK(troff_of("## Reading\n- one\n  more\n") == ".SS Reading\n.IP \\(bu 2\none\nmore\n");
}
