// JSON (RFC 8259), for web pages and everything else.
#pragma once

#include <string>

#include "landscape/exports/record.h"

namespace topograd {

/// One object: format ("topograd-export-1"), kind, provenance (an object of texts), every array
/// under its name as nested lists, rows outermost, in an object for each group of its name, and a
/// surface's planes in the object `planes`. NaN is null, infinity the text "infinity" or
/// "-infinity", truth values are true and false. Numbers read back to the same bits.
std::string json_of(const Record& record);

/// The provenance alone, an object of texts, in ASCII.
std::string json_of(const Provenance& provenance);

}  // namespace topograd
