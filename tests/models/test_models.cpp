#include <doctest/doctest.h>

#include "models/loaded_model.h"

using namespace topograd;

TEST_CASE("models: parameter counts are the published ones") {
  // Counts of the reference implementation (option B), He et al.'s option A, and the papers of the
  // original wide ResNets and DenseNets.
  const struct {
    const char* name;
    char shortcut;
    int64_t parameters;
  } kPublished[] = {
      {"vgg9", 'B', 2789706},
      {"resnet20", 'B', 272474},
      {"resnet20_noshort", 'B', 269722},
      {"resnet32_noshort", 'B', 464154},
      {"resnet44_noshort", 'B', 658586},
      {"resnet56", 'B', 855770},
      {"resnet56_noshort", 'B', 853018},
      {"resnet110", 'B', 1730714},
      {"resnet110_noshort", 'B', 1727962},
      {"resnet20", 'A', 269722},
      {"resnet56", 'A', 853018},
      {"resnet18", 'B', 11173962},
      {"resnet18_noshort", 'B', 11000138},
      {"resnet34", 'B', 21282122},
      {"resnet34_noshort", 'B', 21108298},
      {"resnet50", 'B', 23520842},
      {"resnet50_noshort", 'B', 20744266},
      {"resnet101", 'B', 42512970},
      {"resnet101_noshort", 'B', 39736394},
      {"resnet152", 'B', 58156618},
      {"resnet152_noshort", 'B', 55380042},
      {"wrn56_2", 'B', 3412394},
      {"wrn56_2_noshort", 'B', 3401770},
      {"wrn56_4", 'B', 13628234},
      {"wrn56_4_noshort", 'B', 13586506},
      {"wrn56_8", 'B', 54470282},
      {"wrn56_8_noshort", 'B', 54304906},
      {"wrn110_2_noshort", 'B', 6893482},
      {"wrn110_4_noshort", 'B', 27537226},
      {"wrn28_10", 'B', 36479194},
      {"densenet121", 'B', 6956298},
      {"densenetbc100_12", 'B', 769162},
      {"lenet", 'B', 62006},
  };
  for (const auto& published : kPublished) {
    CAPTURE(published.name);
    const Graph g = build_model({.name = published.name, .shortcut = published.shortcut});
    CHECK(g.layout().parameter_count() == published.parameters);
  }
}

TEST_CASE("models: parameters carry PyTorch's names in PyTorch's order") {
  const Graph g = build_model({.name = "resnet20", .shortcut = 'B'});
  const auto& entries = g.layout().state_dict();
  CHECK(entries[0].name == "conv1.weight");
  CHECK(entries[1].name == "bn1.weight");
  CHECK(entries[3].name == "bn1.running_mean");
  CHECK(entries[5].name == "layer1.0.conv1.weight");
  CHECK(entries[entries.size() - 2].name == "linear.weight");
  int projections = 0;
  for (const ParameterEntry& entry : entries)
    projections += entry.name.ends_with("shortcut.0.weight");
  CHECK(projections == 2);
}

TEST_CASE("models: a spec survives its JSON") {
  const ModelSpec spec{.name = "resnet14_noshort",
                       .shortcut = 'A',
                       .width = 6,
                       .classes = 7,
                       .image_size = 24,
                       .channels = 1,
                       .activation = Activation::gelu};
  CHECK(to_json(model_spec_from_json(to_json(spec))) == to_json(spec));
  CHECK_THROWS_AS(model_spec_from_json("{"), Error);
  CHECK_THROWS_AS(model_spec_from_json("{\"shortcut\":\"A\"}"), Error);
}

