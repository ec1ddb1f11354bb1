#include "nn/batch_loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "kernels/augment/augment.h"
#include "kernels/core/numbers.h"
#include "kernels/core/philox.h"

namespace topograd {

namespace {

constexpr int kCropPadding = 4;  // pixels, as every CIFAR recipe since He et al.

/// A batch of a run, by epoch and step.
struct BatchPosition {
  int64_t epoch = -1, step = 0;
  friend bool operator==(const BatchPosition&, const BatchPosition&) = default;
};

/// Decisions about a batch, in the host's memory and in that of the device that makes the batch.
struct Staged {
  Tensor host, device;

  int32_t* data() const { return host.data<int32_t>(); }
  Tensor rows(int64_t n) const { return device.rows(0, n); }
};

/// Memory for several of them on either side, which goes over in one copy.
class StagingArea {
 public:
  StagingArea(int64_t bytes, Device where)
      : host_({bytes}, DType::u8),
        device_(where == Device::cpu ? host_ : Tensor({bytes}, DType::u8, where)) {}

  /// Bytes that a tensor takes here: up to the next aligned address.
  static int64_t room(const Shape& shape, DType dtype) {
    return (shape.size() * bytes_of(dtype) + kAlignment - 1) / kAlignment * kAlignment;
  }

  /// Gives the next piece away.
  Staged take(const Shape& shape, DType dtype = DType::i32) {
    const auto piece = [&](const Tensor& all) {
      return Tensor::wrap(all.data<uint8_t>() + taken_, shape, dtype, all.device());
    };
    const Staged staged{piece(host_), piece(device_)};
    taken_ += room(shape, dtype);
    require(taken_ <= host_.size(), "a staging area of ", host_.size(), " bytes is too small");
    return staged;
  }

  void send() const {
    if (device_.device() != Device::cpu) device_.copy_from(host_);
  }

 private:
  static constexpr int64_t kAlignment = 64;
  Tensor host_, device_;
  int64_t taken_ = 0;
};

/// Memory for one batch.
struct Buffer {
  Tensor images;
  StagingArea staging;
  Staged labels, indices, offsets, flips;

  Buffer(const Shape& images_shape, const Tensor& all_labels, Device device)
      : images(images_shape, DType::f32, device),
        staging(bytes(images_shape[0], all_labels), device),
        labels(staging.take(all_labels.shape().with_first(images_shape[0]), all_labels.dtype())),
        indices(staging.take({images_shape[0]})),
        offsets(staging.take({images_shape[0], 2})),
        flips(staging.take({images_shape[0]})) {}

 private:
  static int64_t bytes(int64_t count, const Tensor& all_labels) {
    return StagingArea::room(all_labels.shape().with_first(count), all_labels.dtype()) +
           2 * StagingArea::room({count}, DType::i32) + StagingArea::room({count, 2}, DType::i32);
  }
};

/// Makes batches: on the calling thread with one context, or on a pool's.
class BatchMaker {
 public:
  BatchMaker(const LabelledImages& images, const BatchPlan& plan, Device device)
      : images_(images), plan_(plan), pixels_(images.images.to(device)) {
    require(images.count() > 0, "no images to make batches of");
    require(plan.batch_size > 0, "batches of ", plan.batch_size, " images: ask for at least one");
  }

  int64_t image_count() const { return images_.count(); }
  int64_t steps_per_epoch() const {
    return (images_.count() + plan_.batch_size - 1) / plan_.batch_size;
  }

  BatchPosition after(const BatchPosition& position) const {
    if (position.step + 1 < steps_per_epoch()) return {position.epoch, position.step + 1};
    return {position.epoch + 1, 0};
  }

  int64_t largest_batch() const { return std::min(plan_.batch_size, images_.count()); }
  /// Returns memory for a batch on a device.
  Buffer buffer(Device device) const {
    return {images_.images.shape().with_first(largest_batch()), images_.labels, device};
  }

  /// `for_each(items, work)` calls work(item, context) for every item in [0, items).
  template <class ForEach>
  MiniBatch make(const BatchPosition& position, const Buffer& buffer, int64_t images_per_item,
                 const ForEach& for_each) {
    const int64_t count = choose(position, buffer);
    buffer.staging.send();
    const MiniBatch batch{buffer.images.rows(0, count), buffer.labels.rows(count)};
    const Tensor indices = buffer.indices.rows(count), offsets = buffer.offsets.rows(count);
    const Tensor flips = buffer.flips.rows(count);
    for_each((count + images_per_item - 1) / images_per_item, [&](int64_t item, Context& context) {
      const int64_t begin = item * images_per_item, end = std::min(count, begin + images_per_item);
      augment({.y = batch.images.rows(begin, end),
               .images = pixels_,
               .indices = indices.rows(begin, end),
               .offsets = plan_.augment ? offsets.rows(begin, end) : Tensor(),
               .flips = plan_.augment && plan_.flip ? flips.rows(begin, end) : Tensor(),
               .padding = plan_.augment ? kCropPadding : 0,
               .mean = images_.normalisation.mean.data(),
               .std = images_.normalisation.std_dev.data()},
              context);
    });
    return batch;
  }

