#include "nn/graph_file.h"

#include <doctest/doctest.h>

#include "tests/nn/test_graphs.h"

using namespace topograd;

namespace {

/// A graph of these nodes over images of 6x6x3.
std::string file_of(const std::string& nodes) {
  return R"({"format": "topograd-graph-1", "name": "net", "image": [6, 6, 3], "nodes": [)" + nodes +
         "]}";
}

std::string refusal(const std::string& json) {
  try {
    graph_from_json(json);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

/// What the file says again of a graph that it makes.
void check_round_trip(const std::string& name, const Graph& graph) {
  CAPTURE(name);
  const std::string json = graph_json(graph, name);
  const NamedGraph made = graph_from_json(json);
  CHECK(made.name == name);
  CHECK(graph_json(made.graph, name) == json);
  CHECK(graph_json(graph_from_json(graph_json(graph, name, true)).graph, name) == json);
  REQUIRE(made.graph.nodes().size() == graph.nodes().size());
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node &a = graph.nodes()[i], &b = made.graph.nodes()[i];
    CHECK(a.name == b.name);
    CHECK(a.shape == b.shape);
    CHECK(a.inputs == b.inputs);
    CHECK(a.parameters == b.parameters);
    CHECK(a.running_stats == b.running_stats);
  }
  REQUIRE(made.graph.layout().state_dict().size() == graph.layout().state_dict().size());
  for (size_t i = 0; i < graph.layout().state_dict().size(); ++i) {
    const ParameterEntry& a = graph.layout().state_dict()[i];
    const ParameterEntry& b = made.graph.layout().state_dict()[i];
    CHECK(a.name == b.name);
    CHECK(a.kind == b.kind);
    CHECK(a.shape == b.shape);
  }
}

constexpr const char* kHead = R"({"name": "fc", "op": "linear", "inputs": ["x"], "outputs": 4})";

}  // namespace

TEST_CASE("graph file: every layer is written and read again") {
  for (const auto& [name, graph] : test::layer_graphs()) check_round_trip(name, graph);
  check_round_trip("dense", test::dense_graph());
  check_round_trip("nested", test::nested_graph());
  check_round_trip("pooling", test::pooling_graph());
  check_round_trip("shared", test::shared_graph());
}

TEST_CASE("graph file: attributes that are left out have their defaults") {
  const NamedGraph made = graph_from_json(file_of(
      text(R"({"name": "x", "op": "conv2d", "inputs": ["input"], "filters": 2, "kernel": 3}, )",
           kHead)));
  CHECK(made.graph.nodes()[1].shape == Shape{4, 4, 2});
  CHECK(made.graph.classes() == 4);
  CHECK(made.graph.layout().parameters()[0].name == "x.weight");
}

TEST_CASE("graph file: origins are kept, and errors name them") {
  const std::string conv =
      R"({"name": "x", "op": "conv2d", "inputs": ["input"], "filters": 2, "kernel": 9, )"
      R"("origin": "net.py:12"}, )";
  CHECK(refusal(file_of(conv + kHead)).starts_with("node 'x' (net.py:12): "));
  const std::string relu =
      R"({"name": "x", "op": "relu", "inputs": ["input"], "origin": "net.py:12"}, )";
  const Graph graph = graph_from_json(file_of(relu + kHead)).graph;
  CHECK(graph.nodes()[1].origin == "net.py:12");
}

TEST_CASE("graph file: what is wrong is one line, with the node and what would be accepted") {
  struct Case {
    std::string json, message;
  };
  const auto node = [](const std::string& members) {
    return file_of("{" + members + "}, " + kHead);
  };
  const std::string relu = R"("name": "x", "op": "relu", "inputs": ["input"])";
  const Case cases[] = {
      {"[]", "a graph's file needs 'format'"},
      {R"({"format": "onnx"})", R"(its format is "onnx", this program reads "topograd-graph-1")"},
      {node(R"("op": "relu")"), "node 0: it needs 'name'"},
      {node(R"("name": "x", "op": "attention", "inputs": [])"),
       "node 'x': unknown operation 'attention': there are adaptive_average_pool, "},
      {node(R"("name": "x", "op": "relu", "inputs": ["y"])"),
       "node 'x': its input 'y' is no node before it ('input' is the image)"},
      {node(R"("name": "x", "op": "relu", "inputs": [])"),
       "node 'x': it takes 1 input, and the file lists 0"},
      {node(relu + R"(, "slope": 1)"), "node 'x': it has no attribute 'slope': it takes inputs"},
      {node(R"("name": "x", "op": "conv2d", "inputs": ["input"], "kernel": 3)"),
       "node 'x': it needs 'filters'"},
      {node(R"("name": "x", "op": "conv2d", "inputs": ["input"], "filters": 2.5, "kernel": 3)"),
       "node 'x': 'filters' has to be an integer, not 2.5"},
      {node(R"("name": "x", "op": "conv2d", "inputs": ["input"], "filters": 1e300, "kernel": 3)"),
       "node 'x': 'filters' has to be an integer"},
      {node(
           R"("name": "x", "op": "conv2d", "inputs": ["input"], "filters": 99999999999, "kernel": 3)"),
       "node 'x': 'filters' is 99999999999: too large a number"},
      {node(R"("name": "x", "op": "shortcut_a", "inputs": ["input"], "filters": 3, "stride": 0)"),
       "node 'x': shortcut_a: a stride of 0: choose 1 or more"},
      {node(R"("name": "x", "op": "rearrange", "inputs": ["input"], "shape": [1], )"
            R"("extents": [16777216, 16777216, 16777216], "strides": [0, 0, 0])"),
       "node 'x': rearrange1: 4.72237e+21 elements, which no memory holds"},
      {node(R"("name": "x", "op": "rearrange", "inputs": ["input"], )"
            R"("shape": [16777216, 16777216, 16777216], "extents": [1], "strides": [0])"),
       "node 'x': rearrange1: 1 elements do not make"},
      {node(R"("name": "x", "op": "rearrange", "inputs": ["input"], "shape": [16777216], )"
            R"("extents": [16777216], "strides": [0])"),
       "node 'x': whether one of 16777216 elements is read twice cannot be told"},
      {node(R"("name": "input", "op": "relu", "inputs": ["input"])"),
       "node 'input': its name is that of a node before it"},
      {file_of("{" + relu + "}, {" + R"("name": "y", "op": "relu", "inputs": ["input"]}, )" +
               kHead),
       "node 'y': no node reads it: leave it out"},
      {file_of("{" + relu + "}"), "a network's output is one vector of logits, got [6x6x3]"},
      {file_of(""), "'nodes' has to be a list of nodes, not 0"},
      {R"({"format": "topograd-graph-1", "name": "net", "image": [6, 6], "nodes": []})",
       "'image' has to be [height, width, channels], not [6,6]"},
      {file_of("{" + relu + R"(, "parameters_of": "fc"}, )" + kHead),
       "node 'x': 'parameters_of': 'fc' is no node before it"},
  };
  for (const Case& c : cases) {
    const std::string message = refusal(c.json);
    CHECK_MESSAGE(message.starts_with(c.message), message);
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("graph file: how large images are decides nothing about how long it is read") {
  // 2e11 pixels: a moment for each window, or eight bytes for each element, would be minutes, or all memory.
  const NamedGraph vast = graph_from_json(
      R"({"format": "topograd-graph-1", "name": "vast", "image": [16777216, 1, 1], "nodes": [)"
      R"({"name": "up", "op": "conv_transpose2d", "inputs": ["input"], "filters": 1, "kernel": 1, "stride": [16384, 1]}, )"
      R"({"name": "pool", "op": "max_pool", "inputs": ["up"], "kernel": [3, 1], "stride": 1, "padding": [1, 0]}, )"
      R"({"name": "flat", "op": "flatten", "inputs": ["pool"]}, )"
      R"({"name": "fc", "op": "linear", "inputs": ["flat"], "outputs": 1}]})");
  CHECK(vast.graph.classes() == 1);
}

TEST_CASE("graph file: parameters are shared among layers that have the same") {
  const auto shared = [](const std::string& second) {
    return file_of(
        R"({"name": "a", "op": "conv2d", "inputs": ["input"], "filters": 3, "kernel": 3, "padding": 1}, )" +
        second + ", " + kHead);
  };
  const std::string b = R"({"name": "x", "op": "conv2d", "inputs": ["a"], "padding": 1, )";
  const Graph graph =
      graph_from_json(shared(b + R"("filters": 3, "kernel": 3, "parameters_of": "a"})")).graph;
  CHECK(graph.nodes()[1].parameters == graph.nodes()[2].parameters);
  CHECK(graph.layout().parameters().size() == 3);
  CHECK(refusal(shared(b + R"("filters": 3, "kernel": 1, "parameters_of": "a"})"))
            .starts_with("node 'x': x needs weight [3x1x1x3], and 'a.weight' is [3x3x3x3]"));
  CHECK(refusal(shared(b + R"("filters": 3, "kernel": 3, "bias": true, "parameters_of": "a"})")) ==
        "node 'x': x cannot read the parameters of a, which has others");
}
