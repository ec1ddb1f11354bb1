// The batch loader: every batch against the formula, for any number of threads, with and without a
// thread that works ahead, in any order of steps; and that errors and ends come through.
#include "nn/batch_loader.h"

#include <chrono>
#include <numeric>
#include <set>
#include <thread>

#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

constexpr int64_t kCount = 31, kSize = 8;  // three steps an epoch, the last one of seven images
constexpr int kPadding = 4;

BatchPlan plan_of(bool augment = true, bool flip = true) {
  return {.batch_size = 12, .augment = augment, .flip = flip, .seed = 5};
}

/// The batch of a step, straight from the formula in augment.h.
Batch batch_by_hand(const LabelledImages& set, const BatchPlan& plan, int64_t epoch, int64_t step) {
  const std::vector<int32_t> order = shuffled_order(set.count(), plan.seed, epoch);
  const int64_t first = step * plan.batch_size;
  const int64_t n = std::min(plan.batch_size, set.count() - first);
  const int64_t H = set.images.dim(1), W = set.images.dim(2), C = set.images.dim(3);
  const Philox random(plan.seed, RandomStream::augmentation, static_cast<uint32_t>(epoch));
  Batch batch{Tensor(set.images.shape().with_first(n)), Tensor({n}, DType::i32)};
  float* y = batch.x.data<float>();
  for (int64_t i = 0; i < n; ++i) {
    const int64_t image = order[at(first + i)];
    batch.labels.data<int32_t>()[i] = set.labels.data<int32_t>()[image];
    const auto words = random.words(static_cast<uint64_t>(image));
    const int64_t down = plan.augment ? words[0] % (2 * kPadding + 1) - int64_t{kPadding} : 0;
    const int64_t right = plan.augment ? words[1] % (2 * kPadding + 1) - int64_t{kPadding} : 0;
    const bool flip = plan.augment && plan.flip && (words[2] & 1) != 0;
    for (int64_t h = 0; h < H; ++h)
      for (int64_t w = 0; w < W; ++w)
        for (int64_t c = 0; c < C; ++c) {
          const int64_t row = h + down, column = (flip ? W - 1 - w : w) + right;
          const bool inside = 0 <= row && row < H && 0 <= column && column < W;
          const double pixel =
              inside ? set.images.data<uint8_t>()[((image * H + row) * W + column) * C + c] : 0;
          *y++ = static_cast<float>((pixel / 255.0 - set.normalisation.mean[at(c)]) /
                                    set.normalisation.std_dev[at(c)]);
        }
  }
  return batch;
}

void check_batch(const MiniBatch& batch, const LabelledImages& set, const BatchPlan& plan,
                 int64_t epoch, int64_t step) {
  CAPTURE(epoch);
  CAPTURE(step);
  const Batch expected = batch_by_hand(set, plan, epoch, step);
  REQUIRE(batch.count() == expected.labels.size());
  CHECK(batch.images.shape() == expected.x.shape());
  CHECK(same_bits(batch.images, expected.x));
  CHECK(same_bits(batch.labels, expected.labels));
}

