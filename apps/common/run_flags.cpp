#include "apps/common/run_flags.h"

#include <algorithm>
#include <set>

#include "apps/common/spelling.h"
#include "kernels/core/op.h"
#include "kernels/core/streams.h"

namespace topograd::cli {

namespace {

std::string listed(const std::set<std::string>& words) {
  return enumerated({words.begin(), words.end()});
}

/// Throws Error, listing what there is, unless an operation of this name or family has an
/// implementation of this name on the device: a forced name that fits nothing would change nothing.
void require_implementation(const std::string& operation, const std::string& name, Device device) {
  std::set<std::string> operations, choices;
  for (const ImplementationName& known : OpRegistry::instance().names()) {
    if (known.device != device) continue;
    operations.emplace(known.op);
    if (names_operation(operation, known.op)) choices.emplace(known.name);
  }
  require(!choices.empty(), "--impl ", operation, "=", name, ": no operation is called ", operation,
          "; choose ", listed(operations), ", or what several of them begin with");
  require(choices.contains(name), "--impl ", operation, "=", name, ": ", operation,
          " has no implementation ", name, " on ", name_of(device), "; choose ", listed(choices));
}

}  // namespace

void RunFlags::add_to(Options& options, bool several_processes) {
  options.group("Run")
      .choice("device", device,
              {{"cpu", "cpu"}, {"cuda", "cuda"}, {"simt", "simt"}, {"auto", "auto"}},
              "cpu, cuda (an NVIDIA GPU), simt (the GPU's kernels, emulated), or auto: cuda where "
              "there is one")
      .shown_default("auto")
      .integer("threads", threads, {0, 4096},
               several_processes
                   ? "of the device cpu; 0: one per processor, or its share of them under mpirun"
                   : "of the device cpu; 0: one per processor")
      .repeated("impl", forced, "OP=NAME",
                "force an implementation, as in conv2d=reference; repeatable");
}

Device RunFlags::chosen_device() const {
  if (!device || *device == "auto") return is_available(Device::cuda) ? Device::cuda : Device::cpu;
  const Device chosen = device_named(*device);
  driver_of(chosen);  // throws Error if this build has none
  require(is_available(chosen), "--device ", *device, ": ", why_unavailable(chosen),
          "; --device cpu runs everywhere");
  return chosen;
}

std::unique_ptr<ThreadPool> RunFlags::pool(int all_threads) const {
  const Device where = chosen_device();
  // --threads has no effect with a GPU, but scripts set it for machines without one: no error.
  auto made = std::make_unique<ThreadPool>(
      where == Device::cpu ? (threads == 0 ? all_threads : threads) : 1, where);
  for (const auto& [operation, name] : forced_implementations())
    made->force_implementation(operation, name);
  return made;
}

std::vector<std::pair<std::string, std::string>> RunFlags::forced_implementations() const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& choice : forced) {
    const size_t equals = choice.find('=');
    require(equals != std::string::npos && equals > 0 && equals + 1 < choice.size(), "--impl ",
            choice, ": write it as operation=name, for example conv2d=reference");
    pairs.emplace_back(choice.substr(0, equals), choice.substr(equals + 1));
    require_implementation(pairs.back().first, pairs.back().second, chosen_device());
  }
  return pairs;
}

}  // namespace topograd::cli
