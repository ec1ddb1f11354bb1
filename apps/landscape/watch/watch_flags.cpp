#include "apps/landscape/watch/watch_flags.h"

#include "kernels/core/check.h"

namespace topograd {

namespace {

int port_of(const std::string& word) {
  const bool is_number = !word.empty() && word.find_first_not_of("0123456789") == word.npos;
  require(is_number && word.size() <= 5 && std::stoi(word) <= 65535, "--serve '", word,
          "' is not a port: choose 1024 to 65535, or 0 for any free one");
  return std::stoi(word);
}

}  // namespace

void WatchFlags::add_to(cli::Options& options) {
  options
      .about(
          "Shows a surface, line or map while another process computes it: as a picture in the "
          "terminal and, with --serve, as a page for a browser on this machine. Waits for a file "
          "that is not there yet, ends when all points are done (q and Ctrl-C end it before). "
          "Where stdout is no terminal: a line for every change.")
      .usage("SURFACE.h5")
      .positionals("SURFACE.h5", files);
  options.group("Watch")
      .value("serve", "PORT",
             "a page at the address that is printed; 0: any free port (default: 8642)", "",
             [this](const std::string&, const std::string& word) { port = port_of(word); })
      .implicitly("8642")
      .flag("stay", stay, "go on when all points are done")
      .flag("once", once, "one frame, and end")
      .choice("colour", colour, {{"always", "always"}, {"never", "never"}, {"auto", "auto"}},
              "in the terminal; auto: where stdout is one and NO_COLOR is not set");
  values.add_to(options);
  options.epilogue(R"(Examples:
  landscape watch surface.h5
  landscape watch surface.h5 --serve --stay
)");
}

void WatchFlags::check() const {
  require(!files.empty(),
          "name the surface: landscape watch surface.h5; see landscape watch --help");
  require(files.size() == 1, "one surface can be watched at a time, not ", files.size(), ": ",
          files[0], ", ", files[1], "...");
  require(!once || !(stay || port), "--once shows one frame and ends: leave out ",
          stay ? "--stay" : "--serve");
  values.check();
}

}  // namespace topograd
