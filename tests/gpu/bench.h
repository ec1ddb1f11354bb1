// Timing on a device: operations' implementations on fresh random operands, and whole passes.
#pragma once

#include <algorithm>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/core/op.h"

namespace topograd::bench {

/// Seconds of one call: the median of several samples, the smallest and the largest.
struct Timing {
  double median = 0, fastest = 0, slowest = 0;
};

/// How long, and on how much, to measure.
struct Options {
  Device device = Device::cpu;
  bool quick = false;       ///< smallest sizes, one call: shows that it runs, measures nothing
  std::string output = {};  ///< JSON, rewritten after every figure; empty: none

  /// One of two sizes.
  int64_t size(int64_t full, int64_t small) const { return quick ? small : full; }
};

/// Times work that queues operations on the context. On a GPU it is recorded as a CUDA graph first,
/// so that the host's time for a launch is not what is measured, unless `recorded` is false: for
/// work that copies from the host.
Timing time_work(const Options& options, Context& context, const std::function<void()>& work,
                 bool recorded = true);

/// Random values on the device, enough to fill any tensor by repetition: hundreds of millions of
/// random numbers would take longer to make than all measurements. (A GPU is faster on zeros, which
/// cost it less power.)
struct RandomBlocks {
  explicit RandomBlocks(Device device);
  Tensor normal;    ///< standard normals
  Tensor positive;  ///< uniform in [0.5, 1.5)
};

/// Makes the operands of a call and counts their bytes.
class Inputs {
 public:
  explicit Inputs(const RandomBlocks& blocks) : blocks_(blocks) {}

  Tensor normal(const Shape& shape) { return counted(repeated(blocks_.normal, shape)); }
  /// For scales and variances.
  Tensor positive(const Shape& shape) { return counted(repeated(blocks_.positive, shape)); }
  /// In [0, bound), i32 or u8.
  Tensor integers(const Shape& shape, uint32_t bound, DType dtype = DType::i32);
  Tensor zeros(const Shape& shape, DType dtype) {
    return counted(Tensor::zeros(shape, dtype, device()));
  }
  /// Read and written: counted twice.
  Tensor in_out(const Shape& shape) { return counted(normal(shape)); }

  Device device() const { return blocks_.normal.device(); }
  /// What an operation on all of these has to move: each tensor once.
  int64_t bytes() const { return bytes_; }

 private:
  static Tensor repeated(const Tensor& block, const Shape& shape);
  Tensor counted(const Tensor& t) {
    bytes_ += t.bytes();
    return t;
  }

  const RandomBlocks& blocks_;
  int64_t bytes_ = 0;
};

/// What is measured, and what one call of it amounts to.
struct Work {
  std::string group;  ///< a table of the report
  std::string what;   ///< the case: shapes
  double flop = 0;    ///< 0: bound by memory
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options), blocks_(options.device) {}
  const Options& options() const { return options_; }
  const RandomBlocks& blocks() const { return blocks_; }

  /// Times every implementation on the device that supports what `make(inputs)` builds; with
  /// `first_alone`, only the one that would run. Several sets of operands take turns, together
  /// larger than the caches: a call finds nothing of its own there. What takes long has one set,
  /// whose bytes a cache would spare it in a small part of that time.
  template <class Args>
  void implementations(const Work& work, const std::function<Args(Inputs&)>& make,
                       bool first_alone = false, bool recorded = true);

  /// Adds a figure that was measured elsewhere; `images` above 0: so many images a call.
  void add(const Work& work, std::string_view op, std::string_view implementation,
           const Timing& timing, double bytes, double images = 0);
  void add_failure(const Work& work, std::string_view op, std::string_view implementation,
                   const std::string& message);
  int64_t failures() const { return failures_; }
  void save() const;

 private:
  /// Whether the second of two calls takes longer than 5 ms: the first may choose algorithms.
  bool takes_long(const std::function<void()>& call) const;
  int64_t sets_of(int64_t bytes) const {
    constexpr int64_t kBeyondCaches = int64_t{256} << 20;  // H100 and H200 have 50 MB of L2
    return options_.quick ? 1 : std::clamp<int64_t>(kBeyondCaches / (bytes + 1) + 1, 2, 16);
  }

  Options options_;
  RandomBlocks blocks_;
  nlohmann::ordered_json figures_ = nlohmann::ordered_json::array();
  int64_t failures_ = 0;
};

template <class Args>
void Bench::implementations(const Work& work, const std::function<Args(Inputs&)>& make,
                            bool first_alone, bool recorded) {
  std::string_view tried;
  try {
    Inputs inputs(blocks_);
    std::vector<Args> sets{make(inputs)};
    sets[0].check();
    const int64_t bytes = inputs.bytes();
    while (static_cast<int64_t>(sets.size()) < sets_of(bytes)) sets.push_back(make(inputs));
    for (const Implementation<Args>& implementation :
         OpRegistry::instance().implementations<Args>()) {
      if (implementation.device != options_.device || !implementation.supports(sets[0])) continue;
      tried = implementation.name;
      Context context(options_.device);
      const size_t turns =
          takes_long([&] { implementation.run(sets[0], context); }) ? 1 : sets.size();
      const auto all = [&] {
        for (size_t i = 0; i < turns; ++i) implementation.run(sets[i], context);
      };
      const Timing t = time_work(options_, context, all, recorded);
      const auto calls = static_cast<double>(turns);
      add(work, Args::kOp, implementation.name,
          {t.median / calls, t.fastest / calls, t.slowest / calls}, static_cast<double>(bytes));
      if (first_alone) return;
    }
  } catch (const Error& error) {
    add_failure(work, Args::kOp, tried, error.what());
  }
}

// The parts of the benchmark, one file each.
void bench_ceilings(Bench& bench);
void bench_layers(Bench& bench);
void bench_streams(Bench& bench);
void bench_networks(Bench& bench);

}  // namespace topograd::bench
