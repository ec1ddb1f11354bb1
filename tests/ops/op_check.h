// One harness for every operation: each of its implementations against the reference in double
// precision, on the same inputs, with outputs poisoned by NaN and a guard zone around every tensor.
// Implementations on the devices simt and cuda, too: on simt under several schedules. Vector code
// runs with every instruction set that this processor has.
#pragma once

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "kernels/core/format.h"
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

/// How far a tensor is from what was expected, and where it is furthest.
struct Disagreement {
  double error = 0;    ///< largest difference, as a share of `scale`; infinite: see below
  double scale = 0;    ///< largest expected magnitude, at least 1e-30
  int64_t index = -1;  ///< flat index of the element that is furthest off; -1: none is off
  double got = 0, expected = 0;
};

/// A copy in double of a tensor of f32, f64 or i32 on any device.
inline Tensor in_double(const Tensor& t) {
  if (t.dtype() != DType::i32) return t.converted(DType::f64);
  const Tensor here = t.to(Device::cpu), result(t.shape(), DType::f64);
  std::copy_n(here.data<int32_t>(), here.size(), result.data<double>());
  return result;
}

/// Compares two tensors of one shape, element by element. NaN and infinities must be where they are
/// expected, and nowhere else: the error is infinite otherwise.
inline Disagreement disagreement(const Tensor& expected, const Tensor& got) {
  REQUIRE(expected.shape() == got.shape());
  Disagreement worst{.scale = 1e-30};
  double difference = 0;
  const Tensor e = in_double(expected), g = in_double(got);
  for (int64_t i = 0; i < e.size(); ++i) {
    const double a = e.data<double>()[i];
    const double b = g.data<double>()[i];
    if (std::isfinite(a)) worst.scale = std::max(worst.scale, std::abs(a));
    if ((std::isnan(a) && std::isnan(b)) || a == b || std::isinf(difference)) continue;
    const double off = std::isfinite(a) && std::isfinite(b)
                           ? std::abs(a - b)
                           : std::numeric_limits<double>::infinity();
    if (off <= difference) continue;
    difference = off;
    worst.index = i;
    worst.got = b;
    worst.expected = a;
  }
  worst.error = difference / worst.scale;
  return worst;
}

/// The largest difference, as a share of the largest expected magnitude; infinite where NaN and
/// infinities are not where they are expected.
inline double relative_error(const Tensor& expected, const Tensor& got) {
  return disagreement(expected, got).error;
}

/// "[2, 0, 13]": the place of an element in a tensor of this shape.
inline std::string place_of(int64_t index, const Shape& shape) {
  std::string place;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    place = text(index % shape[axis], place.empty() ? "" : ", ", place);
    index /= shape[axis];
  }
  return text('[', place, ']');
}

/// One way to run an implementation: where; on simt in which order the threads of a block take
/// turns; on the CPU with which of Highway's instruction sets, 0 being the best one.
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

/// All ways to run an implementation of this device on this machine; none for a GPU that is not
/// there, and none where TOPOGRAD_TEST_DEVICES is set and does not name the device.
/// TOPOGRAD_TEST_ONE_SCHEDULE leaves one schedule, or instruction set, of several. `vectors`: it is
/// in vector code.
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

/// Whether TOPOGRAD_TEST_SKIP_IMPLEMENTATIONS, names with commas between, lists this one: tools
/// that watch every access of a kernel are not meant for the libraries' own.
inline bool is_skipped(std::string_view implementation) {
  const char* list = std::getenv("TOPOGRAD_TEST_SKIP_IMPLEMENTATIONS");
  return list && text(',', list, ',').find(text(',', implementation, ',')) != std::string::npos;
}

/// Whether an implementation of the CPU is in vector code.
inline bool is_in_vector_code(std::string_view implementation) {
  return implementation == "highway" || implementation == "winograd" ||
         implementation == "direct" || implementation == "groups";
}

/// Calls run(implementation, execution, context) for every implementation of Args' operation and
/// every way to run it here.
template <class Args, class Run>
void for_each_execution(const Run& run) {
  for (const Implementation<Args>& implementation :
       OpRegistry::instance().implementations<Args>()) {
    if (is_skipped(implementation.name)) continue;
    for (const Execution& execution :
         executions_on(implementation.device, is_in_vector_code(implementation.name))) {
      Context context(implementation.device);
      const Executing executing(execution);
      run(implementation, execution, context);
    }
  }
}

