#include "apps/coherence_surface.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "apps/progress.h"
#include "apps/surface_command.h"
#include "apps/surface_directions.h"
#include "apps/table.h"
#include "kernels/perturb/perturb.h"
#include "landscape/figure.h"
#include "landscape/refinement.h"
#include "landscape/surface_saver.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What has to agree for a file to be continued.
const std::vector<std::string> kIdentity = {
    "quantity", "model_hash", "data_hash", "direction_hash", "dir_type", "batches", "batch_size",
    "images",   "data",       "loss",      "bn_mode",        "device",   "subset",  "seed"};

std::string get(const Provenance& provenance, const std::string& key) {
  const auto found = provenance.find(key);
  return found == provenance.end() ? std::string() : found->second;
}

/// The directions of a surface that was computed earlier, from its file of directions or by its own
/// command; known by the hash to be the same.
class DirectionsOfSurface {
 public:
  DirectionsOfSurface(const Surface& surface, const std::string& path, const LoadedModel& model)
      : surface_(surface), path_(path), model_(model) {
    type_ = get(surface.provenance, "dir_type") == "states" ? DirectionType::states
                                                            : DirectionType::weights;
  }

  SurfaceDirections find(const std::string& dir_file) const {
    require(get(surface_.provenance, "seeds").empty(), path_, " is a mean over ",
            get(surface_.provenance, "seeds"),
            " pairs of directions: there is no one plane to go over; compute it without --seeds");
    for (const std::string& file : {dir_file, surface_.dir_file, beside_surface()})
      if (!file.empty() && (file == dir_file || fs::exists(file))) return from_file(file);
    return from_command();
  }

 private:
  /// The file of directions where the surface was moved together with it.
  std::string beside_surface() const {
    if (surface_.dir_file.empty()) return {};
    return (fs::path(path_).parent_path() / fs::path(surface_.dir_file).filename()).string();
  }

  SurfaceDirections from_file(const std::string& file) const {
    SurfaceDirections found;
    found.type = type_;
    Directions directions = read_directions(file, model_.graph.layout(), type_);
    if (surface_.is_line()) directions.y.reset();
    require(surface_.is_line() || directions.y, file, " holds one direction, ", path_,
            " is a plane of two");
    found.x_text = get(surface_.provenance, "x_direction");
    found.y_text = get(surface_.provenance, "y_direction");
    found.planes.push_back(std::move(directions));
    require_same(found, file);
    return found;
  }

  /// The words of the command that the surface's file keeps, read once more.
  SurfaceDirections from_command() const {
    const std::string command = get(surface_.provenance, "command");
    std::string reason = "its file keeps no command";
    if (!command.empty()) try {
        return made_by(command);
      } catch (const std::exception& error) {
        reason = error.what();
      }
    fail("the directions of ", path_, " cannot be had again (", reason,
         "); name their file with --dir-file, which landscape surface --dir-file writes");
  }

  SurfaceDirections made_by(const std::string& command) const {
    std::vector<std::string> words;
    std::istringstream in(command);
    for (std::string word; in >> word;) words.push_back(word);
    require(words.size() > 2, "its command is '", command, "'");
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    cli::Arguments arguments(static_cast<int>(pointers.size()) - 1, pointers.data() + 1);
    cxxopts::Options options = surface_flags(surface_.is_line());
    const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
    SurfaceDirections found =
        surface_directions(flags, model_, type_, surface_.is_line(), /*may_write=*/false);
    require_same(found, "its command");
    return found;
  }

  void require_same(const SurfaceDirections& found, const std::string& source) const {
    const std::string expected = get(surface_.provenance, "direction_hash");
    Provenance own;
    found.describe(own);
    require(expected.empty() || own.at("direction_hash") == expected, source,
            " gives other directions than those of ", path_);
  }

  const Surface& surface_;
  const std::string& path_;
  const LoadedModel& model_;
  DirectionType type_;
};

