// The flags of landscape connect.
#include "apps/landscape/common/image_flags.h"
#include "apps/landscape/connect/connect_command.h"
#include "apps/landscape/connect/connect_curve.h"

namespace topograd {

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options connect_flags() {
  cxxopts::Options options("landscape connect",
                           "The loss on paths from network A to network B: the straight line, the line to B with its\n"
                           "channels aligned to A's, and a trained curve. How high is the barrier between them?\n");
  options.positional_help("A.safetensors B.safetensors").show_positional_help().set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Paths")
      ("points", "on each path, the ends among them", value("21"))
      ("align", "also with B's channels in the order in which its weights are closest to A's; the "
                "curve then leads there")
      ("save-aligned", "write the aligned B to this checkpoint; brings --align", string())
      ("bn", "BatchNorm on the lines: states, interpolated as the weights are; recompute, re-estimated at "
             "every point; or both. A curve's is always re-estimated", value("states,recompute"))
      ("bn-batch", "images of a batch, to re-estimate", value("128"))
      ("seed", "of the alignment's orders and the curve's training", value("1"));
  add_curve_flags(options);
  add_image_flags(options, "both");
  options.add_options("Data")
      ("loss,l,loss-name", "cross_entropy or mse", value("cross_entropy"));
  options.add_options("Output")
      ("output,o", "the results' HDF5 file; what it lacks is computed", string())
      ("no-pictures", "compute only");
  options.add_options("Run")
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"))
      ("impl", "force an implementation, as in conv2d=reference",
       cxxopts::value<std::vector<std::string>>())
      ("models", "the two checkpoints, as the first arguments", cxxopts::value<std::vector<std::string>>())
      ("model", "refuse the checkpoints unless they are this network", string())
      ("help", "print this");
  options.parse_positional({"models"});
  return options;
}
// clang-format on

}  // namespace topograd
