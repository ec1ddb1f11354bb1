#include "landscape/results/result_kind.h"

#include <filesystem>
#include <fstream>

#include "kernels/core/check.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/results/provenance.h"

namespace topograd {

namespace {

constexpr std::string_view kHdf5Signature = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kLogBegins = "epoch,learning_rate,";

std::string first_bytes(const std::string& path, size_t count) {
  require(!std::filesystem::is_directory(path), path,
          " is a folder: name a file, of a run's folder log.csv");
  std::ifstream in(path, std::ios::binary);
  require(in.good(), path, " cannot be opened: is its name right?");
  std::string bytes(count, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return bytes;
}

ResultKind kind_of_hdf5(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  const Provenance attributes = file.attributes();
  if (file.has("xcoordinates")) return ResultKind::surface;
  if (file.has("proj_xcoord") && file.has("projected_done")) return ResultKind::trajectory;
  if (attributes.contains("curvature")) return ResultKind::curvature;
  if (attributes.contains("format") && attributes.at("format").starts_with("topograd-sharpness"))
    return ResultKind::sharpness;
  if (attributes.contains("batches")) return ResultKind::coherence;
  if (attributes.contains("to_model_hash") && file.has("t")) return ResultKind::paths;
  require(!file.has("xdirection"), path, " holds directions, not results: name the surface's file");
  require(!file.has("proj_xcoord"), path,
          " holds projections of the authors' tool alone: landscape trajectory makes them anew, "
          "with their losses");
  fail(path, " is an HDF5 file, but none that landscape writes");
}

}  // namespace

ResultKind kind_of_result(const std::string& path) {
  const std::string begin = first_bytes(path, kLogBegins.size());
  if (begin == kLogBegins) return ResultKind::training_log;
  require(!begin.empty(), path, " is empty");
  require(!path.ends_with(".safetensors"), path,
          " is a network, not a result: landscape surface and its like make results of it");
  require(begin.starts_with(kHdf5Signature), path,
          " is neither an HDF5 file nor a training's log.csv");
  return kind_of_hdf5(path);
}

std::string name_of(ResultKind kind) {
  switch (kind) {
    case ResultKind::surface:
      return "a surface";
    case ResultKind::trajectory:
      return "a trajectory";
    case ResultKind::curvature:
      return "a curvature";
    case ResultKind::sharpness:
      return "a panel of sharpness";
    case ResultKind::coherence:
      return "a coherence of gradients";
    case ResultKind::paths:
      return "paths between networks";
    case ResultKind::training_log:
      return "a training's log";
  }
  fail("no such kind of result");
}

}  // namespace topograd
