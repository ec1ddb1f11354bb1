// The flags of landscape surface and landscape line.
#include "apps/surface_command.h"
#include "apps/surface_images.h"

namespace topograd {

namespace {

constexpr const char* kForCompatibility =
    "Accepted from the reference implementation, without effect";

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options surface_flags(bool line) {
  cxxopts::Options options(line ? "landscape line" : "landscape surface",
                           line ? "Losses along a line through a network.\n"
                                : "Losses on a plane through a network.\n");
  options.positional_help("MODEL.safetensors").show_positional_help().set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Points")
      ("x-axis", "--x: alpha, FROM:TO:POINTS (default -1:1:51)", string());
  if (!line)
    options.add_options("Points")
        ("y-axis", "--y: beta, likewise", string());
  options.add_options("Directions")
      ("norm", "filter, layer, weight, dfilter, dlayer or none", value("filter"))
      ("ignore", "biasbn: biases and BatchNorm stay put; none: they are scaled", value("biasbn"))
      ("seed", "of the random directions", value("1"))
      ("seeds", "directions of that many seeds in one run, --seed and those that follow it: their "
                "mean, their spread and each for itself", value("1"))
      ("idx", "another pair of directions of the same seed", value("0"))
      ("dir-type", "weights, or states: BatchNorm's running statistics move too (default: states "
                   "where a direction leads to another model, else weights)", string())
      ("bn", "BatchNorm: frozen, the network's running statistics; states, moved along the direction (as "
             "--dir-type states); recompute, re-estimated at every point; batch, each batch's own", string())
      ("bn-batch", "images of a batch, for --bn recompute and batch", value("128"))
      ("dir-file", "read the directions from this file; write them there if it is not", string())
      ("to,model-file2", line ? "the line leads to this model, default x -0.5:1.5:41 (or --model-file2)"
                              : "direction x leads to this model (or --model-file2)", string());
  if (line)
    options.add_options("Directions")
        ("xnorm", "as --norm", string())
        ("xignore", "as --ignore", string());
  else
    options.add_options("Directions")
        ("model-file3", "direction y leads to this model", string())
        ("xnorm", "--norm of direction x alone", string())
        ("ynorm", "of direction y", string())
        ("xignore", "--ignore of direction x alone", string())
        ("yignore", "of direction y", string())
        ("same-dir", "y is the same direction as x");
  add_image_flags(options);
  options.add_options("Data")
      ("target-se", "evaluate each point on 256, 512, 1024, ... images, no more once the mean loss's "
                    "standard error is at most this (slightly biased, see docs/files.md)", string())
      ("loss,l,loss-name", "cross_entropy (or crossentropy) or mse, or both with a comma between: the "
                           "first is the one that pictures show (or --loss-name)",
       value("cross_entropy"));
  options.add_options("Output")
      ("output,o,surf-file", "the surface's HDF5 file; an unfinished one is continued (or --surf-file)",
       string())
      ("log", "pictures: logarithmic scale")
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
      ("model-file", "the checkpoint, as the first argument", string())
      ("model", "refuse the checkpoint unless it is this network", string())
      ("help", "print this");
  options.add_options(kForCompatibility)
      ("dataset", "cifar10 alone", value("cifar10"))
      ("m,mpi", "")("c,cuda", "")("ngpu", "", string())("batch-size", "", string())
      ("raw-data", "")("vlevel", "", string())("show", "")("plot", "");
  options.parse_positional({"model-file"});
  return options;
}
// clang-format on

std::string surface_help(const cxxopts::Options& options) {
  return options.help({"Points", "Directions", "Data", "Output", "Run", kForCompatibility});
}

}  // namespace topograd
