// The flags of landscape surface, line, plane and trajectory.
#include "apps/landscape/common/checkpoint_flags.h"
#include "apps/landscape/common/image_flags.h"
#include "apps/landscape/surface/surface_command.h"
#include "apps/landscape/surface/surface_run.h"

namespace topograd {

namespace {

constexpr const char* kCheckpoints = "A training's checkpoints";
constexpr const char* kForCompatibility =
    "Accepted from the reference implementation, without effect";

/// Flags of the reference implementation that have nothing to say here.
const std::pair<const char*, const char*> kWithoutEffect[] = {
    {"mpi", "mpirun or srun decides how many processes compute the surface"},
    {"cuda", "a GPU is used where there is one; --device chooses"},
    {"ngpu", "one GPU computes the surface"},
    {"batch-size", "images are evaluated in chunks that fit the cache"},
    {"raw-data", "images are always raw, only normalised"},
    {"vlevel", "contour levels are chosen by the picture"},
    {"show", "pictures are files; nothing is opened"},
    {"plot", "pictures are always drawn"},
};

}  // namespace

void note_flags_without_effect(const cxxopts::ParseResult& flags) {
  for (const auto& [flag, why] : kWithoutEffect)
    if (flags.count(flag)) cli::say("landscape: note: --", flag, " has no effect: ", why);
}

// A line per flag, which clang-format would run together.
// clang-format off
namespace {

auto string() { return cxxopts::value<std::string>(); }
auto value(const char* fallback) { return cxxopts::value<std::string>()->default_value(fallback); }

void add_norm_flags(cxxopts::Options& options) {
  options.add_options("Directions")
      ("norm", "filter, layer, weight, dfilter, dlayer or none", value("filter"))
      ("ignore", "biasbn: biases and BatchNorm stay put; none: they are scaled", value("biasbn"))
      ("seed", "of the random directions", value("1"));
}

/// Of random directions, or towards other models.
void add_direction_flags(cxxopts::Options& options, bool line) {
  add_norm_flags(options);
  options.add_options("Directions")
      ("seeds", "directions of that many seeds in one run, --seed and those that follow it: their "
                "mean, their spread and each for itself", value("1"))
      ("idx", "another pair of directions of the same seed", value("0"))
      ("dir-file", "read the directions from this file; write them there if it is not", string())
      ("to,model-file2", line ? "the line leads to this model, default x -0.5:1.5:41 (or --model-file2, or "
                                "the second argument)"
                              : "direction x leads to this model (or --model-file2)", string())
      ("xnorm", "--norm of direction x alone", string())
      ("xignore", "--ignore of direction x alone", string());
  if (line) return;
  options.add_options("Directions")
      ("model-file3", "direction y leads to this model", string())
      ("ynorm", "of direction y", string())
      ("yignore", "of direction y", string())
      ("same-dir", "y is the same direction as x");
}

void add_trajectory_flags(cxxopts::Options& options) {
  add_checkpoint_flags(options, "Directions");
  options.add_options("Directions")
      ("ignore", "none: principal components of all parameters; biasbn: without biases and BatchNorm",
       value("none"))
      ("dir-file", "project onto the plane of this file; where it is not, the principal components are "
                   "written there (default: beside the output)", string())
      ("runs", "the checkpoints, or their folder, as the arguments", cxxopts::value<std::vector<std::string>>());
}

void add_plane_flags(cxxopts::Options& options) {
  options.add_options("Directions")
      ("to,model-file2", "the plane goes through this model and the next (or as the second and third argument)",
       string())
      ("model-file3", "the third model", string())
      ("orthonormal", "through models: axes of length 1 at right angles (Gram-Schmidt), not the ways "
                      "from model to model")
      ("eigenvectors", "the plane of two eigenvectors in this file of landscape hessian", string())
      ("vectors", "which two: largest:2 is that of the second largest eigenvalue", value("largest:1,smallest:1"))
      ("gradient", "the plane of the gradient, downhill, and a random direction")
      ("dir-file", "the plane of the directions in this file", string())
      ("norm", "of eigenvectors (default none: of length 1) and of the random direction (default filter): "
               "filter, layer, weight, dfilter, dlayer or none", string())
      ("ignore", "biasbn: in these, biases and BatchNorm stay put; none (default: biasbn for the random "
                 "direction)", string())
      ("seed", "of the random direction", value("1"));
}

void add_batchnorm_flags(cxxopts::Options& options) {
  options.add_options("Directions")
      ("dir-type", "weights, or states: BatchNorm's running statistics move too (default: states "
                   "where a direction leads to another model, else weights)", string())
      ("bn", "BatchNorm: frozen, the network's running statistics; states, moved along the direction (as "
             "--dir-type states); recompute, re-estimated at every point; batch, each batch's own", string())
      ("bn-batch", "images of a batch, for --bn recompute and batch", value("128"));
}

struct Introduction {
  const char *title, *arguments, *x_axis;
};

Introduction introduction(SurfaceKind kind) {
  switch (kind) {
    case SurfaceKind::line:
      return {"Losses along a line through a network, or on the way to another one, with the barrier between "
              "them.\n", "MODEL.safetensors [OTHER.safetensors]", "-1:1:51"};
    case SurfaceKind::plane:
      return {"Losses on a plane through three networks, or one that eigenvectors, the gradient or a file span.\n",
              "A.safetensors B.safetensors C.safetensors | MODEL.safetensors",
              "through models -0.5:1.5:41, else what the directions ask for"};
    case SurfaceKind::trajectory:
      return {"The path of a training in the plane of its principal components, and the losses there.\n",
              "RUN | FIRST.safetensors SECOND.safetensors ... LAST.safetensors",
              "31 points that cover the path with a margin"};
    default:
      return {"Losses on a plane through a network; of a training's folder, on the same plane through every\n"
              "checkpoint, for landscape animate.\n", "MODEL.safetensors | RUN", "-1:1:51"};
  }
}

}  // namespace

cxxopts::Options surface_flags(SurfaceKind kind) {
  const bool line = kind == SurfaceKind::line;
  const Introduction intro = introduction(kind);
  cxxopts::Options options("landscape " + name_of(kind), intro.title);
  options.positional_help(intro.arguments).show_positional_help().set_width(100);
  options.add_options("Points")
      ("x-axis", text("--x: alpha, FROM:TO:POINTS (default ", intro.x_axis, ")"), string());
  if (!line)
    options.add_options("Points")
        ("y-axis", "--y: beta, likewise", string());
  if (kind == SurfaceKind::trajectory)
    add_trajectory_flags(options);
  else if (kind == SurfaceKind::plane)
    add_plane_flags(options);
  else
    add_direction_flags(options, line);
  if (kind == SurfaceKind::surface) add_checkpoint_flags(options, kCheckpoints);
  add_batchnorm_flags(options);
  add_image_flags(options);
  options.add_options("Data")
      ("target-se", "evaluate each point on 256, 512, 1024, ... images, no more once the mean loss's "
                    "standard error is at most this (slightly biased, see docs/files.md)", string())
      ("loss,l,loss-name", "cross_entropy (or crossentropy) or mse, or both with a comma between: the "
                           "first is the one that pictures show (or --loss-name)",
       value("cross_entropy"));
  options.add_options("Output")
      ("output,o,surf-file", kind == SurfaceKind::trajectory
                                 ? "the trajectory's HDF5 file; the surface, directions and pictures are named "
                                   "after it. What is unfinished is continued"
                                 : "the surface's HDF5 file, of a training's folder of surfaces; what is unfinished is "
                                   "continued (or --surf-file)",
       string())
      ("log", "pictures: logarithmic scale")
      ("linear", kind == SurfaceKind::plane || kind == SurfaceKind::trajectory
                     ? "pictures: linear scale (default: as the range of the losses asks for)"
                     : "pictures: linear scale (the default)")
      ("vmin", "pictures: lowest value of the scale", string())
      ("vmax,loss-max", "pictures: values above are off the scale (or --loss-max)", string())
      ("title", "pictures: title (default: the model)", string())
      ("no-pictures", "compute only");
  options.add_options("Run")
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor, or its share of them under mpirun", value("0"))
      ("precision", "of the products: f32; bf16x3, near it; tf32; or bf16, for previews. The latter three need "
                    "a processor with AMX or a GPU. f64, by plain loops, is for a few points. All but f32 "
                    "repeat a sample of points in f32", value("f32"))
      ("save-seconds", "save unfinished points that often", value("5"))
      ("impl", "force an implementation, as in conv2d=reference",
       cxxopts::value<std::vector<std::string>>())
      ("model", "refuse the checkpoint unless it is this network", string())
      ("help", "print this");
  options.add_options(kForCompatibility)
      ("dataset", "cifar10 alone", value("cifar10"))
      ("m,mpi", "")("c,cuda", "")("ngpu", "", string())("batch-size", "", string())
      ("raw-data", "")("vlevel", "", string())("show", "")("plot", "");
  if (kind == SurfaceKind::trajectory) {
    options.parse_positional({"runs"});
    return options;
  }
  options.add_options("Run")
      ("model-file", "the checkpoint, as the first argument", string());
  if (line)
    options.parse_positional({"model-file", "model-file2"});
  else if (kind == SurfaceKind::plane)
    options.parse_positional({"model-file", "model-file2", "model-file3"});
  else
    options.parse_positional({"model-file"});
  return options;
}
// clang-format on

std::string surface_help(const cxxopts::Options& options) {
  std::vector<std::string> groups = {"Points", "Directions"};
  const std::vector<std::string> there = options.groups();
  if (std::find(there.begin(), there.end(), kCheckpoints) != there.end())
    groups.push_back(kCheckpoints);
  for (const char* group : {"Data", "Output", "Run", kForCompatibility}) groups.push_back(group);
  return options.help(groups);
}

}  // namespace topograd
