#include "models/registry.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "models/densenet.h"
#include "models/resnet.h"
#include "models/simple_nets.h"
#include "models/vgg.h"
#include "models/wide_resnet.h"
#include "nn/graph_file.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

/// A name taken apart: <family><depth>_<multiple><suffix>; 0 where there is no number.
struct Name {
  std::string family;
  int depth = 0;
  int multiple = 0;
  bool noshort = false;

  std::string joined() const {
    std::string name = family;
    if (depth > 0) name += text(depth);
    if (multiple > 0) name += text('_', multiple);
    return name + (noshort ? "_noshort" : "");
  }
};

/// Removes the number at the beginning of `rest` and returns it; 0 where there is none.
int take_number(std::string_view& rest) {
  int number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || number <= 0 || rest.front() == '0') return 0;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return number;
}

std::optional<Name> parse(std::string_view rest) {
  Name name;
  const size_t letters =
      std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), rest.size());
  name.family = rest.substr(0, letters);
  rest.remove_prefix(letters);
  name.depth = take_number(rest);
  constexpr std::string_view kNoShortcut = "_noshort";
  if (rest.ends_with(kNoShortcut)) {
    name.noshort = true;
    rest.remove_suffix(kNoShortcut.size());
  }
  if (rest.starts_with('_')) {
    rest.remove_prefix(1);
    name.multiple = take_number(rest);
    if (name.multiple == 0) return std::nullopt;
  }
  if (!rest.empty()) return std::nullopt;
  return name;
}

constexpr int kNoDepth = -1, kGiven = 0;

/// A family of networks.
struct Family {
  std::string_view name;
  int depth;           ///< default for a name without one; kNoDepth: it must not, kGiven: it must
  bool has_multiple;   ///< a second number says how wide
  bool has_shortcuts;  ///< so that there may be none
  int64_t (*width)(const Name& name);  ///< the published networks'; 0: the name decides it
  Graph (*build)(const Name& name, const ModelSpec& spec);
};

Shape image_of(const ModelSpec& spec) {
  return {spec.image_size, spec.image_size, spec.channels};
}

ResnetOptions resnet_options(const Name& name, const ModelSpec& spec) {
  return {.width = spec.width,
          .shortcut = name.noshort           ? Shortcut::none
                      : spec.shortcut == 'A' ? Shortcut::pad
                                             : Shortcut::projection,
          .activation = spec.activation,
          .classes = spec.classes,
          .image = image_of(spec)};
}

Graph build_resnet(const Name& name, const ModelSpec& spec) {
  const ResnetOptions options = resnet_options(name, spec);
  return is_four_stage_depth(name.depth) ? four_stage_resnet(name.depth, options)
                                         : cifar_resnet(name.depth, options);
}

Graph build_wide_resnet(const Name& name, const ModelSpec& spec) {
  ResnetOptions options = resnet_options(name, spec);
  if (name.depth % 6 == 4) return wide_resnet(name.depth, name.multiple, options);
  options.width *= name.multiple;
  return cifar_resnet(name.depth, options);
}

template <class Options>
Options simple_options(const ModelSpec& spec) {
  Options options;
  options.activation = spec.activation;
  options.classes = spec.classes;
  options.image = image_of(spec);
  return options;
}

Graph build_vgg(const Name& name, const ModelSpec& spec) {
  auto options = simple_options<VggOptions>(spec);
  options.width = spec.width;
  return vgg(name.depth, options);
}

Graph build_densenet(const Name& name, const ModelSpec& spec) {
  auto options = simple_options<DensenetOptions>(spec);
  options.growth = spec.width;
  return densenet(name.depth, options);
}

Graph build_densenet_bc(const Name& name, const ModelSpec& spec) {
  auto options = simple_options<DensenetOptions>(spec);
  options.growth = name.multiple;
  return densenet_bc(name.depth, options);
}

Graph build_mlp(const Name& name, const ModelSpec& spec) {
  return mlp(name.depth, spec.width, simple_options<FirstLessonOptions>(spec));
}

Graph build_lenet(const Name&, const ModelSpec& spec) {
  return lenet(simple_options<FirstLessonOptions>(spec));
}

int64_t resnet_width(const Name& name) {
  return is_four_stage_depth(name.depth) ? 64 : 16;
}

const Family kFamilies[] = {
    {"resnet", kGiven, false, true, resnet_width, build_resnet},
    {"wrn", kGiven, true, true, [](const Name&) { return int64_t{16}; }, build_wide_resnet},
    {"vgg", kGiven, false, false, [](const Name&) { return int64_t{64}; }, build_vgg},
    {"densenet", kGiven, false, false, [](const Name& name) { return densenet_growth(name.depth); },
     build_densenet},
    {"densenetbc", kGiven, true, false, [](const Name&) { return int64_t{0}; }, build_densenet_bc},
    {"mlp", 3, false, false, [](const Name&) { return int64_t{256}; }, build_mlp},
    {"lenet", kNoDepth, false, false, [](const Name&) { return int64_t{0}; }, build_lenet},
};

const Family* find_family(const std::optional<Name>& name) {
  if (name)
    for (const Family& family : kFamilies)
      if (family.name == name->family) return &family;
  return nullptr;
}