class CoherenceSurface {
 public:
  CoherenceSurface(const cxxopts::ParseResult& flags, const std::string& model_path,
                   const std::string& command)
      : flags_(flags),
        over_(flags["over"].as<std::string>()),
        pool_(cli::pool(flags)),
        choice_(flags),
        model_(load_model(model_path, cli::text_of(flags, "model"))),
        images_(coherence_images(flags, model_)),
        source_(Surface::load(over_)),
        surface_(source_.x(), source_.y()),
        output_(cli::text_of(flags, "output", fs::path(over_).stem().string() + "_coherence.h5")) {
    cli::force_implementations(flags, pool_);
    require(!output_.empty(), "--output is empty: it names an HDF5 file");
    require(output_ != over_, "--output and --over both name ", over_,
            ": choose another name for the output");
    save_seconds_ = cli::real(flags, "save-seconds", 0, 1e9);
    const std::string hash = weights_hash(model_.weights.theta, model_.weights.states);
    require(get(source_.provenance, "model_hash") == hash ||
                get(source_.provenance, "model_hash").empty(),
            over_, " is a surface of another network (", get(source_.provenance, "model_file"),
            ", hash ", get(source_.provenance, "model_hash"), "), ", model_path, " has ", hash);
    directions_ = DirectionsOfSurface(source_, over_, model_).find(cli::text_of(flags, "dir-file"));
    describe(command, hash);
    GradientSampler::check(choice_.spec(model_.graph, images_.sets[0]));
    for (const char* name :
         {"coherence_accuracy", "coherence_cosine", "coherence_cosine_se", "coherence_cosine_min",
          "coherence_loss", "coherence_noise_scale", "coherence_snr", "coherence_snr_se",
          "gradient_norm", "batch_gradient_norm", "inner_product_min"})
      surface_.add_plane(name);
    continue_or_begin();
  }

  int run() {
    if (images_.names[0] == "train" && flags_.count("noisy-labels") == 0)
      note_clean_labels(model_, "landscape");
    if (!compute()) {
      cli::say("landscape: interrupted; ", surface_.done_count(), " of ", surface_.points(),
               " points are saved in ", output_, ": repeat the command to continue");
      return cli::kInterruptedStatus;
    }
    report();
    if (flags_.count("no-pictures") == 0) draw();
    return 0;
  }

 private:
  void describe(const std::string& command, const std::string& hash) {
    Provenance& p = surface_.provenance;
    p["quantity"] = "coherence of gradients";
    p["model"] = to_json(model_.spec);
    p["model_name"] = topograd::describe(model_.spec);
    p["model_file"] = model_.path;
    p["model_hash"] = hash;
    images_.describe(p);
    directions_.describe(p);
    choice_.describe(p);
    p["over"] = over_;
    p["precision"] = "f32";
    if (pool_.device() != Device::cpu) p["device"] = name_of(pool_.device());
    p["version"] = cli::version();
    p["command"] = command;
    surface_.dir_file = source_.dir_file;
  }

  void continue_or_begin() {
    require(!fs::is_directory(output_), output_, " is a directory; --output names a file");
    if (fs::exists(output_)) {
      Surface saved = Surface::load(output_);
      std::string all = saved.same_points(surface_) ? "" : "the grid is another one";
      for (const std::string& reason :
           differences(saved.provenance, surface_.provenance, kIdentity))
        all += (all.empty() ? "" : "; ") + reason;
      require(all.empty(), output_, " belongs to another command (", all,
              "); choose another --output, or remove the file");
      saved.provenance = surface_.provenance;
      surface_ = saved;
      if (surface_.done_count() > 0)
        cli::say("landscape: continuing ", output_, ": ", surface_.done_count(), " of ",
                 surface_.points(), " points are done");
    }
    surface_.save(output_);  // a place that cannot be written should fail now, not in an hour
  }

  /// False when interrupted.
  bool compute() {
    const std::vector<int64_t> points = points_to_do(surface_);
    if (points.empty()) return true;
    GradientSampler sampler(choice_.spec(model_.graph, images_.sets[0]), pool_);
    ProgressBar bar(surface_.points(), surface_.done_count());
    SurfaceSaver saver(output_, save_seconds_);
    for (int64_t point : points) {
      const std::optional<Coherence> found = at(sampler, point);
      if (!found) break;
      enter(point, *found);
      bar.update(surface_.done_count(), fs::path(output_).filename().string(),
                 text(surface_.done_count(), "/", surface_.points(), " points"));
      saver.offer(surface_);
    }
    bar.clear();
    saver.save(surface_);
    return surface_.done_count() == surface_.points();
  }

