// Surfaces as the paper's authors' tools write and read them.
#pragma once

#include <string>

#include "landscape/surface/surface.h"

namespace topograd {

/// Writes the authors' HDF5 layout and nothing else, atomically: dir_file, xcoordinates,
/// ycoordinates (absent for a line), and those of these planes that the surface has: train_loss,
/// train_acc (percent), test_loss, test_acc, min_eig and max_eig (lambda_min and lambda_max).
/// No attributes, no mask: -1 where a point is to do, float64 [y][x] as their plotters read it.
/// Throws Error where a surface has none of these planes.
void write_authors_hdf5(const Surface& surface, const std::string& path);

/// Throws Error where a surface has none of these planes; a check before anything is written.
void require_authors_planes(const Surface& surface);

}  // namespace topograd
