#include "apps/common/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <sstream>

// cxxopts' own parser: <regex> costs ten seconds of compiling with the sanitizers.
#define CXXOPTS_NO_REGEX
#include <cxxopts.hpp>

namespace topograd::cli {

namespace {

constexpr size_t kHelpWidth = 100;
constexpr size_t kHelpColumn = 30;  // where descriptions begin

/// All of `word` as a number; false for anything else, and for a number that T cannot hold.
template <class T>
bool read_number(const std::string& word, T& value) {
  const char* end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, value);
  return error == std::errc{} && stopped == end;
}

std::string enumerated(const std::vector<std::string>& words) {
  std::string all;
  for (size_t i = 0; i < words.size(); ++i)
    all += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return all;
}

/// cxxopts knows no long options of one letter: --x is x-axis to it.
std::string known_to_parser(const std::string& name, bool is_first) {
  return name.size() == 1 && is_first ? name + "-axis" : name;
}

/// A paragraph in lines of at most `width` characters, all but the first behind `indent` blanks.
std::string wrapped(const std::string& words, size_t indent, size_t width) {
  std::istringstream in(words);
  std::string result, line;
  for (std::string word; in >> word;) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > width) {
      result += line + '\n' + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + line;
}

std::string left_side(const OptionEntry& entry) {
  std::string letter, names;
  for (const std::string& name : entry.names)
    if (name.size() == 1 && name != entry.names.front()) letter = "-" + name + ", ";
  if (letter.empty()) letter = "    ";
  names = "--" + entry.names.front();
  if (!entry.value.empty()) names += " " + entry.value;
  return "  " + letter + names;
}

}  // namespace

Options::Options(std::string program) : program_(std::move(program)) {}
Options::~Options() = default;

Options& Options::about(std::string text) {
  about_ = std::move(text);
  return *this;
}

Options& Options::group(std::string title) {
  group_ = std::move(title);
  return *this;
}

Options& Options::add(const std::string& names, ValueKind kind, const std::string& value,
                      const std::string& help, const std::string& default_text, Setter set) {
  OptionEntry entry{group_, split(names), kind, value, {}, help, default_text};
  for (const std::string& name : entry.names) {
    require(!by_name_.contains(name), "the option --", name, " is declared twice");
    by_name_[name] = entries_.size();
  }
  entries_.push_back(std::move(entry));
  setters_.push_back(std::move(set));
  hidden_.push_back(false);
  return *this;
}

OptionEntry& Options::last() {
  return entries_.back();
}

Options& Options::with_choices(const std::vector<std::string>& words) {
  last().choices = words;
  last().value = "";
  for (const std::string& word : words) last().value += (last().value.empty() ? "" : "|") + word;
  if (last().value.size() > 24) last().value = "NAME";
  return *this;
}

Options& Options::flag(const std::string& names, bool& target, const std::string& help) {
  return add(names, ValueKind::none, "", help, "",
             [&target](const std::string&, const std::string&) { target = true; });
}

Options& Options::value(const std::string& names, const std::string& value, const std::string& help,
                        const std::string& default_text, Setter set) {
  return add(names, ValueKind::text, value, help, default_text, std::move(set));
}

Options& Options::repeated(const std::string& names, std::vector<std::string>& target,
                           const std::string& value, const std::string& help) {
  return add(names, ValueKind::text, value, help, "",
             [&target](const std::string&, const std::string& word) { target.push_back(word); });
}

Options& Options::implicitly(const std::string& word) {
  implicit_[entries_.size() - 1] = word;
  last().value = "[=" + last().value + "]";
  return *this;
}

Options& Options::shown_default(const std::string& text) {
  last().default_text = text;
  return *this;
}

Options& Options::hidden() {
  hidden_.back() = true;
  return *this;
}

Options& Options::positional(const std::string& value, std::optional<std::string>& target) {
  positional_values_.push_back("[" + value + "]");
  positionals_.push_back([&target](const std::string&, const std::string& word) { target = word; });
  return *this;
}

Options& Options::positional(const std::string& value, std::string& target) {
  positional_values_.push_back(value);
  positionals_.push_back([&target](const std::string&, const std::string& word) { target = word; });
  return *this;
}

Options& Options::positionals(const std::string& value, std::vector<std::string>& target) {
  positional_values_.push_back(value + "...");
  rest_ = &target;
  return *this;
}

Options& Options::usage(const std::string& arguments) {
  usage_ = arguments;
  return *this;
}

Options& Options::epilogue(const std::string& text) {
  epilogue_ = text;
  return *this;
}

