#include "apps/landscape/animate/animate_flags.h"

#include "kernels/core/check.h"

namespace topograd {

void AnimateFlags::add_to(cli::Options& options) {
  options
      .about(
          "Films of surfaces: one after another on one scale, as landscape surface RUN --film "
          "computes them around the checkpoints of a training; or, with --turn, beside one another "
          "while the camera goes around them. Frames that reach much further than the others (five "
          "times the median distance from the frames' median, and a factor of two) do not set the "
          "scale.")
      .usage("FOLDER | FIRST.h5 SECOND.h5 ...")
      .positionals("FILE", files, "surfaces, or their folder");
  options.group("Film")
      .real("turn", turn, {-360, 360}, "move the camera around by so many degrees (default: 360)")
      .shown_value("DEGREES")
      .implicitly("360")
      .integer("frames", frames, {2, 1000}, "of a turn")
      .real("seconds", seconds, {0.02, 60}, "that a frame stays (default: 0.4, of a turn 0.1)")
      .integer("scale", scale, {1, 2}, "pixels for a px: 1 or 2")
      .named("kind", kind, picture_kind_named, {"surface", "contours", "lines", "heat"}, "surface",
             "surface is lit, in three dimensions");
  options.group("Output")
      .text("output,o", output, "NAME",
            "one file (.gif, .html), or what files' names begin with (default: the first input's "
            "and _film)")
      .value("type", "TYPE,...",
             "gif; html: a page with a slider; png: a folder of frames; with commas between them",
             "gif,html", [this](const std::string&, const std::string& word) {
               types.clear();
               for (const std::string& type : cli::Options::split(word))
                 types.push_back(film_type_named(type));
             });
  figure.add_to(options);
  figure.add_size(options);
  options.epilogue(R"(Examples:
  landscape animate runs/resnet20/surfaces
  landscape animate resnet56.h5 noshort.h5 --turn --frames 96 --output both.gif
)");
}

void AnimateFlags::check() const {
  require(!files.empty(),
          "name the surfaces: landscape animate FIRST.h5 SECOND.h5 ..., or their folder; see "
          "landscape animate --help");
  require(!turn || kind == PictureKind::surface,
          "--turn moves the camera around a surface in three dimensions: leave out --kind ",
          name_of(kind));
  require(!types.empty(), "--type names nothing: choose gif, html or png");
  figure.check();
}

}  // namespace topograd
