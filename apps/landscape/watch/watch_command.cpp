#include "apps/landscape/watch/watch_command.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>

#include "apps/common/progress.h"
#include "apps/landscape/common/figure_flags.h"
#include "apps/landscape/watch/terminal_screen.h"
#include "apps/landscape/watch/watch_frame.h"
#include "apps/landscape/watch/watch_server.h"
#include "apps/landscape/watch/watch_status.h"
#include "apps/landscape/watch/watched_surface.h"
#include "kernels/core/check.h"
#include "kernels/core/version.h"
#include "landscape/plots/surface_plots.h"

namespace topograd {

namespace {

constexpr double kLookEvery = 0.25;  // seconds
constexpr double kDrawEvery = 1;     // seconds: the time left goes on between two files
constexpr double kLongestEnd = 10;   // seconds that an open page has for the last figure
constexpr const char* kUsualPort = "8642";

/// What the command's words without a hyphen and --serve say.
struct Arguments {
  std::string file;
  std::optional<int> port;
};

bool is_number(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789") == word.npos;
}

/// An option's value that may be left out has to be joined to it, to the parser: in "--serve 8000"
/// the number comes among the files.
Arguments arguments_of(const cxxopts::ParseResult& flags) {
  auto words = flags.count("files") ? flags["files"].as<std::vector<std::string>>()
                                    : std::vector<std::string>();
  const bool serves = flags.count("serve") > 0;
  std::string port = serves ? flags["serve"].as<std::string>() : "";
  if (serves && words.size() == 2 && port == kUsualPort) {
    const auto number = std::find_if(words.begin(), words.end(), is_number);
    if (number != words.end()) {
      port = *number;
      words.erase(number);
    }
  }
  require(!words.empty(),
          "name the surface: landscape watch surface.h5; see landscape watch --help");
  require(words.size() == 1, "one surface can be watched at a time, not ", words.size(), ": ",
          words[0], ", ", words[1], "...");
  if (!serves) return {words.front(), std::nullopt};
  require(is_number(port) && port.size() <= 5 && std::stoi(port) <= 65535, "--serve '", port,
          "' is not a port: choose 1024 to 65535, or 0 for any free one");
  return {words.front(), std::stoi(port)};
}

class Watch {
 public:
  Watch(const cxxopts::ParseResult& flags, const std::string& typed)
      : arguments_(arguments_of(flags)),
        once_(flags.count("once") > 0),
        stay_(flags.count("stay") > 0),
        picture_(picture_options(flags, std::nullopt)),
        watched_(arguments_.file) {
    picture_.look.colours = colour_map_named(flags["colours"].as<std::string>());
    picture_.values = cli::text_of(flags, "values");
    const auto& choice = flags["colour"].as<std::string>();
    require(choice == "auto" || choice == "always" || choice == "never", "--colour ", choice,
            ": choose always, never or auto");
    colours_ = terminal_colours(choice);
    require(!once_ || !(stay_ || arguments_.port), "--once shows one frame and ends: leave out ",
            stay_ ? "--stay" : "--serve");
    if (arguments_.port) serve(typed);
    if (!once_ && stdout_is_screen()) screen_.emplace();
  }

  int run() {
    cli::catch_interruption();
    if (server_) say(text("serving ", server_->url(), " to browsers on this machine"));
    while (!cli::interrupted() && !(screen_ && screen_->end_asked())) {
      const bool news = look();
      if (once_ && watched_.surface()) return show_once();
      require(!once_ || watched_.there(), arguments_.file, " is not there: is its name right?");
      show(news);
      if (!stay_ && finished()) return finish();
      wait(kLookEvery);
    }
    end_picture();
    return cli::interrupted() ? cli::kInterruptedStatus : 0;
  }

 private:
  void serve(const std::string& typed) {
    server_.emplace(
        WatchServer::Settings{arguments_.file, picture_, typed, arguments_.port.value_or(0)},
        hdf5_);
  }

  bool look() {
    const std::lock_guard reading(hdf5_);
    const bool news = watched_.look(steady_seconds());
    if (!news) return false;
    // A plane that is not there is said here, once, and not by every figure.
    if (watched_.surface()) plane_ = pictured_values(*watched_.surface(), picture_);
    if (server_)
      server_->show(
          {watched_.surface(), watched_.version(), watched_.progress(), watched_.there()});
    return true;
  }

  bool finished() const {
    return watched_.there() && watched_.surface() &&
           watched_.surface()->done_count() == watched_.surface()->points();
  }

  WatchStatus status() const {
    return status_of(*watched_.surface(), plane_, watched_.progress(), steady_seconds());
  }