[[noreturn]] void fail_unknown(const std::string& name) {
  std::string list;
  for (const std::string& known : model_names()) list += (list.empty() ? "" : ", ") + known;
  fail("unknown model '", name, "': choose one of ", list,
       ", or another depth or widening of these");
}

/// Whether the name holds the numbers that its family asks for.
bool is_complete(const Name& name, const Family& family) {
  const bool depth_fits = family.depth == kNoDepth ? name.depth == 0
                          : family.depth == kGiven ? name.depth > 0
                                                   : true;
  return depth_fits && family.has_multiple == (name.multiple > 0) &&
         (family.has_shortcuts || !name.noshort);
}

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names = {"mlp", "lenet"};
  for (int depth : {9, 11, 13, 16, 19}) names.push_back(text("vgg", depth));
  const auto add_residual = [&](const std::string& name) {
    names.push_back(name);
    names.push_back(name + "_noshort");
  };
  for (int depth : {20, 32, 44, 56, 110, 18, 34, 50, 101, 152}) add_residual(text("resnet", depth));
  for (const char* name : {"wrn56_2", "wrn56_4", "wrn56_8", "wrn110_2", "wrn110_4"})
    add_residual(name);
  names.push_back("wrn28_10");
  for (int depth : {121, 161, 169, 201}) names.push_back(text("densenet", depth));
  names.push_back("densenetbc100_12");
  return names;
}

ModelSpec model_spec_of_graph(const std::string& json) {
  const NamedGraph named = graph_from_json(json);
  const Shape& image = named.graph.image_shape();
  ModelSpec spec;
  spec.name = named.name;
  spec.classes = named.graph.classes();
  spec.image_size = image[0];
  spec.channels = image[2];
  spec.graph = graph_json(named.graph, named.name);
  return spec;
}

Graph build_model(const ModelSpec& given) {
  if (!given.graph.empty()) return graph_from_json(given.graph).graph;
  std::optional<Name> name = parse(given.name);
  const Family* family = find_family(name);
  if (!family || !is_complete(*name, *family)) fail_unknown(given.name);
  if (name->depth == 0) name->depth = family->depth;
  ModelSpec spec = given;
  if (spec.width == 0) spec.width = family->width(*name);
  require(spec.shortcut == 'A' || spec.shortcut == 'B', "unknown shortcut '", spec.shortcut,
          "': choose A (zero padding) or B (projection)");
  require(spec.width >= 0 && spec.width <= 4096, "a width of ", spec.width,
          " channels: choose 1 to 4096");
  require(family->width(*name) > 0 || spec.width == 0, spec.name, " has no width but its own");
  require(name->depth <= 2000 && name->multiple <= 256, spec.name, " is too large a network");
  require(spec.classes >= 1, "a network needs an output for each class, not ", spec.classes);
  require(spec.image_size >= 4 && spec.channels >= 1, "images of ", spec.image_size, "x",
          spec.image_size, "x", spec.channels, " are too small");
  try {
    return family->build(*name, spec);
  } catch (const Error& error) {
    fail("model '", spec.name, "': ", error.what());
  }
}

ModelSpec with_size(ModelSpec spec, int depth, int64_t width) {
  std::optional<Name> name = parse(spec.name);
  const Family* family = find_family(name);
  if (!family) fail_unknown(spec.name);
  require(depth == 0 || family->depth != kNoDepth, spec.name, " has no depth but its own");
  if (depth > 0) name->depth = depth;
  if (width > 0 && family->has_multiple)
    name->multiple = static_cast<int>(std::min<int64_t>(width, 1 << 20));
  else if (width > 0)
    spec.width = width;
  require(name->depth > 0 || family->depth != kGiven, "the model '", spec.name,
          "' needs a --depth");
  require(name->multiple > 0 || !family->has_multiple, "the model '", spec.name,
          "' needs a --width");
  spec.name = name->joined();
  if (spec.width == 0) spec.width = family->width(*name);
  return spec;
}

std::string to_json(const ModelSpec& spec) {
  if (!spec.graph.empty())
    return json_text(nlohmann::ordered_json{{"graph", parse_ordered_json(spec.graph)}});
  return json_text(nlohmann::ordered_json{{"name", spec.name},
                                          {"shortcut", std::string(1, spec.shortcut)},
                                          {"width", spec.width},
                                          {"classes", spec.classes},
                                          {"image_size", spec.image_size},
                                          {"channels", spec.channels},
                                          {"activation", name_of(spec.activation)}});
}

ModelSpec model_spec_from_json(const std::string& json) {
  try {
    const auto j = parse_ordered_json(json);
    if (j.contains("graph")) return model_spec_of_graph(json_text(j.at("graph")));
    ModelSpec spec;
    spec.name = j.at("name").get<std::string>();
    spec.shortcut = j.value("shortcut", std::string("B")).at(0);
    spec.width = j.value("width", spec.width);
    spec.classes = j.value("classes", spec.classes);
    spec.image_size = j.value("image_size", spec.image_size);
    spec.channels = j.value("channels", spec.channels);
    spec.activation = activation_named(j.value("activation", std::string("relu")));
    return spec;
  } catch (const std::exception& error) {
    fail("not a model description: ", error.what());
  }
}

}  // namespace topograd
