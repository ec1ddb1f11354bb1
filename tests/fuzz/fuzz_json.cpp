#include <stdexcept>

#include "kernels/core/check.h"
#include "landscape/planes/direction_recipe.h"
#include "landscape/results/record_json.h"
#include "models/registry.h"
#include "nn/graph_file.h"
#include "nn/json_text.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

template <class F>
void read_if_it_can(F read) {
  try {
    read();
  } catch (const Error&) {
  }
}

/// Reads a network's graph, which must be the same when it is written, in either form, and read.
void read_graph(const std::string& text) {
  const NamedGraph graph = graph_from_json(text);
  const std::string written = graph_json(graph.graph, graph.name);
  for (const std::string& form : {written, graph_json(graph.graph, graph.name, true)}) {
    const NamedGraph again = graph_from_json(form);
    if (graph_json(again.graph, again.name) != written)
      throw std::logic_error("a graph that changes when it is written and read");
  }
}

}  // namespace

void json(std::string_view bytes) {
  const std::string text(bytes);
  read_if_it_can([&] { direction_recipe(text); });
  read_if_it_can([&] { build_model(model_spec_from_json(text)); });
  read_if_it_can([&] { read_graph(text); });
  read_if_it_can([&] {
    const std::string again = json_of(record_of_json(text, "record.json"));
    if (json_of(record_of_json(again, "record.json")) != again)
      throw std::logic_error("a record that changes when it is written and read");
  });
  const nlohmann::json parsed = parse_json(text);
  if (parse_json(json_text(parsed, 2)) != parse_json(json_text(parsed)))
    throw std::logic_error("JSON that changes when it is written and read");
  json_text(parse_ordered_json(text), -1, true);
}

}  // namespace topograd::fuzz
