// JSON as text: the one place where the text of a file becomes JSON, within bounds, and back.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace topograd {

/// Largest number of lists and objects within one another that a text may have; what this project
/// writes has fewer than ten. JSON is walked by functions that call themselves.
constexpr int kDeepestJson = 64;

/// Parses a text; the members of objects are then in alphabetical order. Throws Error with
/// the reason where it is no JSON, or nested too deep.
nlohmann::json parse_json(const std::string& text);
/// Parses a text; the members of objects keep their order.
nlohmann::ordered_json parse_ordered_json(const std::string& text);
/// Parses a text, or returns null if it is no JSON: where nothing depends on it.
nlohmann::ordered_json json_or_null(const std::string& text);

/// Returns JSON as text, on one line unless `indent` is a number of blanks; bytes that are no UTF-8
/// are replaced.
std::string json_text(const nlohmann::json& json, int indent = -1);
std::string json_text(const nlohmann::ordered_json& json, int indent = -1, bool ascii = false);

}  // namespace topograd
