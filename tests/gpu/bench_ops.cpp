// Times every implementation of every operation on a device, at the sizes of real networks, and
// whole passes; prints them and writes them as JSON. tests/gpu/run.sh puts them beside the
// ceilings.
//   bench_ops [--device cuda|simt|cpu] [--quick] [--output FILE] [--only PART]...
#include "tests/gpu/bench.h"

using namespace topograd;
using namespace topograd::bench;

namespace {

struct Part {
  std::string_view name;
  void (*run)(Bench& bench);
};
constexpr Part kParts[] = {{"ceilings", bench_ceilings},
                           {"networks", bench_networks},
                           {"streams", bench_streams},
                           {"layers", bench_layers}};

constexpr const char* kUsage =
    "usage: bench_ops [--device cuda|simt|cpu] [--quick] [--output FILE] "
    "[--only ceilings|networks|streams|layers]...";

int run(const std::vector<std::string>& words) {
  Options options{.device = is_available(Device::cuda) ? Device::cuda : Device::cpu};
  std::vector<std::string> only;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto value = [&] {
      require(i + 1 < words.size(), words[i], " needs a value; ", kUsage);
      return words[++i];
    };
    if (words[i] == "--device") {
      options.device = device_named(value());
    } else if (words[i] == "--quick") {
      options.quick = true;
    } else if (words[i] == "--output") {
      options.output = value();
    } else if (words[i] == "--only") {
      only.push_back(value());
    } else {
      fail("unknown flag ", words[i], "; ", kUsage);
    }
  }
  require(is_available(options.device), "no device ", name_of(options.device), " is here");
  Bench bench(options);
  for (const Part& part : kParts)
    if (only.empty() || std::find(only.begin(), only.end(), part.name) != only.end())
      part.run(bench);
  return bench.failures() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "bench_ops: " << error.what() << '\n';
    return 1;
  }
}
