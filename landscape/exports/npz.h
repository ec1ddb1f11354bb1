// NumPy's .npz: a ZIP archive of arrays in the .npy format, version 1.0.
#pragma once

#include <string>

#include "landscape/exports/record.h"

namespace topograd {

/// Every array and plane of the record under its name, as numpy.load gives them: float64, bool for
/// truth values, str for texts, in C order ([ny][nx]); `kind` and `provenance` are single texts,
/// the latter a JSON object. Nothing is pickled. Equal records give equal bytes.
std::string npz_of(const Record& record);

}  // namespace topograd
