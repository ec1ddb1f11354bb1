// FunctionSurface: a function's own values at the points of planes through its tensors, kept and
// continued as any surface.
#include "landscape/surface/function_surface.h"

#include <array>

#include "landscape/planes/random_directions.h"
#include "landscape/surface/surface_computation.h"
#include "tests/landscape/small_model.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Takes what it is told of.
class Notes : public Observer {
 public:
  void note(const std::string& line) override { all += line + "\n"; }
  std::string all;
};

Tensor values_of(const std::vector<double>& numbers) {
  const Tensor values({static_cast<int64_t>(numbers.size())}, DType::f64);
  std::copy(numbers.begin(), numbers.end(), values.data<double>());
  return values;
}

double rosenbrock(double x, double y) {
  return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x);
}

/// Rosenbrock's function of a number and of a list of one.
std::vector<NamedTensor> rosenbrock_tensors(double x = -1.2) {
  return {{"x", {}, values_of({x})}, {"y", {1}, values_of({1})}};
}

FunctionSurfaceSettings rosenbrock_settings(const std::string& output = "") {
  return {.output = output,
          .x = {.points = {-1, 3, 7}, .given = {values_of({1}), Tensor()}},
          .y = FunctionAxis{.points = {0, 2, 5}, .given = {values_of({0.5}), values_of({-0.75})}},
          .quantities = {"distance", "loss"},
          .save_seconds = 0,
          .function = "Rosenbrock's"};
}

/// Computes up to `count` points.
void compute(FunctionSurface& surface, int64_t count) {
  for (const int64_t point : surface.next_points(count)) {
    const std::vector<Tensor> theta = surface.theta_at(point);
    const double x = *theta[0].data<double>(), y = *theta[1].data<double>();
    const std::array values{std::hypot(x - 1, y - 1), rosenbrock(x, y)};
    surface.record(point, values);
  }
}

/// A zoo network's parameters as PyTorch has them.
std::vector<NamedTensor> torch_tensors(const LoadedModel& model, DType dtype = DType::f32) {
  std::vector<NamedTensor> tensors;
  for (const ParameterEntry& entry : model.graph.layout().parameters()) {
    const Tensor values({entry.size()});
    to_torch_order(entry, model.weights.theta.data<float>() + entry.offset, values.data<float>());
    const Shape shape = entry.torch_shape();
    tensors.push_back({entry.name, {shape.begin(), shape.end()}, values.converted(dtype)});
  }
  return tensors;
}

/// Tensors in PyTorch's order as a network's vector of parameters.
Tensor as_theta(const ParameterLayout& layout, const std::vector<Tensor>& tensors) {
  const Tensor theta = Tensor::zeros({layout.parameter_count()});
  for (size_t i = 0; i < tensors.size(); ++i)
    if (const ParameterEntry& entry = layout.parameters()[i]; tensors[i].defined())
      from_torch_order(entry, tensors[i].converted(DType::f32).data<float>(),
                       theta.data<float>() + entry.offset);
  return theta;
}

}  // namespace

TEST_CASE("a function's surface: Rosenbrock's closed form along given directions") {
  Observer observer;
  FunctionSurface computation(rosenbrock_settings(), rosenbrock_tensors(), observer);
  CHECK(computation.next_points(4) == std::vector<int64_t>{0, 6, 28, 34});  // the corners first
  FunctionSurface whole(rosenbrock_settings(), rosenbrock_tensors(), observer);
  compute(whole, 1000);
  CHECK(whole.next_points(1).empty());
  const Surface surface = whole.surface();
  CHECK(surface.done_count() == 35);
  for (int64_t point = 0; point < 35; ++point) {
    const PlanePosition at = whole.position(point);
    CHECK(at.alpha == surface.x()[static_cast<size_t>(point % 7)]);
    CHECK(at.beta == surface.y()[static_cast<size_t>(point / 7)]);
    const double x = -1.2 + at.alpha + at.beta * 0.5, y = 1 - at.beta * 0.75;
    CHECK(surface.plane("train_loss")[static_cast<size_t>(point)] == rosenbrock(x, y));
    CHECK(surface.plane("train_distance")[static_cast<size_t>(point)] == std::hypot(x - 1, y - 1));
  }
  const Provenance& p = surface.provenance;
  CHECK(p.at("function") == "Rosenbrock's");
  CHECK(p.at("values") == "train_distance, train_loss");
  CHECK(p.at("x_direction") == "a given direction");
  CHECK_FALSE(p.contains("seed"));
  CHECK_FALSE(p.contains("command"));
}

