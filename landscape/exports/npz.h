// NumPy's .npz: a ZIP archive of arrays in the .npy format, version 1.0.
#pragma once

#include <string>

#include "landscape/results/record.h"

namespace topograd {

/// Returns an .npz of the record's arrays under their names: float64, bool for truth values, str
/// for texts, in C order ([ny][nx]); `kind` and `provenance` are single texts, the latter a JSON
/// object. Nothing is pickled. Equal records give equal bytes. Throws Error where an array has one
/// of these two names.
std::string npz_of(const Record& record);

}  // namespace topograd
