// The queue behind the evaluator: every point gets all of its chunks, whatever the threads do;
// stopping and failing leave nothing half-done.
#include "landscape/evaluation/point_queue.h"

#include <atomic>
#include <set>
#include <thread>

#include "landscape/evaluation/evaluator.h"
#include "models/registry.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

std::vector<LabelledImages> sets_of(std::vector<int64_t> counts) {
  std::vector<LabelledImages> sets;
  for (int64_t count : counts) sets.push_back(labelled_images(count, 8, 4, 1));
  return sets;
}

const StopFlag kNever = [] { return false; };

/// Points 0, 1, ..., count - 1.
TaskSource numbers(int64_t count) {
  return [count, next = int64_t{0}]() mutable -> std::optional<EvaluationTask> {
    if (next == count) return std::nullopt;
    return EvaluationTask{.id = next++};
  };
}

/// Sums that tell which chunk of which point they are of, in digits that no order of adding hides.
std::vector<LossSums> sums_of_chunk(const PointQueue::Item& item) {
  const auto& [set, begin, end] = item.chunk;
  const double value =
      0.1 * static_cast<double>(item.task().id + 1) + 1e-7 * static_cast<double>(begin + 1);
  return {{value, value * value, static_cast<int64_t>(set), end - begin}};
}

/// A worker that evaluates nothing.
void work(PointQueue& queue, std::vector<int64_t>* order = nullptr) {
  for (PointQueue::Item item; queue.take(item);) {
    if (order) order->push_back(item.task().id);
    queue.finish(item, sums_of_chunk(item));
  }
}

}  // namespace

TEST_CASE("point queue: a worker stays with its point, then takes the next") {
  const auto sets = sets_of({80, 33});  // 3 + 2 chunks
  const ImageStages stages(sets, 32, 0);
  std::vector<int64_t> finished, order;
  const TaskSource source = numbers(3);
  const ResultSink sink = [&](const EvaluationTask& task, const PointSums& sums) {
    finished.push_back(task.id);
    CHECK(sums[0][0].count == 80);
    CHECK(sums[1][0].count == 33);
  };
  PointQueue queue(stages, 1, source, sink, kNever);
  work(queue, &order);
  CHECK(finished == std::vector<int64_t>{0, 1, 2});
  CHECK(order == std::vector<int64_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2});
  CHECK(queue.complete());
}

TEST_CASE("point queue: workers begin points of their own, and then help where most is left") {
  const auto sets = sets_of({128});  // 4 chunks
  const ImageStages stages(sets, 32, 0);
  const TaskSource source = numbers(2);
  const ResultSink sink = [](const EvaluationTask&, const PointSums&) {};
  PointQueue queue(stages, 1, source, sink, kNever);
  PointQueue::Item a, b, c;
  CHECK(queue.take(a));
  CHECK(a.task().id == 0);
  CHECK(queue.take(b));
  CHECK(b.task().id == 1);
  queue.finish(a, sums_of_chunk(a));
  CHECK(queue.take(a));
  CHECK(a.task().id == 0);  // two chunks are left of 0, three of 1
  CHECK(queue.take(c));
  CHECK(c.task().id == 1);
  CHECK(c.chunk.begin == 32);
}