/// Gives a thread that works ahead the time to do so: what it spoils shows then.
void linger() {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace

TEST_CASE("batch loader: every batch is the formula's, whoever makes it") {
  const LabelledImages set = labelled_images(kCount, kSize, 4, 2);
  for (const BatchPlan& plan : {plan_of(), plan_of(true, false), plan_of(false)})
    for (int threads : {1, 2, 3})
      for (Prefetch prefetch : {Prefetch::off, Prefetch::on}) {
        CAPTURE(threads);
        CAPTURE(static_cast<int>(prefetch));
        ThreadPool pool(threads);
        BatchLoader loader(set, plan, pool, prefetch);
        REQUIRE(loader.steps_per_epoch() == 3);
        for (int64_t epoch = 0; epoch < 3; ++epoch)
          for (int64_t step = 0; step < 3; ++step) {
            const MiniBatch batch = loader.batch(epoch, step);
            if (step == 1) linger();
            check_batch(batch, set, plan, epoch, step);
          }
      }
}

TEST_CASE("batch loader: without flips no image is mirrored, with them about half are") {
  const LabelledImages set = labelled_images(kCount, kSize, 4, 2);
  ThreadPool pool(1);
  BatchLoader with(set, plan_of(), pool), without(set, plan_of(true, false), pool);
  const int64_t pixels = kSize * kSize * 3;
  int64_t different = 0;
  for (int64_t step = 0; step < 3; ++step) {
    const MiniBatch a = with.batch(0, step), b = without.batch(0, step);
    for (int64_t i = 0; i < a.count(); ++i)
      different += std::memcmp(a.images.data<float>() + i * pixels,
                               b.images.data<float>() + i * pixels, sizeof(float) * pixels) != 0;
  }
  CHECK(different >= 8);  // of 31 coins
  CHECK(different <= 23);
}

TEST_CASE("batch loader: any step may be asked for") {
  const LabelledImages set = labelled_images(kCount, kSize, 4, 3);
  const BatchPlan plan = plan_of();
  const std::pair<int64_t, int64_t> places[] = {{7, 2}, {8, 0}, {8, 2}, {0, 1}, {0, 1}, {0, 0},
                                                {5, 1}, {5, 2}, {6, 0}, {6, 1}, {2, 2}, {2, 2}};
  for (Prefetch prefetch : {Prefetch::off, Prefetch::on}) {
    ThreadPool pool(2);
    BatchLoader loader(set, plan, pool, prefetch);
    for (const auto& [epoch, step] : places)
      check_batch(loader.batch(epoch, step), set, plan, epoch, step);
  }
}

TEST_CASE("batch loader: one batch holds all images where there are fewer than its size") {
  const LabelledImages set = labelled_images(5, kSize, 4, 3);
  for (Prefetch prefetch : {Prefetch::off, Prefetch::on}) {
    ThreadPool pool(2);
    BatchLoader loader(set, plan_of(), pool, prefetch);
    CHECK(loader.steps_per_epoch() == 1);
    for (int64_t epoch : {0, 1, 2}) check_batch(loader.batch(epoch, 0), set, plan_of(), epoch, 0);
  }
}

TEST_CASE("batch loader: grey images that are not square") {
  LabelledImages set = labelled_images(kCount, kSize, 4, 3);
  set.images = Tensor({kCount, 5, 7, 1}, DType::u8);
  std::iota(set.images.data<uint8_t>(), set.images.data<uint8_t>() + set.images.size(), 0);
  set.normalisation = {{0.1307}, {0.3081}};
  for (Prefetch prefetch : {Prefetch::off, Prefetch::on}) {
    ThreadPool pool(2);
    BatchLoader loader(set, plan_of(), pool, prefetch);
    for (int64_t step = 0; step < 3; ++step)
      check_batch(loader.batch(0, step), set, plan_of(), 0, step);
  }
}

TEST_CASE("batch loader: a batch lasts until the next is asked for") {
  const LabelledImages set = labelled_images(kCount, kSize, 4, 3);
  ThreadPool pool(1);
  BatchLoader loader(set, plan_of(), pool, Prefetch::on);
  for (int64_t step : {0, 1, 2}) {
    const MiniBatch batch = loader.batch(0, step);
    const Tensor images = batch.images.clone(), labels = batch.labels.clone();
    linger();
    linger();
    CHECK(same_bits(batch.images, images));
    CHECK(same_bits(batch.labels, labels));
  }
}

TEST_CASE("batch loader: an error reaches the one who asks for the batch, every time") {
  LabelledImages set = labelled_images(kCount, kSize, 4, 3);
  const std::string expected = "augment: channel 1 has mean 0.4 and std 0; std must be above 0";
  for (Prefetch prefetch : {Prefetch::off, Prefetch::on}) {
    set.normalisation.std_dev[1] = 0;
    ThreadPool pool(2);
    BatchLoader loader(set, plan_of(), pool, prefetch);
    for (int64_t step : {0, 0, 1}) {
      CHECK(error_of([&] { loader.batch(0, step); }) == expected);
      linger();
    }
    set.normalisation.std_dev[1] = 0.2;  // and all is well once the cause is gone
    for (int64_t step : {1, 2}) check_batch(loader.batch(0, step), set, plan_of(), 0, step);
  }
}

TEST_CASE("batch loader: it ends at any moment") {
  const LabelledImages set = labelled_images(200, 32, 4, 3);
  ThreadPool pool(2);
  for (int i = 0; i < 50; ++i) {
    BatchLoader loader(set, {.batch_size = 100}, pool, Prefetch::on);
    for (int64_t step = 0; step < i % 3; ++step) loader.batch(0, step % 2);
  }
}

TEST_CASE("batch loader: what cannot be is refused") {
  const LabelledImages set = labelled_images(kCount, kSize, 4, 3);
  ThreadPool pool(1);
  BatchLoader loader(set, plan_of(), pool);
  CHECK(error_of([&] { loader.batch(0, 3); }) == "no batch 3 in epoch 0, which has 3 steps");
  CHECK(error_of([&] { loader.batch(0, -1); }) == "no batch -1 in epoch 0, which has 3 steps");
  CHECK(error_of([&] { BatchLoader(set, {.batch_size = 0}, pool); }) ==
        "batches of 0 images: ask for at least one");
  LabelledImages none = set;
  none.images = set.images.rows(0, 0);
  CHECK(error_of([&] { BatchLoader(none, plan_of(), pool); }) == "no images to make batches of");
}

TEST_CASE("shuffled_order: a permutation that depends on epoch and seed") {
  std::set<std::vector<int32_t>> orders;
  for (uint64_t seed : {1, 2, 3})
    for (int64_t epoch : {0, 1, 2, 299}) {
      const std::vector<int32_t> order = shuffled_order(101, seed, epoch);
      CHECK(order == shuffled_order(101, seed, epoch));
      orders.insert(order);
      std::vector<int32_t> sorted = order, expected(101);
      std::sort(sorted.begin(), sorted.end());
      std::iota(expected.begin(), expected.end(), 0);
      CHECK(sorted == expected);
    }
  CHECK(orders.size() == 12);
  CHECK(shuffled_order(0, 1, 0).empty());
  CHECK(shuffled_order(1, 1, 0) == std::vector<int32_t>{0});
}
