#include "models/registry.h"

#include <nlohmann/json.hpp>

#include "models/resnet.h"

namespace topograd {

namespace {

constexpr std::string_view kNoShortcut = "_noshort";

/// The depth in "resnet<depth>" (suffix removed), or 0.
int resnet_depth(std::string_view name) {
  if (name.ends_with(kNoShortcut)) name.remove_suffix(kNoShortcut.size());
  if (!name.starts_with("resnet") || name.size() == 6 || name.size() > 10) return 0;
  int depth = 0;
  for (char c : name.substr(6)) {
    if (c < '0' || c > '9') return 0;
    depth = 10 * depth + (c - '0');
  }
  return depth;
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (int depth : {20, 32, 44, 56, 110})
    for (std::string_view suffix : {std::string_view(), kNoShortcut})
      names.push_back(text("resnet", depth, suffix));
  return names;
}

Graph build_model(const ModelSpec& spec) {
  const int depth = resnet_depth(spec.name);
  require(depth >= 8 && (depth - 2) % 6 == 0, "unknown model '", spec.name, "': choose one of ",
          joined(model_names()), ", or another ResNet of 6n + 2 layers");
  require(spec.shortcut == 'A' || spec.shortcut == 'B', "unknown shortcut '", spec.shortcut,
          "': choose A (zero padding) or B (projection)");
  require(spec.width >= 1 && spec.width <= 4096, "a width of ", spec.width,
          " channels: choose 1 to 4096");
  require(spec.classes >= 2, "a classifier needs at least two classes, not ", spec.classes);
  require(spec.image_size >= 4 && spec.channels >= 1, "images of ", spec.image_size, "x",
          spec.image_size, "x", spec.channels, " are too small");
  ResnetSpec resnet;
  resnet.depth = depth;
  resnet.width = spec.width;
  resnet.shortcut = spec.name.ends_with(kNoShortcut) ? Shortcut::none
                    : spec.shortcut == 'A'           ? Shortcut::pad
                                                     : Shortcut::projection;
  resnet.activation = spec.activation;
  resnet.classes = spec.classes;
  resnet.image = {spec.image_size, spec.image_size, spec.channels};
  return cifar_resnet(resnet);
}

std::string to_json(const ModelSpec& spec) {
  return nlohmann::ordered_json{{"name", spec.name},
                                {"shortcut", std::string(1, spec.shortcut)},
                                {"width", spec.width},
                                {"classes", spec.classes},
                                {"image_size", spec.image_size},
                                {"channels", spec.channels},
                                {"activation", name_of(spec.activation)}}
      .dump();
}

ModelSpec model_spec_from_json(const std::string& json) {
  try {
    const auto j = nlohmann::json::parse(json);
    ModelSpec spec;
    spec.name = j.at("name").get<std::string>();
    spec.shortcut = j.value("shortcut", std::string("B")).at(0);
    spec.width = j.value("width", spec.width);
    spec.classes = j.value("classes", spec.classes);
    spec.image_size = j.value("image_size", spec.image_size);
    spec.channels = j.value("channels", spec.channels);
    spec.activation = activation_named(j.value("activation", std::string("relu")));
    return spec;
  } catch (const nlohmann::json::exception& error) {
    fail("not a model description: ", error.what());
  }
}

}  // namespace topograd
