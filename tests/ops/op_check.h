// One harness for every operation: each row of its table against the reference in double precision,
// on the same inputs, with outputs poisoned by NaN and a guard zone around every tensor. Rows of
// the devices simt and cuda, too: on simt under several schedules. Rows in vector code run with
// every instruction set that this processor has.
#pragma once

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "kernels/core/op.h"
#include "kernels/core/philox.h"
#include "kernels/simt/schedule.h"

namespace topograd::test {

/// Makes the tensors of one call. Two Operands of the same seed hand out the same values, whatever
/// their precision and device: random values are rounded to float first.
class Operands {
 public:
  Operands(uint64_t seed, DType real, Device device = Device::cpu)
      : random_(seed, RandomStream::test), real_(real), device_(device) {}

  DType real() const { return real_; }
  Device device() const { return device_; }

  /// An input: standard normals times `scale`.
  Tensor normal(const Shape& shape, double scale = 1.0) {
    return filled(shape, [&] { return scale * random_.normal(next_++); });
  }
  /// An input, uniform in [low, high).
  Tensor uniform(const Shape& shape, double low, double high) {
    return filled(shape, [&] { return low + (high - low) * random_.uniform(next_++); });
  }
  /// An input, 0 or 1 with equal chances.
  Tensor zeros_and_ones(const Shape& shape) {
    return filled(shape, [&] { return static_cast<double>(random_.below(next_++, 2)); });
  }
  /// An input of integers in [-500, 500], cheap to make: for millions of them.
  Tensor pattern(const Shape& shape) {
    int64_t i = 0;
    return filled(shape, [&] { return static_cast<double>(i++ * 7 % 1001 - 500); });
  }
  /// An input of integers in [0, bound): i32 (labels, indices) or u8 (pixels).
  Tensor integers(const Shape& shape, uint32_t bound, DType dtype = DType::i32) {
    Tensor t(shape, dtype);
    for (int64_t i = 0; i < t.size(); ++i) {
      const uint32_t value = random_.below(next_++, bound);
      if (dtype == DType::u8)
        t.data<uint8_t>()[i] = static_cast<uint8_t>(value);
      else
        t.data<int32_t>()[i] = static_cast<int32_t>(value);
    }
    return guarded(t);
  }
  /// An input of given values.
  Tensor given(const Tensor& values) { return guarded(values); }
  /// An output, poisoned: whatever the operation leaves unwritten compares unequal.
  Tensor output(const Shape& shape) {
    outputs_.push_back(filled(shape, [] { return std::numeric_limits<double>::quiet_NaN(); }));
    return outputs_.back();
  }
  /// An output that is f64 whatever the inputs' precision (norms, moments), poisoned.
  Tensor exact_output(const Shape& shape) {
    Tensor t(shape, DType::f64);
    std::fill_n(t.data<double>(), t.size(), std::numeric_limits<double>::quiet_NaN());
    outputs_.push_back(guarded(t));
    return outputs_.back();
  }
  /// An output of i32, poisoned with a value no operation writes.
  Tensor integer_output(const Shape& shape) {
    Tensor t(shape, DType::i32);
    std::fill_n(t.data<int32_t>(), t.size(), -123456789);
    outputs_.push_back(guarded(t));
    return outputs_.back();
  }
  /// An output that the operation reads too (accumulation, in-place updates): random values.
  Tensor in_out(const Shape& shape) {
    Tensor t = normal(shape);
    outputs_.push_back(t);
    return t;
  }
  /// The same, of given values.
  Tensor in_out_of(const Tensor& values) {
    outputs_.push_back(guarded(values.converted(real_)));
    return outputs_.back();
  }
  /// Poisoned for Write::overwrite, random for Write::accumulate.
  Tensor output(const Shape& shape, Write write) {
    return write == Write::accumulate ? in_out(shape) : output(shape);
  }

  const std::vector<Tensor>& outputs() const { return outputs_; }