TEST_CASE("point queue: without helping, a point is its worker's alone") {
  const auto sets = sets_of({128});  // 4 chunks
  const ImageStages stages(sets, 32, 0);
  const TaskSource source = numbers(1);
  const ResultSink sink = [](const EvaluationTask&, const PointSums&) {};
  PointQueue queue(stages, 1, source, sink, kNever, /*helping=*/false);
  PointQueue::Item mine;
  CHECK(queue.take(mine));
  std::atomic<bool> helped{false};
  std::thread other([&] {
    PointQueue::Item item;
    helped = queue.take(item);  // waits: there might be another point
    if (helped) queue.finish(item, sums_of_chunk(item));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // enough to be helped in
  do queue.finish(mine, sums_of_chunk(mine));
  while (queue.take(mine));
  other.join();
  CHECK(!helped);
  CHECK(queue.complete());
}

TEST_CASE("point queue: chunks are added in their order, whoever is done first") {
  const auto sets = sets_of({96});
  const ImageStages stages(sets, 32, 0);
  std::vector<double> sums;
  for (bool backwards : {false, true}) {
    const TaskSource source = numbers(1);
    const ResultSink sink = [&](const EvaluationTask&, const PointSums& s) {
      sums.push_back(s[0][0].loss);
    };
    PointQueue queue(stages, 1, source, sink, kNever);
    std::vector<PointQueue::Item> items(3);
    for (auto& item : items) CHECK(queue.take(item));
    const double parts[] = {0.1, 1e16, -1e16};  // 0.1 survives in one order only
    for (size_t i = 0; i < 3; ++i) {
      const size_t k = backwards ? 2 - i : i;
      queue.finish(items[k], {{parts[items[k].place], 0, 0, 32}});
    }
  }
  REQUIRE(sums.size() == 2);
  CHECK(sums[0] == sums[1]);
}

TEST_CASE("point queue: a source that is dry at once") {
  const auto sets = sets_of({10});
  const ImageStages stages(sets, 32, 0);
  int asked = 0;
  const TaskSource source = [&]() -> std::optional<EvaluationTask> {
    return ++asked, std::nullopt;
  };
  const ResultSink sink = [](const EvaluationTask&, const PointSums&) {
    FAIL("nothing was computed");
  };
  PointQueue queue(stages, 1, source, sink, kNever);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { work(queue); });
  for (std::thread& thread : threads) thread.join();
  CHECK(queue.complete());
  CHECK(asked == 1);
}

TEST_CASE("point queue: stages go on until the standard error is small enough") {
  const auto sets = sets_of({3000, 300});
  const ImageStages stages(sets, 32, 0.1, /*first_stage=*/256);
  // Losses of 0 and 1 in equal numbers have a standard error of 0.5 / sqrt(n): 0.031 at 256. Forty
  // times as large they never come below 0.1; six times, 0.133 at 512 and 0.094 at 1024. The second
  // set's are a tenth of that. One stage follows the first that meets the target.
  const double scales[] = {1, 40, 6};
  const TaskSource source = numbers(3);
  std::map<int64_t, std::vector<int64_t>> counts;
  const ResultSink sink = [&](const EvaluationTask& task, const PointSums& sums) {
    counts[task.id] = {sums[0][0].count, sums[1][0].count};
  };
  PointQueue queue(stages, 1, source, sink, kNever);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (PointQueue::Item item; queue.take(item);) {
        const double n = static_cast<double>(item.chunk.end - item.chunk.begin);
        const double scale = scales[item.task().id] / (item.chunk.set == 1 ? 10 : 1);
        queue.finish(
            item, {{scale * n / 2, scale * scale * n / 2, 0, item.chunk.end - item.chunk.begin}});
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(queue.complete());
  CHECK(counts[0] == std::vector<int64_t>{512, 300});
  CHECK(counts[1] == std::vector<int64_t>{3000, 300});
  CHECK(counts[2] == std::vector<int64_t>{2048, 300});
}

TEST_CASE("image stages: the target has to be met twice in a row") {
  const auto sets = sets_of({4096});
  const ImageStages stages(sets, 32, 0.1, 256);
  CHECK(stages.ends() == std::vector<int64_t>{256, 512, 1024, 2048, 4096});
  const auto sums_with_error = [](double error, int64_t count) {
    const double n = static_cast<double>(count);
    return LossSums{0, error * error * n * (n - 1), 0, count};
  };
  const auto stages_until_settled = [&](const std::vector<double>& errors) {
    SetProgress progress;
    for (size_t stage = 0; stage < errors.size(); ++stage) {
      stages.update(progress, 0, sums_with_error(errors[stage], stages.ends()[stage]));
      if (progress.settled) return stage + 1;
    }
    return errors.size() + 1;
  };
  CHECK(stages_until_settled({0.09, 0.09, 1}) == 2);
  CHECK(stages_until_settled({0.09, 0.11, 0.09, 0.09}) == 4);  // a longer tail, found on the way
  CHECK(stages_until_settled({0.2, 0.09, 0.2, 0.09}) == 5);
  CHECK(stages_until_settled({1, 1, 1, 1, 1}) == 5);  // all images
  const double nan = std::nan("");
  CHECK(stages_until_settled({nan, nan, nan, nan, nan}) == 5);
  CHECK(stages_until_settled({0.09, nan, 0.09}) == 4);
}

TEST_CASE("loss sums: the standard error for a set of images, and for all of their kind") {
  const LossSums sums{20, 200, 3, 5};  // mean 4, variance 30 of a sample
  CHECK(sums.standard_error() == doctest::Approx(std::sqrt(6.0)));
  CHECK(sums.standard_error(20) == doctest::Approx(std::sqrt(6.0 * 15 / 20)));
  CHECK(sums.standard_error(5) == 0);  // all of them: nothing is left out
  CHECK(std::isnan(LossSums{std::nan(""), 1, 0, 5}.standard_error(5)));
  // A set that is nearly all of the population meets a target sooner.
  const auto sets = sets_of({512, 512});
  const ImageStages stages(sets, 32, 0.1, 128, {520, 0});
  std::vector<SetProgress> progress(2);
  for (int64_t count : {128, 256}) {
    const double n = static_cast<double>(count);
    for (size_t set = 0; set < 2; ++set)  // 0.11 without the correction
      stages.update(progress[set], set, {0, 0.11 * 0.11 * n * (n - 1), 0, count});
  }
  CHECK(progress[0].settled);
  CHECK(!progress[1].settled);
}

namespace {

/// A small network, a plane and 80 + 33 images.
struct SmallEvaluation {
  Graph graph = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  Weights w = random_weights(graph, 1);
  Directions plane{direction(0), direction(1)};
  std::vector<LabelledImages> sets = sets_of({80, 33});

  Direction direction(uint32_t number) const {
    return random_direction(graph.layout(), w.theta, w.running_stats, 7, number);
  }
  EvaluationSpec spec() const {
    return {.graph = graph,
            .theta = w.theta,
            .running_stats = w.running_stats,
            .planes = {&plane, 1},
            .sets = sets};
  }
};

PlanePosition position_of(int64_t id) {
  return {0.1 * static_cast<double>(id), -0.05 * static_cast<double>(id)};
}

/// The given points through an evaluator of some threads, stopped after `chunks` questions.
struct Outcome {
  bool complete = false;
  std::map<int64_t, PointSums> sums;
};
Outcome evaluate_points(const SmallEvaluation& small, const std::vector<int64_t>& ids, int threads,
                        int64_t questions = 1 << 30) {
  ThreadPool pool(threads);
  Evaluator evaluator(small.spec(), pool);
  Outcome outcome;
  size_t next = 0;
  outcome.complete = evaluator.run(
      [&]() -> std::optional<EvaluationTask> {
        if (next == ids.size()) return std::nullopt;
        const int64_t id = ids[next++];
        return EvaluationTask{.id = id, .position = position_of(id)};
      },
      [&](const EvaluationTask& task, const PointSums& sums) {
        CHECK(!outcome.sums.contains(task.id));
        outcome.sums[task.id] = sums;
      },
      [&] { return --questions < 0; });
  return outcome;
}

bool same(const PointSums& a, const PointSums& b) {
  for (size_t set = 0; set < a.size(); ++set)
    if (!same_sums(a[set][0], b[set][0])) return false;
  return a.size() == b.size();
}

}  // namespace

TEST_CASE("evaluator: the same bits for any number of threads and any order of the points") {
  const SmallEvaluation small;
  const Outcome first = evaluate_points(small, {0, 1, 2, 3, 4}, 1);
  REQUIRE(first.complete);
  REQUIRE(first.sums.size() == 5);
  for (int threads : {2, 5, 16})
    for (const std::vector<int64_t>& order :
         {std::vector<int64_t>{0, 1, 2, 3, 4}, {4, 2, 0, 3, 1}, {3}}) {
      CAPTURE(threads);
      const Outcome other = evaluate_points(small, order, threads);
      CHECK(other.complete);
      CHECK(other.sums.size() == order.size());
      for (const auto& [id, sums] : other.sums) CHECK(same(sums, first.sums.at(id)));
    }
}

TEST_CASE("evaluator: an interruption at any moment reports nothing that is half-done") {
  const SmallEvaluation small;
  const Outcome whole = evaluate_points(small, {0, 1, 2}, 1);
  for (int threads : {1, 3})
    for (int64_t questions : {0, 1, 2, 4, 5, 6, 9, 11, 14}) {  // of the 15 chunks
      CAPTURE(questions);
      const Outcome part = evaluate_points(small, {0, 1, 2}, threads, questions);
      CHECK(!part.complete);
      if (threads == 1) CHECK(part.sums.size() == at(questions / 5));
      for (const auto& [id, sums] : part.sums) CHECK(same(sums, whole.sums.at(id)));
    }
}

TEST_CASE(
    "evaluator: what goes wrong in the source, the sink or a worker stops all and is thrown") {
  SmallEvaluation small;
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    Evaluator evaluator(small.spec(), pool);
    const auto ignore = [](const EvaluationTask&, const PointSums&) {};
    CHECK_THROWS_WITH_AS(
        evaluator.run([]() -> std::optional<EvaluationTask> { fail("the source is gone"); }, ignore,
                      kNever),
        "the source is gone", Error);
    CHECK_THROWS_WITH_AS(
        evaluator.run(
            numbers(4), [](const EvaluationTask&, const PointSums&) { fail("no room"); }, kNever),
        "no room", Error);
    CHECK(evaluator.run(numbers(2), ignore, kNever));  // and is none the worse for it
    small.sets[0].labels.data<int32_t>()[70] = 99;     // no such class: an operation's own refusal
    CHECK_THROWS_WITH_AS(evaluator.run(numbers(4), ignore, kNever), doctest::Contains("99"), Error);
    small.sets[0].labels.data<int32_t>()[70] = 0;
  }
}