TEST_CASE("models: depth and width come from flags") {
  const struct {
    const char* name;
    int depth;
    int64_t width;
    const char* sized_name;
    int64_t sized_width;
  } kSizes[] = {
      {"resnet20", 0, 0, "resnet20", 16},
      {"resnet", 74, 0, "resnet74", 16},
      {"resnet20", 74, 3, "resnet74", 3},
      {"resnet56_noshort", 8, 0, "resnet8_noshort", 16},
      {"resnet18", 0, 0, "resnet18", 64},
      {"wrn", 74, 3, "wrn74_3", 16},
      {"wrn56_2_noshort", 0, 5, "wrn56_5_noshort", 16},
      {"wrn28_10", 16, 4, "wrn16_4", 16},
      {"vgg9", 16, 8, "vgg16", 8},
      {"densenet121", 0, 12, "densenet121", 12},
      {"densenet", 161, 0, "densenet161", 48},
      {"densenetbc", 40, 12, "densenetbc40_12", 0},
      {"mlp", 0, 0, "mlp", 256},
      {"mlp", 5, 7, "mlp5", 7},
      {"lenet", 0, 0, "lenet", 0},
  };
  for (const auto& size : kSizes) {
    CAPTURE(size.sized_name);
    const ModelSpec spec = with_size({.name = size.name}, size.depth, size.width);
    CHECK(spec.name == size.sized_name);
    CHECK(spec.width == size.sized_width);
    CHECK(build_model(spec).classes() == 10);
  }
  CHECK_THROWS_WITH_AS(with_size({.name = "resnet"}, 0, 0), "the model 'resnet' needs a --depth",
                       Error);
  CHECK_THROWS_WITH_AS(with_size({.name = "wrn"}, 56, 0), "the model 'wrn' needs a --width", Error);
  CHECK_THROWS_WITH_AS(with_size({.name = "lenet"}, 3, 0), "lenet has no depth but its own", Error);
  CHECK_THROWS_AS(build_model(with_size({.name = "lenet"}, 0, 3)), Error);
}

TEST_CASE("models: unknown names and impossible sizes are refused with the choices") {
  for (const char* name : {"",
                           "resnet",
                           "resnet21",
                           "resnet20_short",
                           "vgg",
                           "vgg10",
                           "vgg9_noshort",
                           "vgg9_2",
                           "resnet99999999999",
                           "resnet020",
                           "resnet20_",
                           "wrn56",
                           "wrn57_2",
                           "wrn56_0",
                           "densenet100",
                           "densenetbc100",
                           "densenetbc101_12",
                           "lenet5",
                           "mlp_3",
                           "mlp0",
                           "resnet20_noshort_noshort"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(build_model({.name = name}), Error);
  }
  CHECK_THROWS_AS(build_model({.shortcut = 'C'}), Error);
  CHECK_THROWS_AS(build_model({.width = -1}), Error);
  CHECK_THROWS_AS(build_model({.name = "vgg16", .image_size = 16}), Error);
  CHECK_THROWS_AS(build_model({.name = "densenet121", .image_size = 4}), Error);
  CHECK_THROWS_AS(build_model({.name = "lenet", .image_size = 12}), Error);
}

TEST_CASE("models: two that are not one network are told by what differs") {
  const auto loaded = [](const char* path, const ModelSpec& spec) {
    return LoadedModel{path, spec, build_model(spec), {}, {}, false};
  };
  const LoadedModel one = loaded("a", {.width = 16});
  const auto refusal = [&](const ModelSpec& spec) -> std::string {
    try {
      require_same_network(one, loaded("b", spec), "no line");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refusal({.width = 16}).empty());
  const std::string same = "resnet20 (option B, width 16)";
  CHECK(refusal({.width = 8}) == "a holds " + same + ", b resnet20 (option B, width 8): no line");
  CHECK(refusal({.width = 16, .classes = 7}) ==
        "a holds " + same + " with 10 classes, b " + same + " with 7 classes: no line");
  CHECK(refusal({.width = 16, .image_size = 28, .channels = 1}) ==
        "a holds " + same + " for images of 32x32x3, b " + same +
            " for images of 28x28x1: no line");
}
