#include "landscape/exports/vtk.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/core/check.h"
#include "kernels/core/streams.h"
#include "landscape/figures/canvas/markup.h"
#include "landscape/results/record_json.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers are written as they lie in memory");

template <class T>
std::string data_array(const std::string& name, const char* type, const std::vector<T>& values,
                       int components = 1) {
  const uint64_t size = values.size() * sizeof(T);
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  bytes.append(reinterpret_cast<const char*>(values.data()), size);
  return text("<DataArray type=\"", type, "\" Name=\"", escaped_markup(name),
              "\" NumberOfComponents=\"", components, "\" format=\"binary\">", base64(bytes),
              "</DataArray>\n");
}

std::string real_data(const std::string& name, std::vector<double> values) {
  for (double& v : values)
    if (std::isinf(v)) v = std::numeric_limits<double>::quiet_NaN();
  return data_array(name, "Float64", values);
}

std::string mask_data(const std::string& name, const std::vector<double>& values) {
  return data_array(name, "UInt8", std::vector<uint8_t>(values.begin(), values.end()));
}

/// Returns all columns but some as point data; `scalars` is what a viewer shows first.
std::string point_data(const std::vector<NamedArray>& columns, const std::vector<std::string>& but,
                       const std::string& scalars, const std::string& more = "") {
  std::string data = text("<PointData Scalars=\"", escaped_markup(scalars), "\">\n");
  for (const NamedArray& column : columns) {
    if (std::find(but.begin(), but.end(), column.name) != but.end()) continue;
    data += column.type == NamedArray::Type::mask ? mask_data(column.name, column.numbers)
                                                  : real_data(column.name, column.numbers);
  }
  return data + more + "</PointData>\n";
}

/// Returns the provenance as field data: an array of the text's byte codes, 0 at the end.
std::string field_data(const Provenance& provenance) {
  std::string codes;
  for (char c : json_of(provenance)) codes += std::to_string(static_cast<unsigned char>(c)) + " ";
  return "<FieldData>\n<DataArray type=\"String\" Name=\"provenance\" NumberOfTuples=\"1\" "
         "format=\"ascii\">" +
         codes + "0</DataArray>\n</FieldData>\n";
}

/// Returns the file around a data set's contents.
std::string vtk_file(const std::string& type, const std::string& attributes,
                     const Provenance& provenance, const std::string& contents) {
  return text("<?xml version=\"1.0\"?>\n<VTKFile type=\"", type,
              "\" version=\"1.0\" byte_order=\"LittleEndian\" header_type=\"UInt64\">\n<", type,
              attributes, ">\n", field_data(provenance), contents, "</", type, ">\n</VTKFile>\n");
}

/// Returns all values of a surface as point data; `scalars` is what a viewer shows first.
std::string surface_data(const Surface& surface, const std::string& scalars,
                         const std::string& more = "") {
  return point_data(record_of(surface).columns(), {"x", "y"}, scalars, more);
}

std::string exact(double value) {
  TextWriter out;
  out.precision(17);
  out << value;
  return out.str();
}

std::string extent_of(const Surface& surface) {
  return text("0 ", surface.nx() - 1, " 0 ", surface.ny() - 1, " 0 0");
}

double spacing(const std::vector<double>& axis) {
  const auto cells = static_cast<double>(axis.size() - 1);
  return axis.size() > 1 ? (axis.back() - axis.front()) / cells : 1;
}

/// Returns x, y and z of every point; heights that are not finite become `top`.
std::string points_element(const std::vector<double>& x, const std::vector<double>& y,
                           const std::vector<double>& z, double top) {
  std::vector<double> points;
  for (size_t i = 0; i < z.size(); ++i) {
    points.push_back(x[i]);
    points.push_back(y[i]);
    points.push_back(std::isfinite(z[i]) ? z[i] : top);
  }
  return "<Points>\n" + data_array("Points", "Float64", points, 3) + "</Points>\n";
}

/// Returns Lines or Polys: the points of each, one after the other.
template <class Cells>
std::string cells_element(const std::string& name, const Cells& cells) {
  std::vector<int64_t> connectivity, offsets;
  for (const auto& cell : cells) {
    connectivity.insert(connectivity.end(), cell.begin(), cell.end());
    offsets.push_back(static_cast<int64_t>(connectivity.size()));
  }
  return text("<", name, ">\n", data_array("connectivity", "Int64", connectivity),
              data_array("offsets", "Int64", offsets), "</", name, ">\n");
}

