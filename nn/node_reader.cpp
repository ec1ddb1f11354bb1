#include "nn/node_reader.h"

#include "nn/json_text.h"

namespace topograd {

namespace {

/// Kernels, strides, paddings and dilations: products of two still fit in 32 bits.
constexpr int64_t kMostPixels = 1 << 15;

int64_t as_integer(const std::string& key, const GraphText& value) {
  require_kind(value.is_number_integer(), key, "an integer", value);
  require(value.get<double>() >= -kLargestInteger && value.get<double>() <= kLargestInteger, "'",
          key, "' is ", json_text(value), ": too large a number");
  return value.get<int64_t>();
}

int pixels(const std::string& key, const GraphText& value) {
  const int64_t number = as_integer(key, value);
  require(number >= 0 && number <= kMostPixels, "'", key, "' is ", number, ": choose 0 to ",
          kMostPixels);
  return static_cast<int>(number);
}

}  // namespace

void require_kind(bool is, const std::string& key, const char* expected, const GraphText& value) {
  require(is, "'", key, "' has to be ", expected, ", not ", json_text(value));
}

NodeReader::NodeReader(const GraphText& node, const std::map<std::string, Value>& known)
    : node_(node), known_(known) {
  require(node.is_object(), "a node has to be an object {...}, not ", json_text(node));
}

std::string NodeReader::text_of(const std::string& key) {
  const GraphText& value = required(key);
  require_kind(value.is_string(), key, "a text", value);
  return value.get<std::string>();
}

std::string NodeReader::text_of(const std::string& key, const std::string& otherwise) {
  return has(key) ? text_of(key) : otherwise;
}

int64_t NodeReader::integer(const std::string& key) {
  return as_integer(key, required(key));
}

int64_t NodeReader::integer(const std::string& key, int64_t otherwise) {
  return has(key) ? integer(key) : otherwise;
}

int NodeReader::small(const std::string& key, int otherwise) {
  return static_cast<int>(integer(key, otherwise));
}

PerAxis NodeReader::per_axis(const std::string& key) {
  const GraphText& value = required(key);
  if (!value.is_array()) return pixels(key, value);
  require_kind(value.size() == 2, key, "an integer, or [height, width]", value);
  return {pixels(key, value[0]), pixels(key, value[1])};
}

PerAxis NodeReader::per_axis(const std::string& key, PerAxis otherwise) {
  return has(key) ? per_axis(key) : otherwise;
}

double NodeReader::number(const std::string& key, double otherwise) {
  if (!has(key)) return otherwise;
  const GraphText& value = required(key);
  require_kind(value.is_number(), key, "a number", value);
  return value.get<double>();
}

bool NodeReader::flag(const std::string& key, bool otherwise) {
  if (!has(key)) return otherwise;
  const GraphText& value = required(key);
  require_kind(value.is_boolean(), key, "true or false", value);
  return value.get<bool>();
}

std::vector<int64_t> NodeReader::integers(const std::string& key) {
  const GraphText& list = required(key);
  require_kind(list.is_array() && list.size() <= 64, key, "a list of integers", list);
  std::vector<int64_t> values;
  for (const GraphText& value : list) values.push_back(as_integer(key, value));
  return values;
}

std::vector<Value> NodeReader::inputs(size_t least, size_t most) {
  const GraphText& list = required("inputs");
  require_kind(list.is_array(), "inputs", "a list of names of nodes before this one", list);
  require(list.size() >= least && list.size() <= most, "it takes ", least,
          most == least ? text("") : text(" or more"), least == 1 ? " input" : " inputs",
          ", and the file lists ", list.size());
  std::vector<Value> values;
  for (const GraphText& name : list) {
    require_kind(name.is_string(), "inputs", "a list of names of nodes before this one", list);
    const auto found = known_.find(name.get<std::string>());
    require(found != known_.end(), "its input '", name.get<std::string>(),
            "' is no node before it ('input' is the image)");
    values.push_back(found->second);
  }
  return values;
}

bool NodeReader::has(const std::string& key) {
  read_.insert(key);
  return node_.contains(key);
}

void NodeReader::require_all_read() const {
  for (const auto& [key, value] : node_.items())
    require(read_.contains(key), "it has no attribute '", key, "': it takes ", attributes());
}

const GraphText& NodeReader::required(const std::string& key) {
  read_.insert(key);
  require(node_.contains(key), "it needs '", key, "'");
  return node_.at(key);
}

std::string NodeReader::attributes() const {
  std::string list;
  for (const std::string& key : read_)
    if (key != "name" && key != "op" && key != "origin") list += (list.empty() ? "" : ", ") + key;
  return list;
}

}  // namespace topograd
