#include "landscape/results/record_json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "kernels/core/check.h"
#include "kernels/core/hash.h"
#include "kernels/core/numbers.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

using Json = nlohmann::ordered_json;
using Type = NamedArray::Type;

constexpr std::pair<Type, const char*> kTypes[] = {
    {Type::real, "real"}, {Type::mask, "mask"}, {Type::text, "text"}};
constexpr std::pair<NamedArray::Style, const char*> kStyles[] = {
    {NamedArray::Style::line, "line"},
    {NamedArray::Style::dashed, "dashed"},
    {NamedArray::Style::points, "points"}};

template <class Names, class Value>
const char* name_in(const Names& names, Value value) {
  for (const auto& [known, name] : names)
    if (known == value) return name;
  fail("no such value");
}

template <class Names>
auto value_in(const Names& names, const std::string& wanted) {
  for (const auto& [value, name] : names)
    if (wanted == name) return value;
  fail("'", wanted, "' is no type or style of an array");
}

Json number(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
  return value;
}

double number_in(const Json& json) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (json == "infinity") return kInfinity;
  if (json == "-infinity") return -kInfinity;
  return json.get<double>();
}

Json element(const NamedArray& array, size_t i) {
  if (array.type == Type::text) return array.words[i];
  if (array.type == Type::mask) return array.numbers[i] != 0;
  return number(array.numbers[i]);
}

/// Returns the elements from `first` on as nested lists; advances `first` past them.
Json nested(const NamedArray& array, int dimension, size_t& first) {
  if (dimension == array.shape.rank()) return element(array, first++);
  Json list = Json::array();
  for (int64_t i = 0; i < array.shape[dimension]; ++i)
    list.push_back(nested(array, dimension + 1, first));
  return list;
}

Json object_of(const NamedArray& array) {
  Json json = Json::object();
  if (array.type != Type::real) json["type"] = name_in(kTypes, array.type);
  if (!array.axes.empty()) json["axes"] = array.axes;
  if (!array.unit.empty()) json["unit"] = array.unit;
  if (!array.error.empty()) json["error"] = array.error;
  if (!array.mask.empty()) json["mask"] = array.mask;
  if (array.style != NamedArray::Style::line) json["style"] = name_in(kStyles, array.style);
  size_t first = 0;
  json["values"] = nested(array, 0, first);
  return json;
}

/// Returns a name as it will be written: bytes that are no UTF-8 are replaced.
std::string as_written(const std::string& name) {
  return parse_json(json_text(Json(name))).get<std::string>();
}

/// Adds a member to an object. Throws Error where another one is called the same, and would be
/// lost.
void add_member(Json& object, const std::string& name, Json value) {
  require(!object.contains(name),
          "two of its names differ in bytes alone that are no UTF-8: both would be '", name, "'");
  object[name] = std::move(value);
}

Json object_of(const Record& record) {
  Json json = {{"format", "topograd-record-1"}, {"kind", record.kind}, {"title", record.title}};
  if (!record.file.empty()) json["file"] = record.file;
  json["provenance"] = Json(Json::object());
  std::multimap<std::string, std::string> provenance;  // in the order that it has when it is read
  for (const auto& [key, value] : record.provenance) provenance.emplace(as_written(key), value);
  for (const auto& [key, value] : provenance) add_member(json["provenance"], key, value);
  json["table"] = record.table;
  json["arrays"] = Json(Json::object());
  for (const NamedArray& array : record.arrays)
    add_member(json["arrays"], as_written(array.name), object_of(array));
  return json;
}

/// Returns the checksum of a record, wherever it was read from.
std::string checksum_of(Json object) {
  object.erase("file");
  object.erase("checksum");
  const std::string contents = json_text(object);
  return hex(content_hash(contents.data(), contents.size()));
}

Json with_checksum(Json object) {
  object["checksum"] = checksum_of(object);
  return object;
}

/// Throws Error if the record has a checksum, and it is not that of the rest.
void require_checksum(const Json& object) {
  const auto held = object.find("checksum");
  require(held == object.end() || held->get<std::string>() == checksum_of(object),
          "its contents are not those of its checksum: it was damaged, or altered (a program that "
          "alters it on purpose removes \"checksum\")");
}

std::string written(const Json& json) {
  return json_text(json) + "\n";
}