  /// Nothing when interrupted.
  std::optional<Coherence> at(GradientSampler& sampler, int64_t point) {
    const double alpha = surface_.x()[static_cast<size_t>(point % surface_.nx())];
    const double beta =
        surface_.is_line() ? 0 : surface_.y()[static_cast<size_t>(point / surface_.nx())];
    const Directions& plane = directions_.planes.front();
    const Direction y = plane.y.value_or(Direction{});
    const auto moved = [&](const Tensor& centre, const Tensor& dx, const Tensor& dy) {
      if (!dx.defined()) return centre;
      const Tensor there(centre.shape());
      perturb({.w = there, .theta = centre, .delta = dx, .eta = dy, .a = alpha, .b = beta}, host_);
      return there;
    };
    return sampler.at(moved(model_.weights.theta, plane.x.parameters, y.parameters),
                      moved(model_.weights.states, plane.x.states, y.states),
                      [](int64_t) { return !cli::interrupted(); });
  }

  void enter(int64_t point, const Coherence& found) {
    const auto at = static_cast<size_t>(point);
    const CoherenceStatistics& s = found.all;
    const auto set = [&](const char* name, double value) { surface_.add_plane(name)[at] = value; };
    set("coherence_loss", found.loss);
    set("coherence_accuracy", found.accuracy);
    set("coherence_cosine", s.cosine);
    set("coherence_cosine_se", s.cosine_se);
    set("coherence_cosine_min", s.cosine_min);
    set("coherence_snr", s.snr);
    set("coherence_snr_se", s.snr_se);
    set("coherence_noise_scale", s.noise_scale);
    set("gradient_norm", s.gradient_norm);
    set("batch_gradient_norm", s.batch_gradient_norm);
    set("inner_product_min", s.inner_product_min);
    surface_.mark_done(point);
  }

  void report() const {
    std::cout << output_ << ": " << surface_.points() << " points, gradients of " << choice_.batches
              << " minibatches of " << choice_.batch_size << " images, " << images_.description
              << ", BatchNorm " << surface_.provenance.at("bn_mode") << '\n';
    std::vector<std::vector<std::string>> table = {{"", "smallest", "median", "largest"}};
    for (const char* name : {"coherence_cosine", "coherence_snr", "gradient_norm"}) {
      std::vector<double> values;
      for (double value : surface_.plane(name))
        if (std::isfinite(value)) values.push_back(value);
      std::sort(values.begin(), values.end());
      if (values.empty()) continue;
      table.push_back({name, significant(values.front()), significant(values[values.size() / 2]),
                       significant(values.back())});
    }
    print_table(table);
  }

  void draw() const {
    if (surface_.nx() < 2 || (!surface_.is_line() && surface_.ny() < 2)) {
      cli::say("landscape: note: no pictures: they need two points along each axis");
      return;
    }
    const std::string stem = (fs::path(output_).parent_path() / fs::path(output_).stem()).string();
    draw_plane("coherence_cosine", "mean cosine of two minibatches' gradients", stem + "_cosine");
    draw_plane("coherence_snr", "signal-to-noise ratio of a minibatch's gradient", stem + "_snr");
  }

  void draw_plane(const std::string& plane, const std::string& label,
                  const std::string& stem) const {
    FigureOptions figure;
    figure.title = surface_.provenance.at("model_name");
    figure.subtitle = text(choice_.batches, " minibatches of ", choice_.batch_size, " images, ",
                           images_.description, ", BatchNorm ", choice_.bn);
    figure.x_label = text("alpha (", directions_.x_text, ")");
    figure.y_label = surface_.is_line() ? label : text("beta (", directions_.y_text, ")");
    figure.value_label = label;
    figure.footer = text("model ", surface_.provenance.at("model_hash"), "  directions ",
                         surface_.provenance.at("direction_hash"), "  Topograd ", cli::version());
    for (const char* type : {".svg", ".png"}) {
      if (surface_.is_line()) {
        CurveView curves;
        curves.x = surface_.x();
        curves.more.push_back({label, surface_.plane(plane)});
        draw_curves(curves, figure, stem + type);
      } else {
        draw_heat_map({surface_.x(), surface_.y(), surface_.plane(plane)}, figure, stem + type);
      }
      std::cout << stem << type << '\n';
    }
  }

  const cxxopts::ParseResult& flags_;
  std::string over_;
  ThreadPool pool_;
  CoherenceChoice choice_;
  LoadedModel model_;
  SurfaceImages images_;
  Surface source_, surface_;
  std::string output_;
  double save_seconds_ = 5;
  SurfaceDirections directions_;
  Context host_;
};

}  // namespace

int run_coherence_surface(const cxxopts::ParseResult& flags, const std::string& model_path,
                          const std::string& command) {
  return CoherenceSurface(flags, model_path, command).run();
}

}  // namespace topograd
