// Products with the Hessian and with Gauss-Newton's matrix. Two oracles, used one on the other: in
// double precision against central differences of the gradient (which test_network.cpp holds
// against differences of the loss), then in float against double.
#include <doctest/doctest.h>

#include "kernels/core/philox.h"
#include "models/registry.h"
#include "nn/network.h"
#include "tests/nn/test_graphs.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Tensor normals(const Shape& shape, uint64_t seed, double scale = 1) {
  const Philox random(seed, RandomStream::test, 3);
  Tensor t(shape, DType::f64);
  for (int64_t i = 0; i < t.size(); ++i)  // through float: the float network sees the same numbers
    t.data<double>()[i] = static_cast<float>(scale * random.normal(static_cast<uint64_t>(i)));
  return t;
}

double dot(const Tensor& a, const Tensor& b) {
  const Tensor x = a.converted(DType::f64), y = b.converted(DType::f64);
  double sum = 0;
  for (int64_t i = 0; i < x.size(); ++i) sum += x.data<double>()[i] * y.data<double>()[i];
  return sum;
}

/// a + h b.
Tensor moved(const Tensor& a, double h, const Tensor& b) {
  const Tensor result = a.clone();
  for (int64_t i = 0; i < a.size(); ++i) result.data<double>()[i] += h * b.data<double>()[i];
  return result;
}

/// |a - b| / |a|.
double relative_distance(const Tensor& a, const Tensor& b) {
  const Tensor difference = moved(a.converted(DType::f64), -1, b.converted(DType::f64));
  return std::sqrt(dot(difference, difference) / dot(a, a));
}

/// A network's curvature over a batch, in double and in float.
class Problem {
 public:
  Problem(const Graph& graph, BatchnormMode mode, Loss kind)
      : mode_(mode),
        kind_(kind),
        pool_(2),
        exact_(graph, kImages, pool_,
               {.dtype = DType::f64, .images_per_chunk = 3, .curvature = true}),
        fast_(graph, kImages, pool_, {.images_per_chunk = 2, .curvature = true}),
        x_(normals(with_batch(kImages, graph.image_shape()).shape(), 1)),
        labels_({kImages}, DType::i32),
        theta_(normals({graph.layout().parameter_count()}, 2, 0.5)),
        running_stats_(normals({graph.layout().state_count()}, 3, 0.2)) {
    for (int64_t i = 0; i < kImages; ++i)
      labels_.data<int32_t>()[i] = static_cast<int32_t>(i * i % graph.classes());
    for (const ParameterEntry& e : graph.layout().parameters())
      for (int64_t i = e.offset; i < e.offset + e.size(); ++i) {
        double& w = theta_.data<double>()[i];
        if (e.is_weight()) w *= 2 * std::sqrt(2.0 / static_cast<double>(e.filter_size()));
        if (e.kind == ParameterKind::norm_scale) w += 1;
        w = static_cast<float>(w);
      }
    for (int64_t i = 0; i < running_stats_.size(); ++i) running_stats_.data<double>()[i] += 1;
  }

  Tensor direction(uint64_t seed) const { return normals(theta_.shape(), seed); }

