#include "apps/bench/curvature.h"

#include <iostream>

#include "landscape/curvature/curvature_operator.h"
#include "landscape/directions/direction.h"

namespace topograd {

namespace {

constexpr const char* kHelp = R"(
Each round times every competitor once, in turn, so that a busy moment hits all of them alike. A
round's figure is the median of its products with the Hessian of the mean loss; images a second are
those of a batch over the seconds of one product.
PyTorch's products are gradients of the gradient's product with v (autograd, create_graph), in both
memory layouts, with the allocator settings that suit it. The weights of a checkpoint are both
sides', others are random, each side's its own. Neither side keeps anything of the point
from one product to the next.
)";

/// Hessian of a batch's loss.
class HessianProduct {
 public:
  HessianProduct(const std::string& model, int64_t batch, BatchnormMode mode, ThreadPool& pool)
      : graph_(benched_graph(model)),
        images_(random_images(batch, graph_)),
        weights_(benched_weights(model, graph_)) {
    const Direction direction =
        random_direction(graph_.layout(), weights_.theta, weights_.running_stats, 1, 0);
    v_ = direction.parameters.to(pool.device());
    product_ = Tensor(v_.shape(), DType::f32, pool.device());
    hessian_.emplace(CurvatureSpec{.graph = graph_,
                                   .theta = weights_.theta,
                                   .running_stats = weights_.running_stats,
                                   .images = images_,
                                   .mode = mode,
                                   .batch = batch},
                     pool);
  }

  /// Returns the median seconds of a product.
  double run(int steps) {
    hessian_->multiply(product_, v_);
    std::vector<double> seconds;
    for (int i = 0; i < steps; ++i)
      seconds.push_back(seconds_of([&] { hessian_->multiply(product_, v_); }));
    return median(seconds);
  }

 private:
  Graph graph_;
  LabelledImages images_;
  ModelState weights_;
  Tensor v_, product_;
  std::optional<CurvatureOperator> hessian_;
};

}  // namespace

void CurvatureBench::add_options(cli::Options& options) {
  options.about("Times products with the Hessian, with PyTorch in the same run.").epilogue(kHelp);
  flags_.add_to(options, "timed products of a round");
  options.group("Benchmark")
      .integer("batch-size", batch_, {2, 65536}, "images")
      .choice("bn", mode_, {{"frozen", BatchnormMode::frozen}, {"batch", BatchnormMode::batch}},
              "BatchNorm: frozen, the running statistics; batch, the batch's own");
}

int CurvatureBench::run(const std::string&) {
  const std::string bn = mode_ == BatchnormMode::batch ? "batch" : "frozen";
  const auto pool = flags_.run.pool();
  TorchBench torch(flags_);
  std::vector<BenchRow> rows;
  for (const std::string& model : flags_.models) {
    HessianProduct ours(model, batch_, mode_, *pool);
    const std::vector<BenchRow> of_model = bench_rounds(model, flags_.rounds, [&] {
      BenchFigures figures =
          torch.run(text("curvature --model ", model, " --batch ", batch_, " --bn ", bn,
                         " --steps ", flags_.steps, " --threads ", pool->threads()));
      figures["topograd"] = {static_cast<double>(batch_) / ours.run(flags_.steps), 0};
      return figures;
    });
    rows.insert(rows.end(), of_model.begin(), of_model.end());
  }
  std::cout << "Product with the Hessian, BatchNorm " << bn << ", batch " << batch_ << ", "
            << pool->threads() << " threads; images a second over " << flags_.rounds
            << " rounds of " << flags_.steps << " products\n";
  print_table(rows);
  print_ratios(rows, "topograd", "torch", "PyTorch's faster layout");
  write_json_if_asked(flags_, rows);
  return 0;
}

}  // namespace topograd