Options& Options::exclude(const std::string& first, const std::string& second,
                          const std::string& why) {
  exclusions_.push_back({first, second, why});
  return *this;
}

void Options::take_positional(const std::string& word) {
  if (positionals_taken_ < positionals_.size()) {
    positionals_[positionals_taken_++]("", word);
  } else if (rest_ != nullptr) {
    rest_->push_back(word);
  } else {
    throw UsageError(topograd::text("'", word, "' is not a flag; see ", program_, " --help"));
  }
}

void Options::parse(const std::vector<std::string>& words) {
  cxxopts::Options parser(program_);
  auto add = parser.add_options();
  for (size_t i = 0; i < entries_.size(); ++i) {
    const OptionEntry& entry = entries_[i];
    std::string names;
    for (size_t k = 0; k < entry.names.size(); ++k)
      names += (k == 0 ? "" : ",") + known_to_parser(entry.names[k], k == 0);
    const auto value = cxxopts::value<std::string>();
    if (entry.kind == ValueKind::none)
      add(names, "");
    else if (implicit_.contains(i))
      add(names, "", value->implicit_value(implicit_.at(i)));
    else
      add(names, "", value);
  }
  // Every word without a hyphen comes under this name, whole.
  add("positional-words", "", cxxopts::value<std::vector<std::string>>());
  parser.parse_positional({"positional-words"});

  std::vector<std::string> spelled = {program_};
  for (std::string word : words) {
    if (word.starts_with("--")) {
      for (size_t k = 2; k < word.size() && word[k] != '='; ++k)
        if (word[k] == '_') word[k] = '-';
      if (word.size() >= 3 && (word.size() == 3 || word[3] == '=')) word.insert(3, "-axis");
    }
    spelled.push_back(std::move(word));
  }
  std::vector<const char*> argv;
  for (const std::string& word : spelled) argv.push_back(word.c_str());
  std::vector<std::pair<size_t, std::string>> found;
  try {
    const cxxopts::ParseResult result = parser.parse(static_cast<int>(argv.size()), argv.data());
    for (const auto& pair : result.arguments()) {
      if (pair.key() == "positional-words") {
        take_positional(pair.value());
        continue;
      }
      for (size_t i = 0; i < entries_.size(); ++i)
        if (known_to_parser(entries_[i].names.front(), true) == pair.key())
          found.emplace_back(i, pair.value());
    }
    for (const std::string& word : result.unmatched()) take_positional(word);
  } catch (const cxxopts::exceptions::exception& error) {
    throw UsageError(topograd::text(error.what(), "; see ", program_, " --help"));
  }
  for (const auto& [i, word] : found) given_.push_back(entries_[i].names.front());
  for (const Exclusion& e : exclusions_)
    require(!given(e.first) || !given(e.second), "--", e.first, " and --", e.second, " ", e.why);
  for (const auto& [i, word] : found) setters_[i](entries_[i].names.front(), word);
}

bool Options::given(const std::string& name) const {
  return std::find(given_.begin(), given_.end(), name) != given_.end();
}

std::string Options::help() const {
  std::string positionals = usage_;
  if (positionals.empty())
    for (const std::string& value : positional_values_)
      positionals += (positionals.empty() ? "" : " ") + value;
  std::string text = wrapped(about_, 0, kHelpWidth) + "\n\nUsage:\n  " + program_ + " [options]" +
                     (positionals.empty() ? "" : " " + positionals) + "\n";
  std::vector<std::string> groups;
  for (const OptionEntry& entry : entries_)
    if (std::find(groups.begin(), groups.end(), entry.group) == groups.end())
      groups.push_back(entry.group);
  for (const std::string& group : groups) {
    text += "\n" + (group.empty() ? "Options" : group) + ":\n";
    for (size_t i = 0; i < entries_.size(); ++i) {
      const OptionEntry& entry = entries_[i];
      if (entry.group != group || hidden_[i]) continue;
      std::string line = left_side(entry);
      line += line.size() + 2 > kHelpColumn ? "\n" + std::string(kHelpColumn, ' ')
                                            : std::string(kHelpColumn - line.size(), ' ');
      std::string words = entry.help;
      if (!entry.default_text.empty()) words += " (default: " + entry.default_text + ")";
      text += line + wrapped(words, kHelpColumn, kHelpWidth) + "\n";
    }
  }
  return text + epilogue_;
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
          "' is not a number: choose ", range.low, " to ", range.high);
  require(value >= range.low && value <= range.high, "--", option, " ", word,
          " is out of range: choose ", range.low, " to ", range.high);
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
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) result.push_back(item);
  return result;
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

}  // namespace topograd::cli