/// Appends the elements of nested lists. Throws Error if their extents differ.
void flatten(const Json& json, size_t dimension, std::vector<int64_t>& extents, NamedArray& array) {
  if (dimension == array.axes.size()) {
    if (array.type == Type::text)
      array.words.push_back(json.get<std::string>());
    else
      array.numbers.push_back(array.type == Type::mask ? json.get<bool>() : number_in(json));
    return;
  }
  require(json.is_array(), array.name, " is no list along ", array.axes[dimension]);
  const auto extent = static_cast<int64_t>(json.size());
  int64_t& expected = extents[dimension];
  if (expected < 0) expected = extent;
  require(expected == extent, array.name, " has lists of ", expected, " and ", extent,
          " values along ", array.axes[dimension]);
  for (const Json& one : json) flatten(one, dimension + 1, extents, array);
}

NamedArray array_of(const std::string& name, const Json& json) {
  NamedArray array{.name = name, .type = value_in(kTypes, json.value("type", "real"))};
  array.axes = json.value("axes", array.axes);
  array.unit = json.value("unit", "");
  array.error = json.value("error", "");
  array.mask = json.value("mask", "");
  array.style = value_in(kStyles, json.value("style", "line"));
  std::vector<int64_t> extents(array.axes.size(), -1);
  flatten(json.at("values"), 0, extents, array);
  std::replace(extents.begin(), extents.end(), int64_t{-1}, int64_t{0});
  array.shape = Shape(extents.begin(), extents.end());
  return array;
}

/// Throws Error if an array's error or mask, or an axis of the table, is missing.
void require_whole(const Record& record) {
  for (const NamedArray& array : record.arrays)
    for (const std::string& other : {array.error, array.mask}) {
      const NamedArray* found = record.find(other);
      require(other.empty() || (found && found->type != Type::text && found->axes == array.axes),
              array.name, " names '", other, "', which is no array of numbers over its axes");
    }
  for (const std::string& axis : record.table)
    require(std::any_of(record.arrays.begin(), record.arrays.end(),
                        [&](const NamedArray& array) {
                          return std::count(array.axes.begin(), array.axes.end(), axis) > 0;
                        }),
            "no array lies along '", axis, "', an axis of its table");
}

}  // namespace

std::string json_of(const Record& record) {
  return written(with_checksum(object_of(record)));
}

std::string json_of(const std::vector<Record>& records) {
  Json list = Json::array();
  for (const Record& record : records) list.push_back(with_checksum(object_of(record)));
  return written(list);
}

std::string json_of(const Provenance& provenance) {
  Json json = Json(Json::object());
  for (const auto& [key, value] : provenance) json[key] = value;
  return json_text(json, -1, /*ascii=*/true);
}

namespace {

Record record_of(const Json& object) {
  require(object.value("format", "") == "topograd-record-1", "its format is not topograd-record-1");
  require_checksum(object);
  Record record{.kind = object.at("kind").get<std::string>(), .title = object.value("title", "")};
  require(!record.kind.empty(), "its kind is empty");
  record.provenance = object.value("provenance", Provenance());
  record.table = object.value("table", record.table);
  for (const auto& [name, array] : object.at("arrays").items()) record.add(array_of(name, array));
  require_whole(record);
  record.file = object.value("file", "");
  return record;
}

/// Returns the records of a list.
std::vector<Record> records_of(const Json& list, const std::string& file) {
  require(list.is_array(), "they are no list");
  std::vector<Record> records;
  for (const Json& object : list) {
    Record record = record_of(object);
    record.file = record.file.empty() ? file : text(file, ": ", record.file);
    records.push_back(std::move(record));
  }
  return records;
}

/// Calls `read`, and puts before its errors what is wrong with the file.
template <class Read>
auto reading(const std::string& file, const char* wrong, Read read) {
  try {
    return read();
  } catch (const std::exception& error) {  // of the JSON library, or an Error
    fail(file, wrong, error.what());
  }
}

}  // namespace

Record record_of_json(const std::string& json, const std::string& file) {
  Record record =
      reading(file, " is no record in JSON: ", [&] { return record_of(parse_ordered_json(json)); });
  record.file = file;
  return record;
}

std::vector<Record> records_of_json(const std::string& json, const std::string& file) {
  return reading(file, " holds no records in JSON: ", [&] {
    return records_of(parse_ordered_json(json), file);
  });
}

std::vector<Record> records_of_page(const std::string& html, const std::string& file) {
  static const std::string kBegin = "<script type=\"application/json\" id=\"report-data\">";
  const size_t begin = html.find(kBegin), end = html.find("</script>", begin);
  require(begin != html.npos && end != html.npos, file, " is no page of landscape report");
  const std::string json = html.substr(begin + kBegin.size(), end - begin - kBegin.size());
  return reading(file, " holds no records: ", [&] {
    return records_of(parse_ordered_json(json).at("results"), file);
  });
}

}  // namespace topograd
