// Records as JSON (RFC 8259): the one format of landscape export, --json and the report's page,
// which docs/files.md describes. Numbers read back to the same bits.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

/// One object and a line's end. NaN is null, infinity the text "infinity" or "-infinity", truth
/// values are true and false; bytes that are not UTF-8 are replaced.
std::string json_of(const Record& record);

/// A list of such objects.
std::string json_of(const std::vector<Record>& records);

/// The provenance alone, an object of texts, in ASCII.
std::string json_of(const Provenance& provenance);

/// Reads what json_of() wrote of one record. Throws Error, with `file` in front, where it is none.
Record record_of_json(const std::string& json, const std::string& file);

}  // namespace topograd
