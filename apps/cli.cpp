#include "apps/cli.h"

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "apps/version.h"
#include "kernels/core/check.h"

namespace topograd::cli {

namespace {

volatile std::sig_atomic_t interruptions = 0;

void note_interruption(int signal) {
  interruptions = interruptions + 1;
  if (interruptions > 1) _exit(128 + signal);
}

}  // namespace

int run_program(const std::string& name, const std::function<int()>& body) {
  try {
    return body();
  } catch (const cxxopts::exceptions::exception& error) {
    std::cerr << name << ": " << error.what() << "; see " << name << " --help\n";
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << name << ": out of memory; a smaller --batch-size needs less\n";
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
  }
  return 1;
}

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

void catch_interruption() {
  std::signal(SIGINT, note_interruption);
  std::signal(SIGTERM, note_interruption);
}

bool interrupted() {
  return interruptions > 0;
}

std::string version() {
  return kVersion;
}

int64_t checked(const std::string& option, int64_t value, int64_t low, int64_t high) {
  require(value >= low && value <= high, "--", option, " ", value, " is out of range: choose ", low,
          " to ", high);
  return value;
}

double checked_real(const std::string& option, double value, double low, double high) {
  require(value >= low && value <= high, "--", option, " ", value, " is out of range: choose ", low,
          " to ", high);
  return value;
}

std::vector<double> numbers(const std::string& option, const std::string& list) {
  std::vector<double> result;
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) {
    size_t used = 0;
    double value = 0;
    try {
      value = std::stod(item, &used);
    } catch (const std::exception&) {
      used = std::string::npos;
    }
    require(used == item.size() && std::isfinite(value), "--", option, ": '", item,
            "' is not a number; write them with commas between, as in 15,22");
    result.push_back(value);
  }
  return result;
}

void force_implementations(const cxxopts::ParseResult& flags, ThreadPool& pool) {
  if (flags.count("impl") == 0) return;
  for (const std::string& choice : flags["impl"].as<std::vector<std::string>>()) {
    const size_t equals = choice.find('=');
    require(equals != std::string::npos && equals > 0 && equals + 1 < choice.size(), "--impl ",
            choice, ": write it as operation=name, for example conv2d=reference");
    pool.force_implementation(choice.substr(0, equals), choice.substr(equals + 1));
  }
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  require(!error, "cannot create the folder ", path, ": ", error.message());
  require(std::filesystem::is_directory(path), path, " is not a folder");
  require(::access(path.c_str(), W_OK) == 0, "cannot write into the folder ", path,
          ": permission denied");
}

}  // namespace topograd::cli
