// What a report holds of a results file, as JSON: the report's own copy of the numbers.
//
// A report is {format: "topograd-report-1", title, version, command, plane, results: [...]},
// `plane` the name of the values to show first, or null. apps/landscape/report/page/src/schema.ts has the same as
// types.
//
// Numbers that JSON lacks: NaN is null, infinities are "infinity" and "-infinity". Planes over
// points are base64 of little-endian float32, row after row ([ny][nx]), in which NaN and infinity
// are themselves; a value beyond float32's 3.4e38 becomes infinite. Masks are base64 of bytes.
//
// Every result has kind, file (as it was named) and provenance (texts by name), and
//
//   surface       x, y (empty for a line), done (mask; null where all points are), planes {name:
//                 base64}
//   trajectory    epochs, x, y, length, distance, in_plane, explained, random_walk; own and
//                 projected {name: list}: the losses of the checkpoints and of their projections
//   curvature     loss, gradient_norm, largest and smallest {values, residuals}, trace {value,
//                 standard_error, products}, density {sigma, at, density, standard_error}; null
//                 where it was not asked for
//   sharpness     measures [{name, unit, definition, value, standard_error, settings}]; rescaled
//                 {description, largest_logit, largest_logit_difference, measures, slices [{name,
//                 alpha, before, after}]} or null
//   coherence     quantities (names), rows [{name, file, epoch, values {quantity: number}, layers
//                 (names), layer_values {quantity: list}}]
//   paths         t, paths {name: {values {name: list}, barriers {name: {height, at}}}}, alignment
//   training_log  columns {name: list}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace topograd {

/// Whatever kind of result the file is; an Error for what is none, or cannot be read.
nlohmann::ordered_json report_result(const std::string& path);

}  // namespace topograd