  /// Fails the test case if any byte around any tensor changed.
  void check_guards(const std::string& what) const {
    for (const Guarded& g : guarded_) {
      const Tensor storage = g.storage.to(Device::cpu);
      for (int64_t i = 0; i < kGuardBytes; ++i) {
        const bool intact = storage.data<uint8_t>()[i] == kGuard &&
                            storage.data<uint8_t>()[kGuardBytes + g.bytes + i] == kGuard;
        if (!intact) {
          FAIL_CHECK(what << ": wrote outside a tensor, within " << kGuardBytes << " bytes of it");
          return;
        }
      }
    }
  }

 private:
  static constexpr int64_t kGuardBytes = 256;
  static constexpr uint8_t kGuard = 0xFF;  // four of them are NaN: who reads them shows it
  struct Guarded {
    Tensor storage;
    int64_t bytes;
  };

  /// A copy of a tensor on the device, between two guard zones.
  Tensor guarded(const Tensor& values) {
    const int64_t bytes = values.bytes();
    Tensor host({bytes + 2 * kGuardBytes}, DType::u8);
    std::memset(host.raw(), kGuard, static_cast<size_t>(host.size()));
    if (bytes > 0)
      std::memcpy(host.data<uint8_t>() + kGuardBytes, values.raw(), static_cast<size_t>(bytes));
    const Tensor storage = host.to(device_);
    guarded_.push_back({storage, bytes});
    return Tensor::wrap(storage.data<uint8_t>() + kGuardBytes, values.shape(), values.dtype(),
                        device_);
  }
  template <class Next>
  Tensor filled(const Shape& shape, Next next) {
    Tensor t(shape, real_);
    for (int64_t i = 0; i < t.size(); ++i) {
      const float value = static_cast<float>(next());
      if (real_ == DType::f64)
        t.data<double>()[i] = value;
      else
        t.data<float>()[i] = value;
    }
    return guarded(t);
  }

