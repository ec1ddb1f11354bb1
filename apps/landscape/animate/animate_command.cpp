#include "apps/landscape/animate/animate_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "apps/common/cli.h"
#include "kernels/core/format.h"
#include "landscape/figures/film/film_scale.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/result_names.h"
#include "landscape/trajectory/checkpoints.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr double kTurnSeconds = 0.1, kStepSeconds = 0.4, kLastSeconds = 1.6;

/// Returns the surfaces that the arguments name: files as they stand, or a folder's in the order of
/// their numbers.
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
  require(!files.empty(), given[0], " holds no surfaces: landscape surface RUN --film makes some");
  return files;
}

/// Returns "epoch 3" for epoch_003.h5, and the name of other files.
std::string label_of(const std::string& file) {
  const std::string stem = fs::path(file).stem().string();
  const double epoch = epoch_of(file, "", -1);
  return stem.starts_with("epoch_") && epoch >= 0 ? text("epoch ", epoch) : stem;
}

/// Returns what a film's files are called, without a suffix, and takes a suffix of --output for the
/// one type to write.
std::string stem_of(const AnimateFlags& flags, std::vector<FilmType>& types) {
  const fs::path first = flags.files.front();
  if (!flags.output) {
    if (fs::is_directory(first)) return fs::absolute(first / "").parent_path().string() + "_film";
    return (first.parent_path() / first.stem()).string() + "_film";
  }
  for (const std::string type : {"gif", "html"})
    if (flags.output->ends_with("." + type)) {
      types = {film_type_named(type)};
      return flags.output->substr(0, flags.output->size() - type.size() - 1);
    }
  return *flags.output;
}

class Animation {
 public:
  explicit Animation(const AnimateFlags& flags)
      : flags_(flags),
        files_(surface_files(flags.files)),
        titles_(flags.figure.titles_of(files_.size())),
        picture_(flags.figure.picture()),
        kind_(flags.kind) {
    for (const std::string& file : files_) surfaces_.push_back(Surface::load(file));
    const std::vector<bool> apart =
        flags.turn ? std::vector<bool>(files_.size()) : frames_set_apart();
    std::vector<const Surface*> setting_scale;
    for (size_t i = 0; i < files_.size(); ++i)
      if (!apart[i]) setting_scale.push_back(&surfaces_[i]);
    const bool chosen = picture_.value_min || picture_.value_max;
    share_scale(picture_, setting_scale);
    for (size_t i = 0; i < files_.size(); ++i)
      if (apart[i] && !chosen) notes_.push_back(off_scale(i));
    picture_.look.film_frame = true;
    if (surfaces_.front().is_line()) kind_ = PictureKind::curves;
  }

  /// Returns what is to be said of the film.
  const std::vector<std::string>& notes() const { return notes_; }

  Film film() const {
    Film film = flags_.turn ? turn() : steps();
    film.frame_seconds = flags_.seconds.value_or(flags_.turn ? kTurnSeconds : kStepSeconds);
    film.last_seconds =
        flags_.turn ? film.frame_seconds : std::max(kLastSeconds, film.frame_seconds);
    film.scale = flags_.scale;
    return film;
  }

 private:
  /// Returns the smallest and the largest of the finite values that are drawn of a surface.
  FrameRange range_of(const Surface& surface) const {
    FrameRange range{std::numeric_limits<double>::infinity(),
                     -std::numeric_limits<double>::infinity()};
    for (const double value : drawn_plane(surface, pictured_values(surface, picture_)))
      if (std::isfinite(value)) range = {std::min(range.low, value), std::max(range.high, value)};
    return range;
  }

  /// Returns for each frame whether the others set the scale without it.
  std::vector<bool> frames_set_apart() const {
    std::vector<size_t> with_values;
    std::vector<FrameRange> ranges;
    for (size_t i = 0; i < surfaces_.size(); ++i) {
      const FrameRange range = range_of(surfaces_[i]);
      if (range.low > range.high) continue;
      with_values.push_back(i);
      ranges.push_back(range);
    }
    const std::vector<bool> found = frames_apart(ranges);
    std::vector<bool> apart(surfaces_.size());
    for (size_t k = 0; k < with_values.size(); ++k) apart[with_values[k]] = found[k];
    return apart;
  }

