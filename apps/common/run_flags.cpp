#include "apps/common/run_flags.h"

namespace topograd::cli {

void RunFlags::add_to(Options& options) {
  options.group("Run")
      .choice("device", device,
              {{"cpu", "cpu"}, {"cuda", "cuda"}, {"simt", "simt"}, {"auto", "auto"}},
              "cpu, cuda (an NVIDIA GPU), simt (the GPU's kernels, emulated), or auto: cuda where "
              "there "
              "is one")
      .shown_default("auto")
      .integer("threads", threads, {0, 4096}, "of the device cpu; 0: one per processor")
      .repeated("impl", forced, "OP=NAME",
                "force an implementation, as in conv2d=reference; repeatable");
}

Device RunFlags::chosen_device() const {
  if (!device || *device == "auto") return is_available(Device::cuda) ? Device::cuda : Device::cpu;
  const Device chosen = device_named(*device);
  driver_of(chosen);  // an Error where this build has none
  require(is_available(chosen), "--device ", *device,
          ": no GPU that works is here; --device cpu runs everywhere");
  return chosen;
}

std::unique_ptr<ThreadPool> RunFlags::pool(int all_threads) const {
  const Device where = chosen_device();
  // A GPU's program sets --threads for the machines without one: not worth an error.
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
  }
  return pairs;
}

void add_loss_option(Options& options, LossKind& loss) {
  options.group("Data").choice("loss,l,loss-name", loss,
                               {{"cross_entropy", LossKind::cross_entropy},
                                {"mse", LossKind::mse},
                                {"crossentropy", LossKind::cross_entropy}},
                               "cross_entropy or mse");
}

}  // namespace topograd::cli
