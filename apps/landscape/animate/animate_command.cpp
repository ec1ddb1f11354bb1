#include "apps/landscape/animate/animate_command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "apps/common/progress.h"
#include "apps/landscape/common/checkpoint_flags.h"
#include "apps/landscape/common/figure_flags.h"
#include "landscape/figures/film.h"
#include "landscape/plots/result_plots.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr double kTurnSeconds = 0.1, kStepSeconds = 0.4, kLastSeconds = 1.6;

/// The surfaces that the arguments name: files as they stand, or a folder's in the order of their
/// numbers.
std::vector<std::string> surface_files(const std::vector<std::string>& given) {
  if (given.size() != 1 || !fs::is_directory(given[0])) {
    for (const std::string& path : given)
      require(!fs::is_directory(path), path,
              " is a folder: give one folder of surfaces, or surfaces");
    return given;
  }
  std::vector<std::pair<double, std::string>> found;
  for (const auto& entry : fs::directory_iterator(given[0]))
    if (entry.path().extension() == ".h5") {
      const std::string path = entry.path().string();
      found.emplace_back(epoch_of(path, "", -1), path);
    }
  std::sort(found.begin(), found.end());
  std::vector<std::string> files;
  for (const auto& [number, path] : found) files.push_back(path);
  require(!files.empty(), given[0], " holds no surfaces: landscape surface RUN makes some");
  return files;
}

/// "epoch 3" of epoch_003.h5; of other files their name.
std::string label_of(const std::string& file) {
  const std::string stem = fs::path(file).stem().string();
  const double epoch = epoch_of(file, "", -1);
  return stem.starts_with("epoch_") && epoch >= 0 ? text("epoch ", epoch) : stem;
}

class Animation {
 public:
  explicit Animation(const cxxopts::ParseResult& flags) : flags_(flags) {
    require(flags.count("files") > 0,
            "name the surfaces: landscape animate FIRST.h5 SECOND.h5 ..., or their folder; see "
            "landscape animate --help");
    const auto given = flags["files"].as<std::vector<std::string>>();
    files_ = surface_files(given);
    options_ = figure_flags(flags);
    titles_ = title_flag(flags, files_.size());
    kind_ = picture_kind_named(flags["kind"].as<std::string>());
    turns_ = flags.count("turn") > 0;
    require(!turns_ || kind_ == PictureKind::surface,
            "--turn moves the camera around a surface in three dimensions: leave out --kind ",
            name_of(kind_));
    for (const std::string& type : cli::words(flags["type"].as<std::string>()))
      types_.push_back(film_type_named(type));
    const fs::path first = given.front();
    stem_ = cli::text_of(
        flags, "output",
        (fs::is_directory(first) ? fs::absolute(first / "").parent_path().string() + "_film"
                                 : (first.parent_path() / first.stem()).string() + "_film"));
    for (const auto& type : {"gif", "html"})
      if (stem_.ends_with(text(".", type))) {
        types_ = {film_type_named(type)};
        stem_.resize(stem_.size() - std::string(type).size() - 1);
      }
    require(!types_.empty(), "--type names nothing: choose gif, html or png");
  }

  int run() {
    for (const std::string& file : files_) surfaces_.push_back(Surface::load(file));
    std::vector<const Surface*> all;
    for (const Surface& surface : surfaces_) all.push_back(&surface);
    share_scale(options_, all);
    if (surfaces_.front().is_line()) kind_ = PictureKind::curves;
    Film film = turns_ ? turn() : steps();
    film.frame_seconds = flags_.count("seconds") ? cli::real(flags_, "seconds", 0.02, 60)
                         : turns_                ? kTurnSeconds
                                                 : kStepSeconds;
    film.last_seconds = turns_ ? film.frame_seconds : std::max(kLastSeconds, film.frame_seconds);
    film.scale = static_cast<int>(cli::whole(flags_, "scale", 1, 2));
    ProgressBar bar(static_cast<int64_t>(film.labels.size()));
    const std::vector<std::string> paths = save_film(film, stem_, types_, [&](int64_t drawn) {
      bar.update(drawn, "frames", "");
      return !cli::interrupted();
    });
    bar.clear();
    if (paths.empty()) {
      cli::say("landscape: interrupted; nothing is written");
      return cli::kInterruptedStatus;
    }
    for (const std::string& path : paths) std::cout << path << '\n';
    return 0;
  }