  std::string off_scale(size_t i) const {
    const FrameRange range = range_of(surfaces_[i]);
    return text("note: ", label_of(files_[i]), " goes from ", significant(range.low, 3), " to ",
                significant(range.high, 3), ", off the scale of the other frames, ",
                significant(*picture_.value_min, 3), " to ", significant(*picture_.value_max, 3),
                "; --vmin and --vmax set another");
  }

  Figure picture(size_t i, PictureOptions options) const {
    return surface_figures(surfaces_[i], files_[i], {kind_}, options).front().figure;
  }

  std::string title_of(size_t i) const {
    if (!titles_[i].empty()) return titles_[i];
    return topograd::title_of(surfaces_[i].provenance);
  }

  /// Throws Error where a surface is of another network than the first, and of another plane: frame
  /// after frame they tell nothing of one another.
  void require_same_plane(size_t i) const {
    const auto differ = [&](const char* fact) {
      const std::string first = value_of(surfaces_.front().provenance, fact);
      const std::string other = value_of(surfaces_[i].provenance, fact);
      return !first.empty() && !other.empty() && first != other;
    };
    require(!differ("model_hash") || !differ("direction_hash"), files_.front(), " and ", files_[i],
            " are of different networks, each on a plane of its own: --turn shows them beside one "
            "another; a film is of one plane, as landscape surface RUN --film maps it");
  }

  /// Makes a film with a frame for each surface.
  Film steps() const {
    require(files_.size() >= 2,
            "a film needs two surfaces or more; --turn moves the camera around one");
    require(surfaces_.front().is_line() == surfaces_.back().is_line(),
            "a film is of lines or of grids, not of both");
    for (size_t i = 1; i < files_.size(); ++i) require_same_plane(i);
    Film film{.title = title_of(surfaces_.size() - 1)};
    for (const std::string& file : files_) film.labels.push_back(label_of(file));
    film.frame = [this](size_t i) {
      PictureOptions options = picture_;
      const std::string title = title_of(i), label = label_of(files_[i]);
      options.title = title.empty() ? label : title + ", " + label;
      return picture(i, options);
    };
    return film;
  }

  /// Makes a film of all surfaces beside one another, with the camera going around them.
  Film turn() const {
    for (const Surface& surface : surfaces_)
      require(!surface.is_line(), "--turn goes around grids of points, not lines");
    const auto frames = static_cast<size_t>(flags_.frames);
    const double degrees = *flags_.turn;
    Film film{.title = title_of(0)};
    // A whole turn ends one step before its start: the film repeats.
    const auto steps = static_cast<double>(std::abs(degrees) == 360 ? frames : frames - 1);
    const auto azimuth = [this, degrees, steps](size_t i) {
      return picture_.look.azimuth + degrees * static_cast<double>(i) / steps;
    };
    for (size_t i = 0; i < frames; ++i)
      film.labels.push_back(text(static_cast<int>(azimuth(i)), "°"));
    film.frame = [this, azimuth](size_t i) {
      std::vector<Figure> figures;
      for (size_t s = 0; s < surfaces_.size(); ++s) {
        PictureOptions options = picture_;
        options.title = title_of(s);
        options.look.azimuth = azimuth(i);
        figures.push_back(picture(s, options));
      }
      return side_by_side(figures);
    };
    return film;
  }

  const AnimateFlags& flags_;
  std::vector<std::string> files_, titles_;
  PictureOptions picture_;
  PictureKind kind_;
  std::vector<Surface> surfaces_;
  std::vector<std::string> notes_;
};

}  // namespace

int AnimateCommand::run(const std::string&) {
  std::vector<FilmType> types = flags_.types;
  const std::string stem = stem_of(flags_, types);
  const Animation animation(flags_);
  const Film film = animation.film();
  const auto observer = cli::observer("landscape");
  for (const std::string& note : animation.notes()) observer->note(note);
  observer->begin("frames", static_cast<int64_t>(film.labels.size()), 0);
  const std::vector<std::string> paths = save_film(film, stem, types, [&](int64_t drawn) {
    observer->advance(drawn, [] { return std::string(); });
    return !observer->stop_requested();
  });
  observer->end();
  if (paths.empty()) {
    observer->note("interrupted; nothing is written");
    return cli::kInterruptedStatus;
  }
  for (const std::string& path : paths) cli::out() << path << '\n';
  return 0;
}

}  // namespace topograd
