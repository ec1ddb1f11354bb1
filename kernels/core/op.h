// An operation is a struct of arguments and a table of implementations.
//
// An operation's header declares `struct XArgs` with
//   static constexpr std::string_view kOp = "x";   // its name, in --impl and in messages
//   void check() const;                            // throws Error where shapes or types disagree
// and `void x(const XArgs&, Context&)`, which is run_op. Which implementations exist is decided by
// CMake, file by file; which one runs is decided here, at run time.
#pragma once

#include <memory>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "kernels/core/context.h"

namespace topograd {

/// Whether an output is replaced or added to.
enum class Write { overwrite, accumulate };

/// How far rounding may take a result from the exact one.
enum class ErrorBudget {
  tight,   ///< as far as a sum of products in the operands' precision: evaluation, curvature
  relaxed  ///< several times as far, for speed: training, whose gradients are noisy, and surfaces
};

/// How precisely the products of a matrix product or convolution are formed, at least; an
/// implementation may do better. Their sums are in f32 at least.
enum class Precision {
  f32,     ///< operands as they are
  tf32,    ///< 11 bits: what NVIDIA's tensor cores keep of an f32; bf16x3 where there are none
  bf16x3,  ///< each operand as the sum of two bf16 numbers, three products: about 16 bits
  bf16     ///< operands rounded to bf16: 8 bits
};

/// Returns the precision of this name: "f32", "tf32", "bf16x3" or "bf16". Throws Error that lists
/// them for any other.
Precision precision_named(std::string_view name);
std::string_view name_of(Precision precision);

template <class Args>
struct Implementation {
  std::string_view name;               ///< "reference", "onednn", "highway", ...
  Device device;                       ///< where it runs
  bool (*supports)(const Args&);       ///< whether it can run these arguments, on this processor
  void (*run)(const Args&, Context&);  ///< may assume that args.check() passed
};

/// Name of an implementation without its arguments' type, for lists of what there is.
struct ImplementationName {
  std::string_view op;
  std::string_view name;
  Device device;
};

/// All devices, and all implementations of all operations, fast ones first: the first that supports
/// its arguments runs.
class OpRegistry {
 public:
  /// Returns the tables of this build, made once and never changed afterwards.
  static const OpRegistry& instance();

  /// Adds an implementation in front of those already there; a "reference" goes to the end.
  template <class Args>
  void add(const Implementation<Args>& implementation) {
    std::shared_ptr<void>& slot = tables_[std::type_index(typeid(Args))];
    if (!slot) slot = std::make_shared<std::vector<Implementation<Args>>>();
    auto& all = *static_cast<std::vector<Implementation<Args>>*>(slot.get());
    all.insert(implementation.name == "reference" ? all.end() : all.begin(), implementation);
    names_.push_back({Args::kOp, implementation.name, implementation.device});
  }
  /// Returns the names of all implementations of all operations, in no order.
  const std::vector<ImplementationName>& names() const { return names_; }

  void add_device(const DeviceDriver& driver) { drivers_.push_back(driver); }
  /// Returns the driver of a device; null where this build has none.
  const DeviceDriver* driver(Device device) const {
    for (const DeviceDriver& driver : drivers_)
      if (driver.device == device) return &driver;
    return nullptr;
  }

  /// Returns all implementations of the operation of Args, in the order in which they are
  /// considered. Throws Error if this build has none.
  template <class Args>
  const std::vector<Implementation<Args>>& implementations() const {
    const auto found = tables_.find(std::type_index(typeid(Args)));
    require(found != tables_.end(), Args::kOp, ": this build has no implementation");
    return *static_cast<const std::vector<Implementation<Args>>*>(found->second.get());
  }

 private:
  std::unordered_map<std::type_index, std::shared_ptr<void>> tables_;
  std::vector<DeviceDriver> drivers_;
  std::vector<ImplementationName> names_;
};

/// Returns the implementation that would run: the forced one where the context forces one, else the
/// first that supports the arguments.
template <class Args>
const Implementation<Args>& choose_implementation(const Args& args, const Context& context) {
  const std::string_view forced = context.forced_implementation(Args::kOp);
  const Implementation<Args>* first_fit = nullptr;
  for (const auto& implementation : OpRegistry::instance().implementations<Args>()) {
    if (implementation.device != context.device() || !implementation.supports(args)) continue;
    if (!forced.empty() && implementation.name == forced) return implementation;
    if (!first_fit) first_fit = &implementation;
  }
  require(first_fit != nullptr, Args::kOp, ": no implementation on ", name_of(context.device()),
          " for these arguments");
  return *first_fit;
}

/// Checks the arguments, chooses an implementation and runs it.
template <class Args>
void run_op(const Args& args, Context& context) {
  args.check();
  choose_implementation(args, context).run(args, context);
}

/// A supports() that accepts everything.
template <class Args>
bool supports_all(const Args&) {
  return true;
}

}  // namespace topograd