TEST_CASE("a function's surface: the points of a plane are rounded once, in each tensor's type") {
  const Tensor f32({2});
  f32.data<float>()[0] = 0.1F;
  f32.data<float>()[1] = -3;
  const std::vector<NamedTensor> tensors = {{"a", {2}, f32},
                                            {"b", {1}, values_of({0.1})},
                                            {"c", {2, 0}, Tensor(Shape{0})},
                                            {"stays", {}, values_of({7}), false}};
  FunctionSurfaceSettings settings{
      .x = {.points = {0.3, 0.3, 1},
            .given = {values_of({1, 1. / 3}), values_of({1. / 3}), {}, {}}},
      .y = std::nullopt,
      .function = "f"};
  Observer observer;
  const FunctionSurface surface(settings, tensors, observer);
  f32.data<float>()[1] = 99;  // the centre is a copy
  const std::vector<Tensor> theta = surface.theta_at(0);
  CHECK(theta[0].data<float>()[0] == static_cast<float>(double{0.1F} + 0.3 * 1));
  CHECK(theta[0].data<float>()[1] == static_cast<float>(-3 + 0.3 * double{float(1. / 3)}));
  CHECK(theta[1].data<double>()[0] == 0.1 + 0.3 * (1. / 3));
  CHECK(theta[2].size() == 0);
  CHECK_FALSE(theta[3].defined());
}

TEST_CASE("a function's surface that was stopped continues to the same bits") {
  const TemporaryFolder folder;
  Notes notes;
  FunctionSurfaceSettings settings = rosenbrock_settings(folder.file("whole.h5"));
  settings.facts = {{"data", "none"}, {"version of the simulator", "3"}};
  {
    FunctionSurface whole(settings, rosenbrock_tensors(), notes);
    compute(whole, 1000);
    CHECK(Surface::load(settings.output).done_count() == 35);  // the last point writes the file
  }
  settings.output = folder.file("s.h5");
  {
    FunctionSurface first(settings, rosenbrock_tensors(), notes);
    compute(first, 9);
    CHECK(first.next_points(3).size() == 3);  // handed out, and never recorded
    first.save();
    CHECK(Surface::load(settings.output).done_count() == 9);
  }
  CHECK(notes.all.empty());
  FunctionSurface second(settings, rosenbrock_tensors(), notes);
  CHECK(notes.all == "continuing " + settings.output + ": 9 of 35 points are done\n");
  compute(second, 1000);
  CHECK(contents(settings.output) == contents(folder.file("whole.h5")));
}

TEST_CASE("a function's surface: another computation's file is refused with the difference") {
  const TemporaryFolder folder;
  Observer observer;
  const FunctionSurfaceSettings settings = rosenbrock_settings(folder.file("s.h5"));
  FunctionSurfaceSettings with_facts = settings;
  with_facts.output = folder.file("facts.h5");
  with_facts.facts = {{"data_hash", "12"}, {"temperature", "7"}};
  { const FunctionSurface begun(settings, rosenbrock_tensors(), observer); }
  { const FunctionSurface begun(with_facts, rosenbrock_tensors(), observer); }
  const auto refused = [&](const FunctionSurfaceSettings& s, const std::string& word,
                           double x = -1.2) {
    CAPTURE(word);
    CHECK_THROWS_WITH_AS(FunctionSurface(s, rosenbrock_tensors(x), observer),
                         doctest::Contains(word.c_str()), Error);
  };
  const auto changed = [](FunctionSurfaceSettings s, auto change) {
    change(s);
    return s;
  };
  using Settings = FunctionSurfaceSettings;
  refused(changed(settings, [](Settings& s) { s.function = "Himmelblau's"; }),
          "function: file has Rosenbrock's, this command asks for Himmelblau's");
  refused(changed(settings, [](Settings& s) { s.quantities = {"loss"}; }), "values: file has");
  refused(changed(settings, [](Settings& s) { s.set = "test"; }), "values: file has");
  refused(changed(settings, [](Settings& s) { s.x.points.points = 9; }), "the grid is another one");
  refused(changed(settings, [](Settings& s) { s.x.given[0] = values_of({2}); }), "direction_hash");
  refused(changed(settings, [](Settings& s) { s.facts = {{"data_hash", "12"}}; }), "data_hash");
  refused(changed(with_facts, [](Settings& s) { s.facts["temperature"] = "8"; }), "temperature");
  refused(changed(with_facts, [](Settings& s) { s.facts.erase("temperature"); }), "facts");
  refused(settings, "model_hash", -1.3);
  const FunctionSurface holder(settings, rosenbrock_tensors(), observer);
  refused(settings, "is being written by another computation of this process");
  // And a network's surface does not continue a function's.
  const LoadedModel model = small_model(1);
  const ImageSets images = select_images({.source = "synthetic", .count = 10}, model);
  ThreadPool pool(1);
  CHECK_THROWS_WITH_AS(
      compute_surface(
          {.output = with_facts.output, .x = settings.x.points, .y = settings.y->points}, model,
          images, random_directions({}, model), pool, observer),
      doctest::Contains("belongs to another command"), Error);
}

