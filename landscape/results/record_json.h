// Records as JSON (RFC 8259), the format of landscape export, --json and the report's page; see
// docs/files.md. Numbers read back to the same bits.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

/// Returns one object and a newline. NaN is null, infinity the text "infinity" or "-infinity",
/// truth values are true and false; bytes that are not UTF-8 are replaced.
std::string json_of(const Record& record);

/// Returns an array of such objects and a newline.
std::string json_of(const std::vector<Record>& records);

/// Returns the provenance alone, an object of texts, in ASCII.
std::string json_of(const Provenance& provenance);

/// Reads json_of() of one record. Throws Error, with `file` in front, if it is none.
Record record_of_json(const std::string& json, const std::string& file);

/// Reads json_of() of several records; `file` stands before their own files' names. Throws Error
/// like record_of_json().
std::vector<Record> records_of_json(const std::string& json, const std::string& file);

/// Reads the records in a report's page (landscape report). Throws Error if it is none.
std::vector<Record> records_of_page(const std::string& html, const std::string& file);

}  // namespace topograd