  std::vector<std::string> frame(TerminalSize size) const {
    const Surface& surface = *watched_.surface();
    WatchFrame frame;
    frame.look = figure_options(surface, picture_);
    frame.plane = plane_;
    frame.title = text(arguments_.file, "  ", plane_,
                       frame.look.value_label == plane_ ? "" : " (" + frame.look.value_label + ")",
                       "  ", extent_of(surface), " points");
    const WatchStatus now = status();
    frame.words = {progress_words(now), smallest_words(now)};
    if (!watched_.there()) frame.words.insert(frame.words.begin(), kGone);
    if (server_) frame.words.push_back(server_->url());
    return frame_lines(surface, frame, colours_, size);
  }

  int show_once() {
    TerminalSize size = terminal_size();
    if (size.rows > 1) --size.rows;  // for the prompt under it
    for (const std::string& line : frame(size)) std::cout << line << '\n';
    return 0;
  }

  void show(bool news) {
    if (!watched_.surface()) {
      if (!watched_.there() && !std::exchange(said_waiting_, true))
        say("not there yet: waiting for the computation to write it");
      return;
    }
    if (screen_) return draw(news);
    if (!news) return;
    say(watched_.there() ? text(progress_words(status()), ", ", smallest_words(status())) : kGone);
  }

  /// A line of its own, before there is a picture or where there is none.
  void say(const std::string& words) const {
    std::cout << arguments_.file << ": " << words << std::endl;
  }

  void draw(bool news) {
    const TerminalSize size = terminal_size();
    const double now = steady_seconds();
    const bool same = size.columns == drawn_size_.columns && size.rows == drawn_size_.rows;
    if (!news && same && now - drawn_at_ < kDrawEvery) return;
    drawn_size_ = size;
    drawn_at_ = now;
    screen_->show(frame(size), size);
  }

  /// The picture of what is finished stays.
  int finish() {
    const double begin = steady_seconds();
    while (server_ && server_->owes_news() && steady_seconds() - begin < kLongestEnd &&
           !cli::interrupted())
      wait(kLookEvery);
    if (screen_) {
      screen_->leave();
      show_once();
    }
    return 0;
  }

  /// The terminal as it was, with a line about where things stand.
  void end_picture() {
    if (!screen_) return;
    screen_->leave();
    if (watched_.surface()) say(text(progress_words(status()), ", ", smallest_words(status())));
  }

  void wait(double seconds) {
    if (screen_)
      screen_->wait(seconds);
    else
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  }

  static constexpr const char* kGone = "the file is gone: waiting for another one";

  Arguments arguments_;
  bool once_, stay_;
  PictureOptions picture_;
  TerminalColours colours_ = TerminalColours::none;
  std::mutex hdf5_;  // held by whoever reads a file
  WatchedSurface watched_;
  std::string plane_;
  bool said_waiting_ = false;
  TerminalSize drawn_size_{0, 0};
  double drawn_at_ = 0;
  std::optional<WatchServer> server_;
  std::optional<TerminalScreen> screen_;  // last: the terminal is given back first
};

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options watch_flags() {
  cxxopts::Options options(
      "landscape watch",
      "Shows a surface, line or map while another process computes it: as a picture in the terminal and,\n"
      "with --serve, as a page for a browser on this machine. Waits for a file that is not there yet, ends\n"
      "when all points are done (q and Ctrl-C end it before). Where stdout is no terminal: a line for every\n"
      "change.\n");
  options.positional_help("SURFACE.h5").set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* text) { return cxxopts::value<std::string>()->default_value(text); };
  options.add_options()
      ("serve", "a page on http://127.0.0.1:PORT/; 0: any free port", string()->implicit_value(kUsualPort),
       "PORT")
      ("stay", "go on when all points are done")
      ("once", "one frame, and end")
      ("values", "what to show: train_loss, train_acc, lambda_ratio, ... (default: the loss)", string())
      ("log", "logarithmic scale (default: as the range of the values asks for)")
      ("linear", "linear scale")
      ("vmin", "lowest value of the scale", string())
      ("vmax", "highest value of the scale; what is above is cut off and marked", string())
      ("colours", "viridis, magma or cividis", value("viridis"))
      ("colour", "in the terminal: always, never, or auto: where stdout is one and NO_COLOR is not set",
       value("auto"))
      ("files", "the surface, as the argument", cxxopts::value<std::vector<std::string>>())
      ("help", "print this");
  options.parse_positional({"files"});
  return options;
}
// clang-format on

int run_watch(const cxxopts::ParseResult& flags, const std::string& typed) {
  return Watch(flags, typed).run();
}

}  // namespace topograd
