// What a results file holds, as named arrays: what npz and json write, and as a table: what csv
// writes.
#pragma once

#include <string>
#include <vector>

#include "kernels/core/tensor.h"
#include "landscape/coherence/coherence_results.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/results/provenance.h"
#include "landscape/sharpness/sharpness_results.h"
#include "landscape/surface/surface.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Numbers, or truth values (0 and 1), or texts, row after row.
struct NamedArray {
  enum class Type { real, mask, text };

  std::string name;  ///< "x"; with slashes where it lies in groups: "largest/values"
  Type type = Type::real;
  Shape shape;                       ///< {}: a single value
  std::vector<double> numbers;       ///< of real and mask
  std::vector<std::string> words{};  ///< of text
};

NamedArray real_array(std::string name, Shape shape, std::vector<double> numbers);
/// One dimension of as many as there are.
NamedArray real_column(std::string name, std::vector<double> numbers);
NamedArray text_column(std::string name, std::vector<std::string> words);

struct Record {
  std::string kind;  ///< "surface"
  Provenance provenance;
  std::vector<NamedArray> arrays;
  std::vector<NamedArray> planes;   ///< more arrays: a surface's values
  std::vector<NamedArray> columns;  ///< the table: of one dimension, all equally long
};

/// x, y and done, every plane [ny][nx] (of a line [nx]), NaN at points to do. Columns: x, y, the
/// planes, done; a row a point, x fastest. Throws Error where a plane has the name of an axis.
Record record_of(const Surface& surface);

/// The arrays of an HDF5 file of this project that is no surface, under the names that they have in
/// it, without eigenvectors, and without columns.
Record record_of_hdf5(const std::string& path);

/// The tables of what is no surface, described in docs/files.md.
std::vector<NamedArray> table_of(const TrajectoryResults& results);
std::vector<NamedArray> table_of(const CurvatureResults& results);
std::vector<NamedArray> table_of(const SharpnessPanel& panel);
std::vector<NamedArray> table_of(const CoherenceResults& results);
std::vector<NamedArray> table_of(const ConnectivityResults& results);

}  // namespace topograd