 private:
  /// Decides which images, crops and flips; returns how many images.
  int64_t choose(const BatchPosition& position, const Buffer& buffer) {
    if (order_epoch_ != position.epoch) {
      order_ = shuffled_order(images_.count(), plan_.seed, position.epoch);
      order_epoch_ = position.epoch;
    }
    const Philox random(plan_.seed, RandomStream::augmentation,
                        static_cast<uint32_t>(position.epoch));
    const int64_t first = position.step * plan_.batch_size;
    const int64_t count = std::min(plan_.batch_size, images_.count() - first);
    for (int64_t i = 0; i < count; ++i) {
      const int32_t image = order_[at(first + i)];
      const auto words = random.words(static_cast<uint64_t>(image));
      buffer.indices.data()[i] = image;
      buffer.labels.host.rows(i, i + 1).copy_from(images_.labels.rows(image, image + 1));
      buffer.offsets.data()[2 * i] = static_cast<int32_t>(words[0] % (2 * kCropPadding + 1));
      buffer.offsets.data()[2 * i + 1] = static_cast<int32_t>(words[1] % (2 * kCropPadding + 1));
      buffer.flips.data()[i] = static_cast<int32_t>(words[2] & 1);
    }
    return count;
  }

  const LabelledImages& images_;
  BatchPlan plan_;
  Tensor pixels_;               // of all images, on the device
  std::vector<int32_t> order_;  // of order_epoch_
  int64_t order_epoch_ = -1;
};

/// Makes one batch ahead on a thread of its own. `maker` is that thread's from request() to the end
/// of wait().
class Prefetcher {
 public:
  explicit Prefetcher(BatchMaker& maker)
      : maker_(maker),
        buffers_{maker.buffer(Device::cpu), maker.buffer(Device::cpu)},
        thread_([this] { run(); }) {}

  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// `implementation`: the implementation of augment that is forced, or empty.
  MiniBatch batch(const BatchPosition& position, std::string_view implementation) {
    wait();
    if (coming_ != position) {
      request(position, implementation);
      wait();
    }
    coming_ = {};
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    const MiniBatch batch = std::exchange(made_, {});
    request(maker_.after(position), implementation);
    return batch;
  }

 private:
  void request(const BatchPosition& position, std::string_view implementation) {
    coming_ = position;
    error_ = nullptr;
    filling_ = 1 - filling_;  // the other buffer holds the batch that the caller computes with
    if (!implementation.empty())
      context_.force_implementation(std::string(AugmentArgs::kOp), std::string(implementation));
    {
      const std::lock_guard lock(mutex_);
      busy_ = true;
    }
    changed_.notify_all();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !busy_; });
  }

  void run() {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return busy_ || stopping_; });
        if (stopping_) return;
      }
      try {
        made_ = maker_.make(coming_, buffers_[filling_], maker_.largest_batch(),
                            [this](int64_t items, const auto& work) {
                              for (int64_t item = 0; item < items; ++item) work(item, context_);
                            });
      } catch (...) {
        error_ = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        busy_ = false;
      }
      changed_.notify_all();
    }
  }

  BatchMaker& maker_;
  Buffer buffers_[2];
  Context context_;
  // These belong to the thread while busy_, else to the caller:
  BatchPosition coming_;  // what is being made, or lies in made_ or error_
  int filling_ = 0;       // the buffer it is made in
  MiniBatch made_;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false, stopping_ = false;
  std::thread thread_;  // the last member: it begins when the others are there
};

}  // namespace

std::vector<int32_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch) {
  std::vector<int32_t> order(at(count));
  std::iota(order.begin(), order.end(), 0);
  const Philox random(seed, RandomStream::shuffle, static_cast<uint32_t>(epoch));
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[at(i)],
              order[random.below(static_cast<uint64_t>(i), static_cast<uint32_t>(i + 1))]);
  return order;
}

Prefetch prefetch_beside(const ThreadPool& pool) {
  return pool.threads() < ThreadPool::processors() ? Prefetch::on : Prefetch::off;
}

struct BatchLoader::State {
  ThreadPool& pool;
  BatchMaker maker;
  std::unique_ptr<Buffer> buffer;          // without a prefetcher
  std::unique_ptr<Prefetcher> prefetcher;  // uses maker
};

BatchLoader::BatchLoader(const LabelledImages& images, const BatchPlan& plan, ThreadPool& pool,
                         Prefetch prefetch)
    : state_(new State{pool, {images, plan, pool.device()}, nullptr, nullptr}) {
  if (prefetch == Prefetch::on && pool.device() == Device::cpu)
    state_->prefetcher = std::make_unique<Prefetcher>(state_->maker);
  else
    state_->buffer = std::make_unique<Buffer>(state_->maker.buffer(pool.device()));
}

BatchLoader::~BatchLoader() = default;

int64_t BatchLoader::image_count() const {
  return state_->maker.image_count();
}

int64_t BatchLoader::steps_per_epoch() const {
  return state_->maker.steps_per_epoch();
}

int64_t BatchLoader::largest_batch() const {
  return state_->maker.largest_batch();
}

MiniBatch BatchLoader::batch(int64_t epoch, int64_t step) {
  require(epoch >= 0 && step >= 0 && step < steps_per_epoch(), "no batch ", step, " in epoch ",
          epoch, ", which has ", steps_per_epoch(), " steps");
  ThreadPool& pool = state_->pool;
  if (state_->prefetcher)
    return state_->prefetcher->batch({epoch, step},
                                     pool.main_context().forced_implementation(AugmentArgs::kOp));
  // Large enough to be worth a thread's turn, small enough for all threads to get some.
  const int64_t images_per_item = pool.device() == Device::cpu ? 16 : state_->maker.largest_batch();
  return state_->maker.make({epoch, step}, *state_->buffer, images_per_item,
                            [&](int64_t items, const auto& work) { pool.for_each(items, work); });
}

}  // namespace topograd
