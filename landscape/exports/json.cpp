#include "landscape/exports/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace topograd {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
  return value;
}

Json element(const NamedArray& array, size_t i) {
  switch (array.type) {
    case NamedArray::Type::text:
      return array.words[i];
    case NamedArray::Type::mask:
      return array.numbers[i] != 0;
    case NamedArray::Type::real:
      return number(array.numbers[i]);
  }
  fail("no such type of array");
}

/// The elements from `first` on, which it moves past them, as lists in lists.
Json nested(const NamedArray& array, int dimension, size_t& first) {
  if (dimension == array.shape.rank()) return element(array, first++);
  Json list = Json::array();
  for (int64_t i = 0; i < array.shape[dimension]; ++i)
    list.push_back(nested(array, dimension + 1, first));
  return list;
}

void add(Json& object, const NamedArray& array) {
  Json* place = &object;
  size_t begin = 0;
  for (size_t end; (end = array.name.find('/', begin)) != std::string::npos; begin = end + 1)
    place = &(*place)[array.name.substr(begin, end - begin)];
  size_t first = 0;
  (*place)[array.name.substr(begin)] = nested(array, 0, first);
}

}  // namespace

std::string json_of(const Record& record) {
  Json json = {{"format", "topograd-export-1"}, {"kind", record.kind}};
  json["provenance"] = Json(Json::object());
  for (const auto& [key, value] : record.provenance) json["provenance"][key] = value;
  for (const NamedArray& array : record.arrays) add(json, array);
  if (!record.planes.empty()) json["planes"] = Json(Json::object());
  for (const NamedArray& plane : record.planes)
    json["planes"][plane.name] = [&] {
      size_t first = 0;
      return nested(plane, 0, first);
    }();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string json_of(const Provenance& provenance) {
  Json json = Json(Json::object());
  for (const auto& [key, value] : provenance) json[key] = value;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace topograd