  Tensor product(const Tensor& v, Curvature curvature = Curvature::hessian) {
    const Tensor result(theta_.shape(), DType::f64);
    exact_.curvature_product(result, v, x_, labels_, theta_, running_stats_, mode_, kind_,
                             curvature);
    return result;
  }
  Tensor product_in_float(const Tensor& v, Curvature curvature = Curvature::hessian) {
    const Tensor result(theta_.shape());
    fast_.curvature_product(result, v.converted(DType::f32), x_.converted(DType::f32), labels_,
                            theta_.converted(DType::f32), running_stats_.converted(DType::f32),
                            mode_, kind_, curvature);
    return result;
  }
  Tensor gradient(const Tensor& theta) {
    const Tensor result(theta_.shape(), DType::f64);
    exact_.loss_and_gradient(result, x_, labels_, theta, running_stats_, mode_, kind_, true);
    return result;
  }
  /// Returns H v by central differences, (gradient(theta + h v) - gradient(theta - h v)) / 2h.
  Tensor differenced_product(const Tensor& v, double h = 1e-6) {
    const Tensor up = gradient(moved(theta_, h, v)), down = gradient(moved(theta_, -h, v));
    const Tensor difference = moved(up, -1, down);
    for (int64_t i = 0; i < difference.size(); ++i) difference.data<double>()[i] /= 2 * h;
    return difference;
  }
  /// v' G v from the logits' central differences: the mean over the images of z'^T H z' with
  /// H = diag(p) - p p^T for cross-entropy, 2/C (diag(p) - p p^T)^2 for the squared error.
  double differenced_gauss_newton(const Tensor& v, double h = 1e-6) {
    const Tensor up = logits(moved(theta_, h, v)), down = logits(moved(theta_, -h, v));
    const Tensor z = logits(theta_);
    const int64_t C = z.dim(1);
    double total = 0;
    for (int64_t n = 0; n < kImages; ++n) {
      std::vector<double> p(at(C)), tangent(at(C));
      double sum = 0, mean = 0, square = 0, squares_of_moved = 0;
      for (int64_t c = 0; c < C; ++c) {
        sum += p[at(c)] = std::exp(z.data<double>()[n * C + c]);
        tangent[at(c)] = (up.data<double>()[n * C + c] - down.data<double>()[n * C + c]) / (2 * h);
      }
      for (int64_t c = 0; c < C; ++c) {
        p[at(c)] /= sum;
        mean += p[at(c)] * tangent[at(c)];
        square += p[at(c)] * tangent[at(c)] * tangent[at(c)];
      }
      for (int64_t c = 0; c < C; ++c) {
        const double moved = p[at(c)] * (tangent[at(c)] - mean);
        squares_of_moved += moved * moved;
      }
      total += kind_.kind == LossKind::cross_entropy
                   ? square - mean * mean
                   : 2 * squares_of_moved / static_cast<double>(C);
    }
    return total / static_cast<double>(kImages);
  }

 private:
  static constexpr int64_t kImages = 7;

  Tensor logits(const Tensor& theta) {
    exact_.loss(x_, labels_, theta, running_stats_, mode_, kind_, true);
    return exact_.logits().clone();
  }

  BatchnormMode mode_;
  Loss kind_;
  ThreadPool pool_;
  Network exact_, fast_;
  Tensor x_, labels_, theta_, running_stats_;
};

std::vector<std::pair<std::string, Graph>> graphs() {
  std::vector<std::pair<std::string, Graph>> result = layer_graphs();
  for (auto& entry : rearranging_graphs()) result.push_back(std::move(entry));
  result.emplace_back("dense", dense_graph());
  result.emplace_back("shared parameters", shared_graph());
  result.emplace_back("pooling", pooling_graph());
  result.emplace_back("awkward", awkward_graph());
  for (uint64_t seed : {1, 2, 3, 4})
    result.emplace_back("random " + std::to_string(seed), random_graph(seed));
  result.emplace_back(
      "resnet8",
      build_model({.name = "resnet8", .shortcut = 'B', .width = 4, .classes = 4, .image_size = 8}));
  return result;
}

template <class Check>
void for_each_problem(const Check& check) {
  for (const auto& entry : graphs())
    for (BatchnormMode mode : {BatchnormMode::frozen, BatchnormMode::batch}) {
      if (mode == BatchnormMode::batch && entry.second.layout().state_count() == 0)
        continue;  // without a BatchNorm both modes are one
      for (Loss kind : {LossKind::cross_entropy, LossKind::mse}) {
        CAPTURE(entry.first);
        CAPTURE(mode == BatchnormMode::batch);
        CAPTURE(name_of(kind.kind));
        Problem problem(entry.second, mode, kind);
        check(problem);
      }
    }
}

}  // namespace

