#include "apps/train/network_comparison.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/format.h"
#include "nn/network.h"
#include "nn/safetensors.h"

namespace topograd {

namespace {

/// What a network is compared by: as the file has it, or as it is computed here.
struct NetworkValues {
  Tensor logits;
  Tensor gradient, product;  ///< in the layout's order; undefined where the file has none
};

constexpr double kLargestDouble = 1e-8, kLargestSingle = 1e-3;  ///< of the largest number

/// The file's tensors, in double precision.
class ExpectedFile {
 public:
  explicit ExpectedFile(const std::string& path) : path_(path), file_(read_safetensors(path)) {}

  Tensor images(const Shape& image) const {
    const Tensor x = tensor("images");
    require(x.shape().rank() == 4 && x.dim(0) > 0 &&
                Shape(x.shape().begin() + 1, x.shape().end()) == image,
            path_, ": its images are ", x.shape(), ", the network takes ", image);
    return x;
  }
  Tensor logits(int64_t images, int64_t classes) const {
    const Tensor y = tensor("logits");
    require(y.shape() == Shape({images, classes}), path_, ": its logits are ", y.shape(),
            ", the network's ", Shape({images, classes}));
    return y;
  }
  /// Returns the file's labels; without any, zeros.
  Tensor labels(int64_t images, int64_t classes) const {
    const auto found = file_.tensors.find("labels");
    if (found == file_.tensors.end()) return Tensor::zeros({images}, DType::i32);
    const Tensor& labels = found->second;
    require(labels.shape() == Shape({images}) && labels.dtype() == DType::i32, path_,
            ": its labels have to be i32 ", Shape({images}));
    for (int64_t i = 0; i < images; ++i)
      require(labels.data<int32_t>()[i] >= 0 && labels.data<int32_t>()[i] < classes, path_,
              ": it has a label beyond the network's ", classes, " classes");
    return labels;
  }
  /// Returns the tensors <prefix>.<parameter> as one vector; undefined where there is none.
  Tensor vector(const ParameterLayout& layout, const std::string& prefix) const {
    if (!file_.tensors.contains(prefix + "." + layout.parameters().at(0).name)) return {};
    const Tensor flat({layout.parameter_count()}, DType::f64);
    for (const ParameterEntry& entry : layout.parameters()) {
      const Tensor part = tensor(prefix + "." + entry.name);
      require(part.shape() == entry.torch_shape(), path_, ": '", prefix, '.', entry.name, "' is ",
              part.shape(), ", the network has ", entry.torch_shape());
      from_torch_order(entry, part.data<double>(), flat.data<double>() + entry.offset);
    }
    return flat;
  }

 private:
  Tensor tensor(const std::string& name) const {
    const auto found = file_.tensors.find(name);
    require(found != file_.tensors.end(), path_, " has no '", name, "'");
    return found->second.converted(DType::f64);
  }

  std::string path_;
  SafetensorsFile file_;
};

/// Returns the largest difference, as part of the largest expected number.
double largest_difference(const Tensor& expected, const Tensor& computed) {
  const Tensor values = computed.converted(DType::f64);
  double difference = 0, scale = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    const double e = expected.data<double>()[i];
    const double d = std::abs(values.data<double>()[i] - e);
    if (!(d <= difference)) difference = std::isnan(d) ? INFINITY : d;
    scale = std::max(scale, std::abs(e));
  }
  return difference == 0 ? 0 : difference / std::max(scale, 1e-300);
}

NetworkValues computed_values(const LoadedModel& model, const Tensor& images, const Tensor& labels,
                              const NetworkValues& expected, const Tensor& direction, DType dtype,
                              ThreadPool& pool) {
  const auto typed = [&](const Tensor& t) { return t.defined() ? t.converted(dtype) : Tensor(); };
  const Tensor theta = typed(model.weights.theta), states = typed(model.weights.running_stats);
  const Tensor x = typed(images);
  Network network(model.graph, images.dim(0), pool,
                  {.dtype = dtype, .curvature = expected.product.defined()});
  NetworkValues values;
  if (expected.product.defined()) {
    values.product = Tensor(theta.shape(), dtype);
    network.curvature_product(values.product, typed(direction), x, labels, theta, states,
                              BatchnormMode::frozen);
  }
  if (expected.gradient.defined()) {
    values.gradient = Tensor(theta.shape(), dtype);
    network.loss_and_gradient(values.gradient, x, labels, theta, states, BatchnormMode::frozen);
  } else {
    network.loss(x, labels, theta, states, BatchnormMode::frozen);
  }
  values.logits = network.logits();
  return values;
}

}  // namespace

std::string comparison(const LoadedModel& model, const std::string& path, ThreadPool& pool) {
  const ExpectedFile file(path);
  const ParameterLayout& layout = model.graph.layout();
  const Tensor images = file.images(model.graph.image_shape());
  const int64_t count = images.dim(0), classes = model.graph.classes();
  const NetworkValues expected{file.logits(count, classes), file.vector(layout, "gradient"),
                               file.vector(layout, "product")};
  const Tensor labels = file.labels(count, classes), direction = file.vector(layout, "direction");
  require(!expected.product.defined() || direction.defined(), path,
          " has products, and no direction that they are of");
  const NetworkValues f64 =
      computed_values(model, images, labels, expected, direction, DType::f64, pool);
  const NetworkValues f32 =
      computed_values(model, images, labels, expected, direction, DType::f32, pool);
  std::string lines, failure;
  const auto compare = [&](const char* what, Tensor NetworkValues::*member) {
    if (!(expected.*member).defined()) return;
    const double in_f64 = largest_difference(expected.*member, f64.*member);
    const double in_f32 = largest_difference(expected.*member, f32.*member);
    const std::string line = text(what, " differ by ", significant(in_f64, 2), " in f64, ",
                                  significant(in_f32, 2), " in f32, of the largest");
    lines += (lines.empty() ? "" : "\n") + line;
    if (!(in_f64 <= kLargestDouble && in_f32 <= kLargestSingle) && failure.empty()) failure = line;
  };
  compare("logits", &NetworkValues::logits);
  compare("gradients", &NetworkValues::gradient);
  compare("products with the Hessian", &NetworkValues::product);
  require(failure.empty(), model.path, ": ", failure, ": it is not the network that ", path,
          " is of");
  return lines;
}

}  // namespace topograd
