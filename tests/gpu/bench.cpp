#include "tests/gpu/bench.h"

#include <chrono>
#include <cstdio>

#include "kernels/core/atomic_file.h"
#include "kernels/core/philox.h"
#include "kernels/core/recording.h"

namespace topograd::bench {

namespace {

using Clock = std::chrono::steady_clock;

/// Long beside what the clock and the last wait cost (some 10 microseconds on a GPU).
constexpr double kSampleSeconds = 8e-3;
constexpr int kSamples = 5;
constexpr double kLongSeconds = 0.2;  // a call that long varies little, and one sample has to do

constexpr int64_t kBlock = int64_t{1} << 20;

/// Up to kBlock values on the device; `value(random, i)` is element i.
template <class T, class Value>
Tensor block_of(int64_t size, Device device, const Value& value) {
  const Tensor block({std::min(size, kBlock)}, dtype_of<T>());
  const Philox random(1, RandomStream::test);
  for (int64_t i = 0; i < block.size(); ++i)
    block.data<T>()[i] = static_cast<T>(value(random, static_cast<uint64_t>(i)));
  return block.to(device);
}

}  // namespace

Timing time_work(const Options& options, Context& context, const std::function<void()>& work,
                 bool recorded) {
  Recording recording;
  const auto seconds_of = [&](int64_t calls) {
    synchronise(options.device);
    const auto start = Clock::now();
    for (int64_t i = 0; i < calls; ++i) recorded ? recording.run(context, work) : work();
    synchronise(options.device);
    return std::chrono::duration<double>(Clock::now() - start).count() / static_cast<double>(calls);
  };
  if (!options.quick) seconds_of(2);  // libraries choose algorithms; then it is recorded
  const double once = seconds_of(1);
  if (options.quick) return {once, once, once};
  const auto calls = static_cast<int64_t>(std::clamp(kSampleSeconds / once, 1.0, 10'000.0));
  std::vector<double> seconds;
  const int samples = once > kLongSeconds ? 1 : kSamples;
  for (int i = 0; i < samples; ++i) seconds.push_back(seconds_of(calls));
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

bool Bench::takes_long(const std::function<void()>& call) const {
  constexpr double kLongCallSeconds = 5e-3;
  if (options_.quick) return false;  // there is one set of operands anyhow
  call();
  synchronise(options_.device);
  const auto start = Clock::now();
  call();
  synchronise(options_.device);
  return std::chrono::duration<double>(Clock::now() - start).count() > kLongCallSeconds;
}

RandomBlocks::RandomBlocks(Device device)
    : normal(block_of<float>(kBlock, device,
                             [](const Philox& random, uint64_t i) { return random.normal(i); })),
      positive(block_of<float>(kBlock, device, [](const Philox& random, uint64_t i) {
        return 0.5 + random.uniform(i);
      })) {}

Tensor Inputs::repeated(const Tensor& block, const Shape& shape) {
  const Tensor t(shape, block.dtype(), block.device());
  for (int64_t begin = 0; begin < t.size(); begin += block.size()) {
    const int64_t n = std::min(block.size(), t.size() - begin);
    t.slice(begin, {n}).copy_from(block.slice(0, {n}));
  }
  return t;
}

Tensor Inputs::integers(const Shape& shape, uint32_t bound, DType dtype) {
  const auto value = [&](const Philox& random, uint64_t i) { return random.below(i, bound); };
  return counted(repeated(dtype == DType::u8 ? block_of<uint8_t>(shape.size(), device(), value)
                                             : block_of<int32_t>(shape.size(), device(), value),
                          shape));
}

void Bench::add(const Work& work, std::string_view op, std::string_view implementation,
                const Timing& timing, double bytes, double images) {
  nlohmann::ordered_json figure{{"group", work.group},
                                {"op", op},
                                {"implementation", implementation},
                                {"case", work.what},
                                {"us", 1e6 * timing.median},
                                {"us_fastest", 1e6 * timing.fastest},
                                {"us_slowest", 1e6 * timing.slowest}};
  std::printf("%-28s %-17s %-46s %12.1f us", std::string(op).c_str(),
              std::string(implementation).c_str(), work.what.c_str(), 1e6 * timing.median);
  const auto rate = [&](const char* unit, double amount) {
    if (amount <= 0) return;
    figure[unit] = amount / timing.median;
    std::printf("  %9.2f %s", amount / timing.median, unit);
  };
  rate("TFLOP/s", 1e-12 * work.flop);
  rate("GB/s", 1e-9 * bytes);
  rate("images/s", images);
  std::printf("\n");
  std::fflush(stdout);
  figures_.push_back(figure);
  save();
}

void Bench::add_failure(const Work& work, std::string_view op, std::string_view implementation,
                        const std::string& message) {
  ++failures_;
  std::cerr << "FAILED: " << op << " [" << implementation << "] " << work.what << ": " << message
            << '\n';
  figures_.push_back({{"group", work.group},
                      {"op", op},
                      {"implementation", implementation},
                      {"case", work.what},
                      {"failure", message}});
  save();
}

void Bench::save() const {
  if (!options_.output.empty()) write_file_atomically(options_.output, figures_.dump(1) + "\n");
}

}  // namespace topograd::bench
