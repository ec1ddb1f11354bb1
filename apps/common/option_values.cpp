// How options' values are read, and how words are written for a shell.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "apps/common/options.h"
#include "apps/common/spelling.h"
#include "kernels/core/streams.h"

namespace topograd::cli {

namespace {

/// Reads all of `word` as a number; false for anything else, and for a number that T cannot hold.
template <class T>
bool read_number(const std::string& word, T& value) {
  const bool has_plus = word.size() > 1 && word[0] == '+' && word[1] != '-';
  const char *begin = word.data() + (has_plus ? 1 : 0), *end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(begin, end, value);
  return error == std::errc{} && stopped == end;
}

}  // namespace

std::string Options::number_text(double value) {
  char buffer[64];
  const bool is_usual = value == 0 || (std::abs(value) >= 1e-4 && std::abs(value) < 1e6);
  const auto written =
      std::to_chars(buffer, buffer + sizeof buffer, value,
                    is_usual ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, written.ptr);
  // 1e-08 and 1e+06 as one types them.
  if (const size_t e = text.find('e'); e != text.npos) {
    const std::string sign = text[e + 1] == '-' ? "-" : "";
    const size_t digits = text.find_first_not_of("+-0", e + 1);
    text = text.substr(0, e + 1) + sign + text.substr(digits);
  }
  return text;
}

int64_t Options::whole_number(const std::string& option, const std::string& word,
                              Range<int64_t> range) {
  int64_t value = 0;
  require(read_number(word, value), "--", option, " '", word, "' is not a whole number: choose ",
          range.low, " to ", range.high);
  require(value >= range.low && value <= range.high, "--", option, " ", value,
          " is out of range: choose ", range.low, " to ", range.high);
  return value;
}

double Options::finite_number(const std::string& option, const std::string& word,
                              Range<double> range) {
  double value = 0;
  require(read_number(word, value) && std::isfinite(value), "--", option, " '", word,
          "' is not a number: choose ", number_text(range.low), " to ", number_text(range.high));
  require(value >= range.low && value <= range.high, "--", option, " ", word,
          " is out of range: choose ", number_text(range.low), " to ", number_text(range.high));
  return value;
}

uint64_t Options::seed_number(const std::string& option, const std::string& word) {
  uint64_t value = 0;
  require(read_number(word, value), "--", option, " '", word,
          "' is no seed: choose a whole number from 0 to ", UINT64_MAX);
  return value;
}

std::vector<std::string> Options::split(const std::string& list) {
  std::vector<std::string> result;
  TextReader in(list);
  for (std::string item; std::getline(in, item, ',');) result.push_back(item);
  return result;
}

std::vector<std::string> Options::listed_files(const std::string& list) {
  const std::vector<std::string> words = split(list);
  std::vector<std::string> files;
  for (size_t first = 0; first < words.size();) {
    size_t count = 1;
    std::string name = words[first], longer = name;
    for (size_t next = first + 1; next < words.size(); ++next) {
      longer += "," + words[next];
      std::error_code unknown;  // a name too long for any file
      if (!std::filesystem::exists(longer, unknown)) continue;
      name = longer;
      count = next + 1 - first;
    }
    files.push_back(name);
    first += count;
  }
  return files;
}

std::vector<double> Options::numbers(const std::string& option, const std::string& list) {
  std::vector<double> result;
  for (const std::string& item : split(list)) {
    double value = 0;
    require(read_number(item, value) && std::isfinite(value), "--", option, ": '", item,
            "' is not a number; write them with commas between, as in 15,22");
    result.push_back(value);
  }
  return result;
}

void Options::refuse_choice(const std::string& option, const std::string& word,
                            const std::vector<std::string>& choices) {
  fail("--", option, " ", word, ": choose ", enumerated(choices));
}

std::string Options::joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ",") + word;
  return all;
}

std::string Options::joined(const std::optional<std::vector<std::string>>& words) {
  return words ? joined(*words) : std::string();
}

std::string shell_quoted(const std::vector<std::string>& words) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:.,/@%";
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  bool in_word = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ') {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (line[i] == '\'') {
      const size_t end = line.find('\'', i + 1);
      require(end != line.npos, "a quote in this command has no end: ", line);
      words.back() += line.substr(i + 1, end - i - 1);
      i = end;
    } else {
      if (line[i] == '\\' && i + 1 < line.size()) ++i;
      words.back() += line[i];
    }
  }
  return words;
}

}  // namespace topograd::cli