  Philox random_;
  DType real_;
  Device device_;
  uint64_t next_ = 0;
  std::vector<Tensor> outputs_;
  std::vector<Guarded> guarded_;
};

/// The largest difference, as a share of the largest expected magnitude (at least 1e-30).
/// NaN and inf must be where they are expected, and nowhere else.
inline double relative_error(const Tensor& expected, const Tensor& got) {
  double largest = 1e-30;
  double difference = 0;
  const Tensor e = expected.converted(DType::f64);
  const Tensor g = got.converted(DType::f64);
  for (int64_t i = 0; i < e.size(); ++i) {
    const double a = e.data<double>()[i];
    const double b = g.data<double>()[i];
    if (std::isnan(a) && std::isnan(b)) continue;
    if (a == b) {
      if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
      continue;
    }
    if (!std::isfinite(a) || !std::isfinite(b)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(a));
    difference = std::max(difference, std::abs(a - b));
  }
  return difference / largest;
}

/// One way to run a row: where; on simt in which order the threads of a block take turns; on the
/// CPU with which of Highway's instruction sets, 0 being the best one.
struct Execution {
  Device device;
  unsigned schedule = 0;
  int64_t vector_target = 0;
  std::string describe() const {
    if (schedule != 0) return text(name_of(device), " schedule ", schedule);
    if (vector_target != 0) return text(name_of(device), " with ", hwy::TargetName(vector_target));
    return std::string(name_of(device));
  }
};

/// While it lives, vector code is that of an execution, and the emulator keeps to its schedule.
class Executing {
 public:
  explicit Executing(const Execution& execution) {
    simt::set_schedule_seed(execution.schedule);
    hwy::SetSupportedTargetsForTest(execution.vector_target);
  }
  ~Executing() {
    simt::set_schedule_seed(0);
    hwy::SetSupportedTargetsForTest(0);
  }
};

/// All ways to run a row of this device on this machine; none for a GPU that is not there, and none
/// where TOPOGRAD_TEST_DEVICES is set and does not name the device. TOPOGRAD_TEST_ONE_SCHEDULE
/// leaves one schedule, or instruction set, of several. `vectors`: the row is in vector code.
inline std::vector<Execution> executions_on(Device device, bool vectors = false) {
  const char* chosen = std::getenv("TOPOGRAD_TEST_DEVICES");
  if (chosen && std::string_view(chosen).find(name_of(device)) == std::string_view::npos) return {};
  const bool one_schedule = std::getenv("TOPOGRAD_TEST_ONE_SCHEDULE") != nullptr;
  if (device == Device::simt && one_schedule) return {{device, 1}};
  if (device == Device::simt) return {{device, 0}, {device, 1}, {device, 2}};
  if (!is_available(device)) return {};
  if (!vectors || one_schedule) return {{device}};
  std::vector<Execution> executions;
  for (int64_t target : hwy::SupportedAndGeneratedTargets())
    executions.push_back({.device = device, .vector_target = target});
  return executions;
}

/// Whether TOPOGRAD_TEST_SKIP_ROWS, names with commas between, lists a row: tools that watch every
/// access of a kernel are not meant for the libraries' own.
inline bool is_skipped(std::string_view row) {
  const char* list = std::getenv("TOPOGRAD_TEST_SKIP_ROWS");
  return list && text(',', list, ',').find(text(',', row, ',')) != std::string::npos;
}

/// Whether a row of the CPU is one of those in vector code.
inline bool is_in_vector_code(std::string_view row) {
  return row == "highway" || row == "winograd" || row == "direct";
}

/// Calls run(row, execution, context) for every row of Args' table and every way to run it here.
template <class Args, class Run>
void for_each_execution(const Run& run) {
  for (const Implementation<Args>& row : OpRegistry::instance().rows<Args>()) {
    if (is_skipped(row.name)) continue;
    for (const Execution& execution : executions_on(row.device, is_in_vector_code(row.name))) {
      Context context(row.device);
      const Executing executing(execution);
      run(row, execution, context);
    }
  }
}

/// The rows that check_op runs. Cases that only rows of the CPU treat in a way of their own need
/// not wait for the emulator.
enum class Rows { all, cpu };

/// Runs every row of Args' table in f32 (the reference row too) on the arguments that
/// `make(operands)` builds, against the reference in f64. `tolerance` bounds relative_error of
/// every output; derive it in a comment where you call this. A row whose algorithm rounds otherwise
/// has its own in `row_tolerances`. Each row must be exercised by some case: a row that supports
/// none of a test's cases is a row nobody tests.
template <class Args>
void check_op(const std::string& what, const std::function<Args(Operands&)>& make, double tolerance,
              uint64_t seed = 1, const std::map<std::string_view, double>& row_tolerances = {},
              Rows rows = Rows::all) {
  Operands exact(seed, DType::f64);
  const Args exact_args = make(exact);
  {
    Context context;
    context.force_implementation(std::string(Args::kOp), "reference");
    run_op(exact_args, context);
    exact.check_guards(what + " [reference f64]");
  }
  for_each_execution<Args>([&](const Implementation<Args>& row, const Execution& execution,
                               Context& context) {
    if (rows == Rows::cpu && row.device != Device::cpu) return;
    Operands operands(seed, DType::f32, row.device);
    const Args args = make(operands);
    args.check();
    if (!row.supports(args)) return;
    const std::string label = text(what, " [", row.name, " on ", execution.describe(), "]");
    row.run(args, context);
    operands.check_guards(label);
    REQUIRE(operands.outputs().size() == exact.outputs().size());
    const auto special = row_tolerances.find(row.name);
    const double allowed = special == row_tolerances.end() ? tolerance : special->second;
    for (size_t i = 0; i < operands.outputs().size(); ++i) {
      const Tensor got = operands.outputs()[i].to(Device::cpu);
      const Tensor& expected = exact.outputs()[i];
      if (got.dtype() == DType::i32) {
        CHECK_MESSAGE(std::memcmp(got.raw(), expected.raw(), static_cast<size_t>(got.bytes())) == 0,
                      label, ": integer output ", i, " differs");
        continue;
      }
      const double error = relative_error(expected, got);
      CHECK_MESSAGE(error <= allowed, label, ": output ", i, " off by ", error, " (allowed ",
                    allowed, "), seed ", seed);
    }
  });
}

}  // namespace topograd::test