TEST_CASE("curvature: Hessian-vector products equal differences of gradients") {
  for_each_problem([](Problem& problem) {
    const Tensor v = problem.direction(5);
    // h^2 f'''' / 6 + 1e-16 / h, and the rare kink within h.
    CHECK(relative_distance(problem.differenced_product(v), problem.product(v)) <= 1e-7);
  });
}

TEST_CASE("curvature: in float as in double") {
  for_each_problem([](Problem& problem) {
    const Tensor v = problem.direction(5);
    CHECK(relative_distance(problem.product(v), problem.product_in_float(v)) <= 1e-5);
  });
}

TEST_CASE("curvature: products are symmetric") {
  for_each_problem([](Problem& problem) {
    const Tensor u = problem.direction(5), v = problem.direction(6);
    for (Curvature curvature : {Curvature::hessian, Curvature::gauss_newton}) {
      const Tensor product = problem.product(v, curvature);
      const double scale = std::sqrt(dot(u, u) * dot(product, product));
      CHECK(std::abs(dot(u, product) - dot(v, problem.product(u, curvature))) <= 1e-12 * scale);
    }
  });
}

TEST_CASE("curvature: Gauss-Newton's form equals the logits' differences") {
  for_each_problem([](Problem& problem) {
    const Tensor v = problem.direction(5);
    const double expected = problem.differenced_gauss_newton(v);
    CHECK(expected >= 0);
    CHECK(std::abs(dot(v, problem.product(v, Curvature::gauss_newton)) - expected) <=
          1e-7 * expected);
    const Tensor exact = problem.product(v, Curvature::gauss_newton);
    // Rounding, for the formula is held above: powers come to 1.3e-5 where sums go by vectors of
    // eight (AVX2), to less than 1e-5 by sixteen.
    CHECK(relative_distance(exact, problem.product_in_float(v, Curvature::gauss_newton)) <= 2e-5);
  });
}

TEST_CASE("curvature: the same bits for any number of threads; gradients are left as they were") {
  const Graph graph = build_model({.name = "resnet8", .width = 8, .classes = 4, .image_size = 8});
  const int64_t images = 40;
  const Tensor x = normals({images, 8, 8, 3}, 1).converted(DType::f32);
  const Tensor labels = Tensor::zeros({images}, DType::i32);
  const Shape flat{graph.layout().parameter_count()};
  const Tensor theta = normals(flat, 2, 0.1).converted(DType::f32);
  const Tensor v = normals(flat, 4).converted(DType::f32);
  const Tensor running_stats({graph.layout().state_count()});
  std::fill_n(running_stats.data<float>(), running_stats.size(), 1.0F);
  std::vector<Tensor> products, gradients;
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Network network(graph, images, pool, {.curvature = true});
    products.emplace_back(flat);
    gradients.emplace_back(flat);
    network.curvature_product(products.back(), v, x, labels, theta, running_stats,
                              BatchnormMode::batch);
    network.loss_and_gradient(gradients.back(), x, labels, theta, running_stats,
                              BatchnormMode::batch, LossKind::cross_entropy, true);
  }
  for (size_t i : {1, 2}) {
    CHECK(same_bits(products[0], products[i]));
    CHECK(same_bits(gradients[0], gradients[i]));
  }
  ThreadPool pool(2);
  Network plain(graph, images, pool);
  const Tensor gradient(flat);
  plain.loss_and_gradient(gradient, x, labels, theta, running_stats, BatchnormMode::batch,
                          LossKind::cross_entropy, true);
  CHECK(same_bits(gradient, gradients[0]));
  CHECK_THROWS_WITH_AS(
      plain.curvature_product(gradient, v, x, labels, theta, running_stats, BatchnormMode::frozen),
      "this network has no room for tangents: NetworkOptions::curvature", Error);
}