TEST_CASE("a function's surface: settings and tensors that make no sense are refused") {
  Observer observer;
  const auto refused = [&](const std::string& word, auto change) {
    CAPTURE(word);
    FunctionSurfaceSettings s = rosenbrock_settings();
    std::vector<NamedTensor> tensors = rosenbrock_tensors();
    change(s, tensors);
    CHECK_THROWS_WITH_AS(FunctionSurface(s, tensors, observer), doctest::Contains(word.c_str()),
                         Error);
  };
  using Settings = FunctionSurfaceSettings;
  using Tensors = std::vector<NamedTensor>;
  refused("the x axis runs backwards", [](Settings& s, Tensors&) { s.x.points = {1, 0.5, 3}; });
  refused("the y axis: inf is not finite",
          [](Settings& s, Tensors&) { s.y->points.to = kInfinity; });
  refused("10000000 at most",
          [](Settings& s, Tensors&) { s.x.points.points = s.y->points.points = 10'000; });
  refused("choose train or test", [](Settings& s, Tensors&) { s.set = "valid"; });
  refused("needs the quantity 'loss'", [](Settings& s, Tensors&) { s.quantities = {"acc"}; });
  refused("named twice", [](Settings& s, Tensors&) { s.quantities = {"loss", "loss"}; });
  refused("standard error of 'acc'", [](Settings& s, Tensors&) {
    s.quantities = {"loss", "acc_se"};
  });
  refused("several seeds are called so", [](Settings& s, Tensors&) {
    s.quantities = {"loss", "loss_sd"};
  });
  refused("cannot be named 'a/b'", [](Settings& s, Tensors&) { s.quantities = {"loss", "a/b"}; });
  refused("identifies the function", [](Settings& s, Tensors&) { s.function = ""; });
  refused("identifies the function", [](Settings& s, Tensors&) { s.function = "a\nb"; });
  refused("without a comma", [](Settings& s, Tensors&) { s.loss = "a,b"; });
  refused("'model_hash': every surface has", [](Settings& s, Tensors&) {
    s.facts = {{"model_hash", "1"}};
  });
  refused("'quantity': every surface has", [](Settings& s, Tensors&) {
    s.facts = {{"quantity", "1"}};
  });
  refused("several need a random direction", [](Settings& s, Tensors&) { s.seeds = 2; });
  refused("a direction is zero everywhere", [](Settings& s, Tensors&) { s.x.given.clear(); });
  refused("does not fit 2 tensors", [](Settings& s, Tensors&) { s.x.given.resize(1); });
  refused("its direction has 3", [](Settings& s, Tensors&) {
    s.x.given[0] = values_of({1, 2, 3});
  });
  refused("not finite", [](Settings& s, Tensors&) { s.x.given[0] = values_of({kNaN}); });
  refused("a direction moves x, which is to stay",
          [](Settings&, Tensors& t) { t[0].moves = false; });
  refused("no tensor moves", [](Settings&, Tensors& t) { t[0].moves = t[1].moves = false; });
  refused("two tensors are named 'x'", [](Settings&, Tensors& t) { t[1].name = "x"; });
  refused("x has 2 elements, its list of values has 1", [](Settings&, Tensors& t) {
    t[0].shape = {2, 1};
  });
  refused("x holds a value that is not finite",
          [](Settings&, Tensors& t) { t[0].values = values_of({kNaN}); });
  refused("only f32 and f64", [](Settings&, Tensors& t) { t[0].values = Tensor({1}, DType::i32); });
  FunctionSurface surface(rosenbrock_settings(), rosenbrock_tensors(), observer);
  const std::vector<double> one{1}, two{1, 2};
  CHECK_THROWS_WITH_AS(surface.record(3, one), "a point has 2 values on 1 planes, got 1", Error);
  surface.record(3, two);
  CHECK_THROWS_WITH_AS(surface.record(3, two), "point 3 is done already", Error);
  CHECK_THROWS_AS(surface.record(35, two), Error);
  CHECK_THROWS_AS(surface.theta_at(-1), Error);
  CHECK_THROWS_AS(surface.theta_at(0, 1), Error);
  const std::vector<Tensor> wrong = {Tensor({1}), Tensor({1})};
  CHECK_THROWS_WITH_AS(surface.theta_at(0, wrong), doctest::Contains("x has 1 elements of f64"),
                       Error);
}

TEST_CASE("a function's surface: random directions are a zoo network's, to the bit") {
  const LoadedModel model = small_model(4);
  const ParameterLayout& layout = model.graph.layout();
  for (const DirectionNorm norm : {DirectionNorm::filter, DirectionNorm::layer})
    for (const Ignore ignore : {Ignore::biasbn, Ignore::none})
      for (const uint32_t number : {0U, 1U}) {
        const Tensor theirs =
            random_direction(layout, model.weights.theta, {}, 5, number, norm, ignore).parameters;
        for (const DType dtype : {DType::f32, DType::f64}) {
          const NamedTensors tensors(torch_tensors(model, dtype));
          CHECK(same_values(as_theta(layout, tensors.random_direction(5, number, norm, ignore)),
                            theirs));
        }
        // What does not move keeps its place among the numbers.
        std::vector<NamedTensor> frozen = torch_tensors(model);
        frozen[0].moves = false;
        TensorDirection some = NamedTensors(frozen).random_direction(5, number, norm, ignore);
        CHECK_FALSE(some[0].defined());
        some[0] = NamedTensors(torch_tensors(model)).random_direction(5, number, norm, ignore)[0];
        CHECK(same_values(as_theta(layout, some), theirs));
      }
}

TEST_CASE("a function's surface agrees with the network's, for one seed and for several") {
  const LoadedModel model = small_model(1);
  const ImageSets images = select_images({.source = "synthetic", .count = 20}, model);
  ThreadPool pool(1);
  Observer observer;
  const Axis axis{-0.5, 0.5, 3};
  for (const int64_t seeds : {1, 2}) {
    const SurfaceDirections directions = random_directions({.seed = 3, .seeds = seeds}, model);
    const SurfaceSettings settings{.x = axis, .y = axis};
    const Surface theirs = compute_surface(settings, model, images, directions, pool, observer);
    FunctionSurface computation({.x = {.points = axis},
                                 .y = FunctionAxis{.points = axis},
                                 .seed = 3,
                                 .seeds = seeds,
                                 .quantities = {"loss", "loss_se"},
                                 .function = "the network's loss"},
                                torch_tensors(model), observer);
    CHECK(computation.planes() == seeds);
    for (const int64_t point : computation.next_points(100)) {
      std::vector<double> values;
      for (int64_t plane = 0; plane < seeds; ++plane) {
        LoadedModel moved = small_model(1);
        moved.weights.theta = as_theta(model.graph.layout(), computation.theta_at(point, plane));
        Evaluator evaluator(settings.spec(moved, images, directions.planes), pool);
        const PlanePosition here{};
        const LossSums sums = evaluator.evaluate({&here, 1}).front()[0][0];
        values.push_back(sums.mean());
        values.push_back(sums.standard_error(images.populations[0]));
      }
      computation.record(point, values);
    }
    const Surface ours = computation.surface();
    CHECK(ours.has_plane("train_loss_sd") == (seeds > 1));
    CHECK(ours.has_plane("train_loss_seed4") == (seeds > 1));
    CHECK(value_of(ours.provenance, "seeds") == value_of(theirs.provenance, "seeds"));
    for (const auto& [name, values] : ours.planes())
      for (size_t i = 0; i < values.size(); ++i)
        // Theta is rounded to float here, and within the network's surface is not.
        CHECK(values[i] == doctest::Approx(theirs.plane(name)[i]).epsilon(1e-4));
  }
}
