#include "apps/common/options.h"

#include <algorithm>
#include <cstring>

#include "apps/common/spelling.h"

// Use cxxopts' own parser: <regex> takes ten seconds to compile with the sanitizers.
#define CXXOPTS_NO_REGEX
#include <cxxopts.hpp>

namespace topograd::cli {

namespace {

constexpr const char* kPositional = "positional-words";
constexpr size_t kLongestChoices = 24;  // characters beside an option's name

/// Renames long options of one letter, which cxxopts does not know: --x is x-axis to it.
std::string known_to_parser(const std::string& name, bool is_first) {
  return name.size() == 1 && is_first ? name + "-axis" : name;
}

/// Returns the names of an option for cxxopts: "output,o,surf-file".
std::string names_for_parser(const OptionEntry& entry) {
  std::string names;
  for (size_t k = 0; k < entry.names.size(); ++k)
    names += (k == 0 ? "" : ",") + known_to_parser(entry.names[k], k == 0);
  return names;
}

bool is_numeric(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789.-+") == word.npos;
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
  return *this;
}

OptionEntry& Options::last() {
  require(!entries_.empty(), "no option is declared yet");
  return entries_.back();
}

Options& Options::with_choices(const std::vector<std::string>& words) {
  last().choices = words;
  last().value = "";
  for (const std::string& word : words) last().value += (last().value.empty() ? "" : "|") + word;
  if (last().value.size() > kLongestChoices) last().value = "NAME";
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
  add(names, ValueKind::text, value, help, "",
      [&target](const std::string&, const std::string& word) { target.push_back(word); });
  last().repeats = true;
  return *this;
}

Options& Options::files(const std::string& names, std::vector<std::string>& target,
                        const std::string& value, const std::string& help) {
  return add(names, ValueKind::file, value, help, "",
             [&target](const std::string&, const std::string& list) {
               for (const std::string& file : listed_files(list)) target.push_back(file);
             });
}

Options& Options::implicitly(const std::string& word) {
  last().implicit = word;
  return *this;
}

Options& Options::presets(Presets settings) {
  last();
  presets_[entries_.size() - 1] = std::move(settings);
  return *this;
}

Options& Options::shown_value(const std::string& word) {
  last().value = word;
  return *this;
}

Options& Options::shown_default(const std::string& text) {
  last().default_text = text;
  return *this;
}

Options& Options::hidden() {
  last().hidden = true;
  return *this;
}

void Options::add_positional(const std::string& value, const std::string& help) {
  positional_entries_.push_back({value, help});
}

Options& Options::positional(const std::string& value, std::optional<std::string>& target,
                             const std::string& help) {
  add_positional("[" + value + "]", help);
  positionals_.push_back([&target](const std::string&, const std::string& word) { target = word; });
  return *this;
}

Options& Options::positional(const std::string& value, std::string& target,
                             const std::string& help) {
  add_positional(value, help);
  positionals_.push_back([&target](const std::string&, const std::string& word) { target = word; });
  return *this;
}

Options& Options::positionals(const std::string& value, std::vector<std::string>& target,
                              const std::string& help) {
  add_positional(value + "...", help);
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

void Options::refuse(const std::string& what) const {
  throw UsageError(topograd::text(what, "; see ", program_, " --help"));
}

void Options::take_positional(const std::string& word) {
  parsed_.positionals.push_back(word);
  if (positionals_taken_ < positionals_.size())
    positionals_[positionals_taken_++]("", word);
  else if (rest_ != nullptr)
    rest_->push_back(word);
  else
    refuse("'" + word + "' is one word too many");
}

const OptionEntry* Options::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

void Options::refuse_unknown(const std::string& shown, const std::string& meant) const {
  refuse(shown + " is not an option" + (meant.empty() ? "" : "; did you mean " + meant + "?"));
}

std::string Options::near_option(const std::string& name) const {
  std::vector<std::string> names;
  for (const OptionEntry& entry : entries_)
    for (const std::string& known : entry.names)
      if (!entry.hidden && known.size() > 1) names.push_back(known);
  const std::string near = nearest_word(name, names);
  return near.empty() ? "" : "--" + near;
}

bool Options::is_option(const std::string& word) const {
  if (!word.starts_with("--")) return false;
  const OptionEntry* entry = find(word.substr(2, word.find('=') - 2));
  return entry != nullptr;
}

/// Returns the words in a form that cxxopts reads correctly. By itself it takes no long option of
/// one letter, takes whatever follows an option for its value (another option, too), takes no value
/// with a dot in the letter's own word (-oa.svg), and drops the value of a switch.
std::vector<std::string> Options::spelled(const std::vector<std::string>& words) const {
  std::vector<std::string> result;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      result.insert(result.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    const bool is_long = word.starts_with("--");
    if (word.size() < 2 || word[0] != '-') {
      result.push_back(word);
      continue;
    }
    const size_t equals = is_long ? word.find('=') : word.npos;
    std::string name = is_long ? word.substr(2, equals - 2) : word.substr(1, 1);
    std::replace(name.begin(), name.end(), '_', '-');
    const OptionEntry* entry = find(name);
    const std::string shown = (is_long ? "--" : "-") + name;
    // --o is not -o, and -x not --x.
    if (entry != nullptr && name.size() == 1 && is_long != (name == entry->names.front()))
      refuse_unknown(shown, "--" + entry->names.front());
    if (entry == nullptr) refuse_unknown(is_long ? shown : word, is_long ? near_option(name) : "");
    const std::string key = known_to_parser(name, is_long);
    const bool has_more = !is_long && word.size() > 2;
    if (entry->kind == ValueKind::none) {
      if (equals != word.npos) refuse(shown + " takes no value");
      result.push_back(has_more ? word : (is_long ? "--" : "-") + key);
      continue;
    }
    const bool has_next = i + 1 < words.size();
    const std::string long_key = known_to_parser(entry->names.front(), true);
    if (equals != word.npos) {
      result.push_back(topograd::text("--", long_key, word.substr(equals)));
    } else if (has_more) {
      result.push_back(topograd::text("--", long_key, '=', word.substr(word[2] == '=' ? 3 : 2)));
    } else if (entry->implicit && !(has_next && is_numeric(words[i + 1]))) {
      result.push_back("--" + long_key);
    } else {
      if (!has_next || is_option(words[i + 1]))
        refuse(topograd::text(shown, " lacks its value: ", shown, ' ', entry->value));
      result.push_back(topograd::text("--", long_key, '=', words[++i]));
    }
  }
  return result;
}

void Options::parse(const std::vector<std::string>& words) {
  cxxopts::Options parser(program_);
  auto add = parser.add_options();
  std::map<std::string, size_t> by_key;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const OptionEntry& entry = entries_[i];
    by_key[known_to_parser(entry.names.front(), true)] = i;
    const auto value = cxxopts::value<std::string>();
    if (entry.implicit) value->implicit_value(*entry.implicit);
    if (entry.kind == ValueKind::none)
      add(names_for_parser(entry), "");
    else
      add(names_for_parser(entry), "", value);
  }
  // cxxopts collects every word without a hyphen under this name, commas included.
  add(kPositional, "", cxxopts::value<std::vector<std::string>>());
  parser.parse_positional({kPositional});

  const std::vector<std::string> taken = spelled(words);
  std::vector<const char*> argv = {program_.c_str()};
  for (const std::string& word : taken) argv.push_back(word.c_str());
  std::vector<std::pair<size_t, std::string>> found;
  try {
    const cxxopts::ParseResult result = parser.parse(static_cast<int>(argv.size()), argv.data());
    for (const auto& pair : result.arguments())
      if (pair.key() == kPositional)
        take_positional(pair.value());
      else
        found.emplace_back(by_key.at(pair.key()), pair.value());
    for (const std::string& word : result.unmatched()) take_positional(word);
  } catch (const cxxopts::exceptions::exception& error) {
    refuse(error.what());
  }
  for (const auto& [i, word] : found)
    parsed_.options.emplace_back(entries_[i].names.front(),
                                 entries_[i].kind == ValueKind::none ? "" : word);
  for (const Exclusion& e : exclusions_)
    require(!given(e.first) || !given(e.second), "--", e.first, " and --", e.second, " ", e.why);
  for (const auto& [i, word] : found)
    if (presets_.contains(i))
      for (const auto& [name, setting] : presets_.at(i)(word))
        setters_[by_name_.at(name)](name, setting);
  for (const auto& [i, word] : found) setters_[i](entries_[i].names.front(), word);
}

std::vector<OutputClaim> Options::claim_outputs() const {
  std::vector<OutputClaim> claims;
  for (const auto& [name, output] : outputs_)
    if (const std::optional<std::string> path = output())
      claims.emplace_back(*path, OutputClaim::Use::result);
  return claims;
}

bool Options::is_output_file(const std::string& name) const {
  return std::any_of(outputs_.begin(), outputs_.end(),
                     [&](const auto& output) { return output.first == name; });
}

bool Options::given(const std::string& name) const {
  const OptionEntry* entry = find(name);
  return entry != nullptr &&
         std::any_of(parsed_.options.begin(), parsed_.options.end(),
                     [&](const auto& option) { return option.first == entry->names.front(); });
}

}  // namespace topograd::cli
