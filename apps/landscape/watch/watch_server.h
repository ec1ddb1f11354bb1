// landscape watch --serve: a page for a browser on the same machine.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "apps/landscape/watch/watch_progress.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// What there is to be shown.
struct WatchNews {
  std::shared_ptr<const Surface> surface = {};  ///< null as long as there is no file
  int64_t version = 0;                          ///< another one with every surface
  ProgressEstimate progress = {};
  bool there = false;  ///< whether there is a file now
};

/// A LocalServer with
///
///   /            the page, with /page.css and /page.js
///   /state       JSON: {session, version, state (waiting, running, finished), gone, file, title,
///                values, kinds, done, total, rate, seconds_left, idle, stalled, smallest {value,
///                x, y}, report}; null is what is not known
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

  /// Answers from now on. An Error where the port is taken. `hdf5` is held while a file is read.
  WatchServer(Settings settings, std::mutex& hdf5);
  /// Ends the answers under way.
  ~WatchServer();

  /// "http://127.0.0.1:8642/"
  std::string url() const;
  /// From now on this is what is shown.
  void show(WatchNews news);
  /// Whether a page is open that has asked lately and has not been told of the present news, or has
  /// not fetched its figure. It will within a second or two.
  bool owes_news() const;

 private:
  class Answers;
  std::unique_ptr<Answers> answers_;
};

}  // namespace topograd
