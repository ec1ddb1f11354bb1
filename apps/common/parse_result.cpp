#include "apps/common/parse_result.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kernels/core/check.h"

namespace topograd::cli {

namespace {

/// All of `text` as a number; false for anything else, and for a number that T cannot hold.
template <class T>
bool read_number(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stopped == end;
}

}  // namespace

Arguments::Arguments(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    std::string word = argv[i];
    command_ += (i ? " " : "") + word;
    if (word.starts_with("--"))
      for (size_t k = 2; k < word.size() && word[k] != '='; ++k)
        if (word[k] == '_') word[k] = '-';
    // cxxopts knows no long flags of one letter; the axes are called --x and --y everywhere.
    if (word.starts_with("--") && word.size() >= 3 && (word.size() == 3 || word[3] == '='))
      word.insert(3, "-axis");
    words_.push_back(std::move(word));
  }
  for (std::string& word : words_) pointers_.push_back(word.data());
}

std::string text_of(const cxxopts::ParseResult& flags, const std::string& option,
                    const std::string& fallback) {
  return flags.count(option) ? flags[option].as<std::string>() : fallback;
}

int64_t whole(const cxxopts::ParseResult& flags, const std::string& option, int64_t low,
              int64_t high) {
  const std::string& word = flags[option].as<std::string>();
  int64_t value = 0;
  require(read_number(word, value), "--", option, " '", word, "' is not a whole number: choose ",
          low, " to ", high);
  require(value >= low && value <= high, "--", option, " ", value, " is out of range: choose ", low,
          " to ", high);
  return value;
}

double real(const cxxopts::ParseResult& flags, const std::string& option, double low, double high) {
  const std::string& word = flags[option].as<std::string>();
  double value = 0;
  require(read_number(word, value) && std::isfinite(value), "--", option, " '", word,
          "' is not a number: choose ", low, " to ", high);
  require(value >= low && value <= high, "--", option, " ", word, " is out of range: choose ", low,
          " to ", high);
  return value;
}

uint64_t seed(const cxxopts::ParseResult& flags, const std::string& option) {
  const std::string& word = flags[option].as<std::string>();
  uint64_t value = 0;
  require(read_number(word, value), "--", option, " '", word,
          "' is no seed: choose a whole number from 0 to ", UINT64_MAX);
  return value;
}

namespace {

LossKind any_loss_named(const std::string& name) {
  return name == "crossentropy" ? LossKind::cross_entropy : loss_named(name);
}

}  // namespace

LossKind loss(const cxxopts::ParseResult& flags) {
  return any_loss_named(flags["loss"].as<std::string>());
}

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> result;
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) result.push_back(item);
  return result;
}

Device device(const cxxopts::ParseResult& flags) {
  const std::string& name = flags["device"].as<std::string>();
  if (name == "auto") return is_available(Device::cuda) ? Device::cuda : Device::cpu;
  require(name == "cpu" || name == "cuda" || name == "simt", "--device ", name,
          ": choose cpu, cuda, simt or auto");
  const Device device = device_named(name);
  driver_of(device);  // an Error where this build has none
  require(is_available(device), "--device ", name,
          ": no GPU that works is here; --device cpu runs everywhere");
  return device;
}

ThreadPool pool(const cxxopts::ParseResult& flags, int all_threads) {
  int64_t threads = whole(flags, "threads", 0, 4096);
  if (threads == 0) threads = all_threads;
  const Device where = device(flags);
  // A GPU's program sets --threads for the machines without one: not worth an error.
  return ThreadPool(where == Device::cpu ? static_cast<int>(threads) : 1, where);
}

std::vector<std::pair<std::string, std::string>> forced_implementations(
    const cxxopts::ParseResult& flags) {
  std::vector<std::pair<std::string, std::string>> forced;
  if (flags.count("impl") == 0) return forced;
  for (const std::string& choice : flags["impl"].as<std::vector<std::string>>()) {
    const size_t equals = choice.find('=');
    require(equals != std::string::npos && equals > 0 && equals + 1 < choice.size(), "--impl ",
            choice, ": write it as operation=name, for example conv2d=reference");
    forced.emplace_back(choice.substr(0, equals), choice.substr(equals + 1));
  }
  return forced;
}

void force_implementations(const cxxopts::ParseResult& flags, ThreadPool& pool) {
  for (const auto& [operation, name] : forced_implementations(flags))
    pool.force_implementation(operation, name);
}

}  // namespace topograd::cli
