#include "nn/json_text.h"

#include <algorithm>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Returns how many brackets are open at once, strings left out, whether or not the text is JSON.
int64_t depth_of(const std::string& text) {
  int64_t depth = 0, deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\')
      ++i;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && (c == '[' || c == '{'))
      deepest = std::max(deepest, ++depth);
    else if (!in_string && (c == ']' || c == '}'))
      --depth;
  }
  return deepest;
}

template <class Json>
Json parsed(const std::string& text) {
  const int64_t depth = depth_of(text);
  require(depth <= kDeepestJson, "lists and objects within one another, ", depth, " deep: at most ",
          kDeepestJson, " are read");
  try {
    return Json::parse(text);
  } catch (const typename Json::exception& error) {
    fail(error.what());
  }
}

}  // namespace

nlohmann::json parse_json(const std::string& text) {
  return parsed<nlohmann::json>(text);
}

nlohmann::ordered_json parse_ordered_json(const std::string& text) {
  return parsed<nlohmann::ordered_json>(text);
}

nlohmann::ordered_json json_or_null(const std::string& text) {
  try {
    return parse_ordered_json(text);
  } catch (const Error&) {
    return nullptr;
  }
}

std::string json_text(const nlohmann::json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_text(const nlohmann::ordered_json& json, int indent, bool ascii) {
  return json.dump(indent, ' ', ascii, nlohmann::json::error_handler_t::replace);
}

}  // namespace topograd