/// Which implementations check_op runs. Cases that only the CPU's treat in a way of their own need
/// not wait for the emulator.
enum class Implementations { all, cpu };

/// What is wrong with one output of an implementation, in one line: which element, what it is and
/// what it should be. Empty where it is within `allowed` (a share of the largest expected
/// magnitude); integers must be equal.
inline std::string complaint_about(const Tensor& expected, const Tensor& got, double allowed) {
  const bool integers = got.dtype() == DType::i32;
  const Disagreement worst = disagreement(expected, got);
  if (integers ? worst.error == 0 : worst.error <= allowed) return {};
  const int digits = integers ? 10 : 9;
  std::string line =
      text(place_of(std::max<int64_t>(worst.index, 0), got.shape()), " of ", got.shape(), " is ",
           std::isnan(worst.got) ? "NaN" : significant(worst.got, digits), ", expected ",
           std::isnan(worst.expected) ? "NaN" : significant(worst.expected, digits));
  if (!integers)
    line += text(": off by ", significant(worst.error), " of the largest expected magnitude ",
                 significant(worst.scale), ", allowed ", significant(allowed));
  return line;
}

/// Runs every implementation of Args' operation in f32 (the reference too) on the arguments that
/// `make(operands)` builds, against the reference in f64. `tolerance` bounds relative_error of
/// every output; derive it in a comment where you call this. An implementation whose algorithm
/// rounds otherwise has its own in `tolerances_by_name`. Each must be exercised by some case: what
/// supports none of a test's cases is tested by nobody. A failure names operation, implementation,
/// device and schedule, the element that is furthest off, and which others ran and agreed.
template <class Args>
void check_op(const std::string& what, const std::function<Args(Operands&)>& make, double tolerance,
              uint64_t seed = 1, const std::map<std::string_view, double>& tolerances_by_name = {},
              Implementations which = Implementations::all) {
  Operands exact(seed, DType::f64);
  const Args exact_args = make(exact);
  {
    Context context;
    context.force_implementation(std::string(Args::kOp), "reference");
    run_op(exact_args, context);
    exact.check_guards(what + " [reference f64]");
  }
  std::vector<std::string> complaints;
  std::string agreed, unsupported;
  for_each_execution<Args>([&](const Implementation<Args>& implementation,
                               const Execution& execution, Context& context) {
    if (which == Implementations::cpu && implementation.device != Device::cpu) return;
    Operands operands(seed, DType::f32, implementation.device);
    const Args args = make(operands);
    args.check();
    const std::string who = text(implementation.name, " on ", execution.describe());
    if (!implementation.supports(args)) {
      const std::string where = text(implementation.name, " on ", name_of(implementation.device));
      if (!unsupported.ends_with(where))
        unsupported += text(unsupported.empty() ? "" : ", ", where);
      return;
    }
    const std::string label = text(Args::kOp, " [", who, "], ", what, ", seed ", seed);
    INFO(label);  // which one, should it throw
    implementation.run(args, context);
    operands.check_guards(label);
    REQUIRE(operands.outputs().size() == exact.outputs().size());
    const auto special = tolerances_by_name.find(implementation.name);
    const double allowed = special == tolerances_by_name.end() ? tolerance : special->second;
    bool good = true;
    for (size_t i = 0; i < operands.outputs().size(); ++i) {
      const Tensor got = operands.outputs()[i].to(Device::cpu);
      const std::string complaint = complaint_about(exact.outputs()[i], got, allowed);
      if (!complaint.empty()) complaints.push_back(text(label, ": output ", i, " at ", complaint));
      good = good && complaint.empty();
    }
    if (good) agreed += text(agreed.empty() ? "" : ", ", who);
  });
  if (agreed.empty()) agreed = "none";
  if (unsupported.empty()) unsupported = "none";
  CHECK(complaints.empty());
  for (const std::string& complaint : complaints)
    FAIL_CHECK(complaint, ". Agreed: ", agreed, ". Do not support it: ", unsupported);
}

}  // namespace topograd::test
