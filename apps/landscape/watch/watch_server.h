// landscape watch --serve: a page for a browser on the same machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/landscape/watch/watch_progress.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// State of the watched file, to be shown.
struct WatchNews {
  std::shared_ptr<const Surface> surface = {};  ///< null before the first file
  int64_t version = 0;                          ///< changes with every surface
  ProgressEstimate progress = {};
  bool there = false;  ///< the file exists now
};

/// LocalServer with these paths below its address:
///
///   /            the page, with /page.css and /page.js
///   /state       JSON: {version, state (waiting, running, finished), gone, file, title,
///                values, kinds, done, total, rate, seconds_left, idle, stalled, smallest {value,
///                x, y}, report}; null: unknown
///   /figure.svg  ?kind=heat|contours|surface|lines|curves, &narrow=1 for small screens
///   /report      landscape report on the file, in a build that has it
class WatchServer {
 public:
  struct Settings {
    std::string file;
    PictureOptions picture;
    std::string command;  ///< as the user wrote it, for the report
    int port = 0;         ///< 0: any free one
  };

  /// Starts to answer. Throws Error if the port is taken.
  explicit WatchServer(Settings settings);
  /// Ends the answers under way.
  ~WatchServer();

  /// Returns the address, which only this server's user knows: "http://127.0.0.1:8642/1f...c4/".
  std::string url() const;
  /// Shows this state from now on.
  void show(WatchNews news);
  /// Returns whether an open page, which has asked lately, has not been told of the present news or
  /// not fetched its figure. It will within a second or two.
  bool owes_news() const;

 private:
  class Answers;
  std::unique_ptr<Answers> answers_;
};

}  // namespace topograd
