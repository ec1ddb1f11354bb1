#include "apps/landscape/watch/watch_command.h"

#include <chrono>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>

#include "apps/common/cli.h"
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
constexpr double kDrawEvery = 1;     // seconds: updates the time left between two files
constexpr double kLongestEnd = 10;   // seconds to wait for an open page to fetch the last figure

class Watch {
 public:
  Watch(const WatchFlags& flags, const std::string& typed)
      : flags_(flags),
        picture_(flags.values.picture()),
        colours_(terminal_colours(flags.colour)),
        watched_(flags.file()) {
    if (flags.port) serve(typed);
    if (!flags.once && stdout_is_screen()) screen_.emplace();
  }

  int run() {
    cli::catch_interruption();
    if (server_) say(text("serving ", server_->url(), " to browsers on this machine"));
    while (!cli::interrupted() && !(screen_ && screen_->end_asked())) {
      const bool news = look();
      if (flags_.once && watched_.surface()) return show_once();
      require(!flags_.once || watched_.there(), flags_.file(), " is not there: is its name right?");
      show(news);
      if (!flags_.stay && finished()) return finish();
      wait(kLookEvery);
    }
    end_picture();
    return cli::interrupted() ? cli::kInterruptedStatus : 0;
  }

 private:
  void serve(const std::string& typed) {
    server_.emplace(WatchServer::Settings{flags_.file(), picture_, typed, flags_.port.value_or(0)});
  }

  bool look() {
    const bool news = watched_.look(steady_seconds());
    if (!news) return false;
    // Report a missing plane here, once, and not in every figure.
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
    frame.title = text(flags_.file(), "  ", plane_,
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

  /// Prints a line, before there is a picture or where there is none.
  void say(const std::string& words) const {
    std::cout << flags_.file() << ": " << words << std::endl;
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

  /// Leaves the picture of a finished surface in the terminal.
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

  /// Restores the terminal and prints a line about the state.
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

  const WatchFlags& flags_;
  PictureOptions picture_;
  TerminalColours colours_;
  WatchedSurface watched_;
  std::string plane_;
  bool said_waiting_ = false;
  TerminalSize drawn_size_{0, 0};
  double drawn_at_ = 0;
  std::optional<WatchServer> server_;
  std::optional<TerminalScreen> screen_;  // last member: restores the terminal first
};

}  // namespace

int WatchCommand::run(const std::string& typed) {
  return Watch(flags_, typed).run();
}

}  // namespace topograd