std::string piece(size_t points, size_t lines, size_t polys, const std::string& contents) {
  return text("<Piece NumberOfPoints=\"", points, "\" NumberOfVerts=\"0\" NumberOfLines=\"", lines,
              "\" NumberOfStrips=\"0\" NumberOfPolys=\"", polys, "\">\n", contents, "</Piece>\n");
}

/// Returns runs of two or more successive points with finite heights.
std::vector<std::vector<int64_t>> finite_runs(const std::vector<double>& z) {
  std::vector<std::vector<int64_t>> runs(1);
  for (size_t i = 0; i < z.size(); ++i) {
    if (std::isfinite(z[i]))
      runs.back().push_back(static_cast<int64_t>(i));
    else if (!runs.back().empty())
      runs.emplace_back();
  }
  std::erase_if(runs, [](const auto& run) { return run.size() < 2; });
  return runs;
}

/// Returns the largest finite value; 0 without any.
double highest(const std::vector<double>& z) {
  double top = -std::numeric_limits<double>::infinity();
  for (double v : z)
    if (std::isfinite(v)) top = std::max(top, v);
  return std::isfinite(top) ? top : 0;
}

}  // namespace

bool is_even(const std::vector<double>& axis) {
  const double step = spacing(axis), extent = axis.back() - axis.front();
  for (size_t i = 0; i < axis.size(); ++i) {
    const double off = axis[i] - (axis.front() + step * static_cast<double>(i));
    if (!(std::abs(off) <= 1e-9 * extent)) return false;
  }
  return true;
}

std::string vtk_image(const Surface& given) {
  const Surface surface = with_ascending_axes(given);
  require(is_even(surface.x()) && is_even(surface.y()),
          "the points are not evenly spaced, which vti cannot say: choose vtr");
  const std::string extent = extent_of(surface);
  return vtk_file("ImageData",
                  text(" WholeExtent=\"", extent, "\" Origin=\"", exact(surface.x().front()), " ",
                       exact(surface.y().front()), " 0\" Spacing=\"", exact(spacing(surface.x())),
                       " ", exact(spacing(surface.y())), " 1\""),
                  record_of(surface).provenance,
                  text("<Piece Extent=\"", extent, "\">\n",
                       surface_data(surface, height_plane(surface, {})), "</Piece>\n"));
}

std::string vtk_rectilinear(const Surface& given) {
  const Surface surface = with_ascending_axes(given);
  const std::string extent = extent_of(surface);
  return vtk_file(
      "RectilinearGrid", text(" WholeExtent=\"", extent, "\""), record_of(surface).provenance,
      text("<Piece Extent=\"", extent, "\">\n", surface_data(surface, height_plane(surface, {})),
           "<Coordinates>\n", data_array("x", "Float64", surface.x()),
           data_array("y", "Float64", surface.y()),
           data_array("z", "Float64", std::vector<double>{0}), "</Coordinates>\n</Piece>\n"));
}

std::string vtk_surface(const Surface& given, const HeightOptions& options,
                        std::optional<double> height) {
  const Surface surface = with_ascending_axes(given);
  HeightField field = height_field(surface, options);
  const std::string heights = real_data("zvalue", field.z);
  if (height) {
    const double range = field.high - field.low;
    for (double& z : field.z) z = range > 0 ? (z - field.low) / range * *height : z - field.low;
  }
  const auto quads = quads_of(field);
  const std::vector<NamedArray> columns = record_of(surface).columns();
  return vtk_file(
      "PolyData", "", record_of(surface).provenance,
      piece(field.z.size(), 0, quads.size(),
            surface_data(surface, height_plane(surface, options), heights) +
                points_element(columns[0].numbers, columns[1].numbers, field.z, highest(field.z)) +
                cells_element("Polys", quads)));
}

std::string vtk_trajectory(const TrajectoryResults& results, const HeightOptions& options) {
  const std::string plane = height_plane(results.projected, options);
  const std::vector<double> z = heights_of(results.projected.plane(plane), options, plane);
  const auto lines = finite_runs(z);
  return vtk_file(
      "PolyData", "", results.provenance,
      piece(z.size(), lines.size(), 0,
            point_data(results.record().columns(), {"proj_xcoord", "proj_ycoord"}, "epoch",
                       real_data("zvalue", z)) +
                points_element(results.coordinates.x, results.coordinates.y, z, highest(z)) +
                cells_element("Lines", lines)));
}

}  // namespace topograd
