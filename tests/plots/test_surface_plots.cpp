// Which numbers of a surface are drawn, and what is said of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/numbers.h"
#include "landscape/figures/canvas/text_boxes.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/plots/training_plots.h"
#include "landscape/plots/trajectory_plots.h"

using namespace topograd;

namespace {

std::vector<std::string> words_of(const Figure& figure) {
  drawing::TextBoxes canvas;
  figure.draw(canvas);
  std::vector<std::string> words;
  for (const drawing::TextBox& box : canvas.boxes()) words.push_back(box.words);
  return words;
}

bool says(const Figure& figure, const std::string& part) {
  const std::vector<std::string> words = words_of(figure);
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

/// 5x3 points, one of which diverges, and one that is not computed.
Surface diverging() {
  Surface surface({-1, -0.5, 0, 0.5, 1}, {-1, 0, 1});
  surface.provenance = {{"images", "50"}, {"data", "synthetic training"}, {"model_name", "net"}};
  std::vector<double>& loss = surface.add_plane("train_loss");
  std::vector<double>& accuracy = surface.add_plane("train_acc");
  for (int64_t point = 0; point < surface.points(); ++point) {
    const auto i = static_cast<size_t>(point);
    loss[i] = 1 + 0.5 * static_cast<double>(point % 5);
    accuracy[i] = 10 + 2 * static_cast<double>(point);
    if (point != 14) surface.mark_done(point);
  }
  surface.add_plane("train_loss")[3] = kNaN;
  surface.add_plane("train_acc")[3] = 0;
  surface.add_plane("train_loss")[14] = surface.add_plane("train_acc")[14] = kNaN;
  return surface;
}

PictureOptions accuracy_options() {
  PictureOptions options;
  options.values = "train_acc";
  return options;
}

}  // namespace

TEST_CASE("surface plots: accuracy is a hole where the loss is one") {
  const Surface surface = diverging();
  CHECK(std::isnan(drawn_plane(surface, "train_acc")[3]));
  CHECK(drawn_plane(surface, "train_acc")[4] == 18);
  CHECK(drawn_plane(surface, "train_loss")[4] == surface.plane("train_loss")[4]);
  for (const PictureKind kind : {PictureKind::contours, PictureKind::heat, PictureKind::surface}) {
    const Figure figure = surface_picture(surface, kind, accuracy_options());
    CHECK(says(figure, "1 point not finite"));
    CHECK(says(figure, "1 point to do"));
  }
}

TEST_CASE("surface plots: accuracy has percents, a linear scale, its maximum, its own name") {
  const Surface surface = diverging();
  const FigureOptions figure = figure_options(surface, accuracy_options());
  CHECK(figure.scale == Scale::linear);  // though 10 to 36 % would be a logarithmic loss
  CHECK(figure.subtitle == "accuracy over 50 synthetic training images");
  const Figure heat = surface_picture(surface, PictureKind::heat, accuracy_options());
  CHECK(says(heat, "maximum: 36 % at (0.5, 1)"));
  CHECK(says(heat, "θ*: 24 %"));
  CHECK(!says(heat, "minimum"));
}

TEST_CASE(
    "surface plots: a function without images is named, with what its values are means over") {
  Surface surface({-1, 0, 1}, {-1, 0, 1});
  surface.add_plane("train_loss");
  surface.provenance = {{"function", "Rosenbrock's"},
                        {"model_name", "Rosenbrock's"},
                        {"network", "valley"},
                        {"loss", "energy"},
                        {"seeds", "3"}};
  const FigureOptions figure = figure_options(surface, {});
  CHECK(figure.subtitle == "Rosenbrock's: energy, mean over 3 seeds");
  CHECK(figure.value_label == "energy");
}

TEST_CASE("surface plots: one rule of scale for all that choose none") {
  CHECK(usual_scale({1, 4.1}) == Scale::log);
  CHECK(usual_scale({1, 4}) == Scale::linear);
  CHECK(usual_scale({0, 4.1}) == Scale::linear);
  CHECK(usual_scale({1, kNaN, kInfinity, 3}) == Scale::linear);
  CHECK(!PictureOptions{}.scale);
}

TEST_CASE("surface plots: slices are the lines through the centre") {
  Surface surface({-1, 0, 1}, {-2, 0.5, 3, 4});
  std::vector<double>& values = surface.add_plane("train_loss");
  for (int64_t point = 0; point < surface.points(); ++point) {
    values[static_cast<size_t>(point)] = static_cast<double>(10 + point);
    surface.mark_done(point);
  }
  const Figure figure = surface_picture(surface, PictureKind::slices, {});
  const std::vector<FigureData::Column>& columns = figure.data.columns;
  REQUIRE(columns.size() == 3);
  CHECK(columns[0].values == std::vector<double>{-2, -1, 0, 0.5, 1, 3, 4});
  CHECK(columns[1].name == "along alpha at beta 0.5");
  CHECK(columns[2].name == "along beta");
  CHECK(columns[1].values[1] == 13);  // alpha -1 in the row of beta 0.5
  CHECK(columns[1].values[4] == 15);
  CHECK(std::isnan(columns[1].values[0]));
  CHECK(columns[2].values[0] == 11);  // beta -2 in the column of alpha 0
  CHECK(columns[2].values[6] == 20);
  Surface line({0, 1});
  line.add_plane("train_loss") = {1, 2};
  CHECK_THROWS_AS(surface_picture(line, PictureKind::slices, {}), Error);
}

TEST_CASE("surface plots: a line between networks has a guide at both") {
  Surface line({-0.5, 0, 0.5, 1, 1.5});
  line.add_plane("train_loss") = {3, 1, 2, 1, 3};
  for (int64_t point = 0; point < 5; ++point) line.mark_done(point);
  class Guides : public drawing::TextBoxes {
   public:
    int count = 0;
    void stroke(const std::vector<Polyline>&, const drawing::Pen& pen) override {
      count += pen.dashes == std::vector<double>{2, 3};
    }
  };
  const auto guides = [&] {
    Guides canvas;
    surface_picture(line, PictureKind::curves, {}).draw(canvas);
    return canvas.count;
  };
  CHECK(guides() == 1);
  line.provenance["x_direction"] = "towards b";
  CHECK(guides() == 2);
}

TEST_CASE("training plots: several runs in one figure, the best test accuracy of all marked") {
  const auto log = [](const std::string& run, const std::vector<double>& accuracy) {
    Record record{.kind = "training_log", .title = ""};
    record.file = "/runs/" + run + "/log.csv";
    std::vector<double> epochs;
    for (size_t i = 0; i < accuracy.size(); ++i) epochs.push_back(static_cast<double>(i + 1));
    record.add_series("epoch", "epoch", epochs);
    for (const char* name : {"train_loss", "test_loss", "train_accuracy"})
      record.add_series(name, "epoch", accuracy);
    record.add_series("test_accuracy", "epoch", accuracy);
    return record;
  };
  const Record a = log("a", {10, 60, 55}), b = log("b", {20, 30, 70, 65});
  const Figure one = training_figure({a}, {.title = "a"});
  CHECK(says(one, "highest test accuracy: 60 % at 2"));
  CHECK(one.title == "a");
  const Figure both = training_figure({a, b}, {});
  CHECK(says(both, "highest b, test accuracy: 70 % at 3"));
  CHECK(says(both, "a, train loss"));
  CHECK(both.data.columns.size() == 9);  // epochs, and two curves of two runs of two quantities
  CHECK(std::isnan(both.data.columns[1].values[3]));
  CHECK(both.data.columns[3].values[3] == 65);
  CHECK_THROWS_WITH_AS(training_figure({a, log("c", {1})}, {}),
                       "/runs/c/log.csv: a curve needs two epochs, there are 1", Error);
}

TEST_CASE("trajectory plots: losses of checkpoints have their errors") {
  TrajectoryResults results({0, 1});
  for (Surface* line : {&results.own, &results.projected}) {
    *line = Surface({0, 1});
    line->add_plane("train_loss") = {2, 1};
  }
  results.own.add_plane("train_loss_se") = {0.2, 0.1};
  const TwoCurves curves = trajectory_curves(results, "train");
  CHECK(curves.first_errors == std::vector<double>{0.2, 0.1});
  CHECK(curves.second_errors.empty());
}