 private:
  Figure picture(size_t i, PictureOptions options) const {
    return surface_figures(surfaces_[i], files_[i], {kind_}, options).front().figure;
  }

  std::string title_of(size_t i) const {
    if (!titles_.empty()) return titles_[titles_.size() > 1 ? i : 0];
    return value_of(surfaces_[i].provenance, "model_name");
  }

  /// A frame for each surface.
  Film steps() const {
    require(files_.size() >= 2,
            "a film needs two surfaces or more; --turn moves the camera around one");
    require(surfaces_.front().is_line() == surfaces_.back().is_line(),
            "a film is of lines or of grids, not of both");
    Film film{.title = title_of(surfaces_.size() - 1)};
    for (const std::string& file : files_) film.labels.push_back(label_of(file));
    film.frame = [this](size_t i) {
      PictureOptions options = options_;
      const std::string title = title_of(i), label = label_of(files_[i]);
      options.title = title.empty() ? label : title + ", " + label;
      return picture(i, options);
    };
    return film;
  }

  /// All surfaces beside one another, and the camera goes around them.
  Film turn() const {
    for (const Surface& surface : surfaces_)
      require(!surface.is_line(), "--turn goes around grids of points, not lines");
    const auto frames = static_cast<size_t>(cli::whole(flags_, "frames", 2, 1000));
    const double degrees = cli::real(flags_, "turn", -360, 360);
    Film film{.title = title_of(0)};
    // A whole turn ends one step before it began.
    const auto steps = static_cast<double>(std::abs(degrees) == 360 ? frames : frames - 1);
    const auto azimuth = [this, degrees, steps](size_t i) {
      return options_.look.azimuth + degrees * static_cast<double>(i) / steps;
    };
    for (size_t i = 0; i < frames; ++i)
      film.labels.push_back(text(static_cast<int>(azimuth(i)), "°"));
    film.frame = [this, azimuth](size_t i) {
      std::vector<Figure> figures;
      for (size_t s = 0; s < surfaces_.size(); ++s) {
        PictureOptions options = options_;
        options.title = title_of(s);
        options.look.azimuth = azimuth(i);
        figures.push_back(picture(s, options));
      }
      return side_by_side(figures);
    };
    return film;
  }

  const cxxopts::ParseResult& flags_;
  std::vector<std::string> files_, titles_;
  PictureOptions options_;
  PictureKind kind_ = PictureKind::surface;
  bool turns_ = false;
  std::vector<FilmType> types_;
  std::string stem_;
  std::vector<Surface> surfaces_;
};

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options animate_flags() {
  cxxopts::Options options("landscape animate",
                           "Films of surfaces: one after another on one scale, as landscape surface RUN computes them\n"
                           "around the checkpoints of a training; or, with --turn, beside one another while the camera\n"
                           "goes around them.\n");
  options.positional_help("FOLDER | FIRST.h5 SECOND.h5 ...").show_positional_help().set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* text) { return cxxopts::value<std::string>()->default_value(text); };
  options.add_options()
      ("turn", "move the camera around by so many degrees", cxxopts::value<std::string>()->implicit_value("360"))
      ("frames", "of a turn", value("48"))
      ("kind", "surface (lit, in three dimensions), contours, lines or heat", value("surface"))
      ("output,o", "one file (.gif, .html), or what files' names begin with (default: the first input's and _film)",
       string())
      ("type", "gif; html: a page with a slider; png: a folder of frames; with commas between them",
       value("gif,html"))
      ("seconds", "that a frame stays (default: 0.4, of a turn 0.1)", string())
      ("scale", "pixels for a px: 1 or 2", value("1"))
      ("files", "surfaces, or their folder, as the arguments", cxxopts::value<std::vector<std::string>>());
  add_figure_flags(options);
  options.add_options()("help", "print this");
  options.parse_positional({"files"});
  return options;
}
// clang-format on

int run_animate(const cxxopts::ParseResult& flags) {
  cli::catch_interruption();
  return Animation(flags).run();
}

}  // namespace topograd
