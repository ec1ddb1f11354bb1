// Command-line options: declared once, bound to the settings they set, with their ranges.
//
// A command declares `options.integer("largest", settings.largest, {0, 1000}, "how many ...")`. The
// setting's value at that moment is the default that --help shows; parse() replaces it by what was
// typed, or throws an Error that names the option. A setting of type std::optional stays empty
// where its option was not given. The same table of options makes --help, the manual pages and the
// shells' completion. Only this folder knows which library splits the command line.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/core/check.h"
#include "kernels/core/output_claim.h"

namespace topograd::cli {

/// Error of a malformed command line: an unknown option, a missing value, a word too many. Exit
/// status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Bounds of a number, inclusive.
template <class T>
struct Range {
  T low, high;
};

/// Kind of an option's value: decides the word that stands for it in --help, and what a shell
/// completes.
enum class ValueKind { none, text, number, choice, file, folder };

/// Option as help, manual pages and completion show it.
struct OptionEntry {
  std::string group;
  std::vector<std::string> names;  ///< the first is the option's; then a letter, older spellings
  ValueKind kind = ValueKind::text;
  std::string value;                 ///< the word for its value: "N", "FILE"; empty for a switch
  std::vector<std::string> choices;  ///< words of ValueKind::choice
  std::string help;
  std::string default_text;                  ///< empty: none, or the help says it
  std::optional<std::string> implicit = {};  ///< value of the option typed without one
  bool hidden = false;                       ///< accepted, but not shown
  bool repeats = false;                      ///< may come several times
};

/// Positional argument, one word or several, as help and manual pages show it.
struct PositionalEntry {
  std::string value;  ///< "MODEL.safetensors", "[FILE]", "FILE..."
  std::string help;   ///< may be empty
};

/// Command line taken apart: options by their first names, each with its value (of a switch empty),
/// and the words that belong to none.
struct ParsedWords {
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::string> positionals;
};

/// Type of a setting without std::optional.
template <class T>
struct Plain {
  using type = T;
};
template <class T>
struct Plain<std::optional<T>> {
  using type = T;
};
template <class T>
using PlainType = typename Plain<T>::type;

class Options {
 public:
  /// Takes the program as it is typed: "landscape hessian".
  explicit Options(std::string program);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  /// Sets the head of --help: what the program does. Paragraphs are wrapped; blank lines and lines
  /// that begin with a blank stay as they are.
  Options& about(std::string text);
  /// Puts options declared from now on under this title in --help; a title may come again.
  Options& group(std::string title);

  // `names`: "output,o,surf-file" is --output, -o, and --surf-file, a spelling of other tools; a
  // first name of one letter is a long option too (--x).

  /// Declares a switch.
  Options& flag(const std::string& names, bool& target, const std::string& help);

  /// Declares a whole number: int, int64_t, or std::optional of one.
  template <class T>
  Options& integer(const std::string& names, T& target, Range<int64_t> range,
                   const std::string& help) {
    using Whole = PlainType<T>;
    require(range.low >= std::numeric_limits<Whole>::min() &&
                range.high <= std::numeric_limits<Whole>::max(),
            "the range of --", names, " is wider than its setting's type");
    return add(names, ValueKind::number, "N", help, default_of(target),
               [&target, range](const std::string& option, const std::string& word) {
                 target = static_cast<Whole>(whole_number(option, word, range));
               });
  }
  /// Declares a finite number: double, or std::optional of it.
  template <class T>
  Options& real(const std::string& names, T& target, Range<double> range, const std::string& help) {
    return add(names, ValueKind::number, "X", help, default_of(target),
               [&target, range](const std::string& option, const std::string& word) {
                 target = finite_number(option, word, range);
               });
  }
  /// Declares any unsigned 64-bit number: uint64_t, or std::optional of it.
  template <class T>
  Options& seed(const std::string& names, T& target, const std::string& help) {
    return add(names, ValueKind::number, "N", help, default_of(target),
               [&target](const std::string& option, const std::string& word) {
                 target = seed_number(option, word);
               });
  }
  /// Declares any text: std::string, or std::optional of it. `value` stands for it in --help.
  template <class T>
  Options& text(const std::string& names, T& target, const std::string& value,
                const std::string& help) {
    return add(names, ValueKind::text, value, help, default_of(target),
               [&target](const std::string&, const std::string& word) { target = word; });
  }
  /// Declares a path of a file.
  template <class T>
  Options& file(const std::string& names, T& target, const std::string& help) {
    return add(names, ValueKind::file, "FILE", help, default_of(target),
               [&target](const std::string&, const std::string& word) { target = word; });
  }
  /// Declares a path of a file that is written, and by no computation that claims it itself:
  /// claim_outputs() does.
  template <class T>
  Options& output_file(const std::string& names, T& target, const std::string& help) {
    file(names, target, help);
    outputs_.emplace_back(last().names.front(),
                          [&target]() -> std::optional<std::string> { return target; });
    return *this;
  }
  /// Declares a path of a folder.
  template <class T>
  Options& folder(const std::string& names, T& target, const std::string& help) {
    return add(names, ValueKind::folder, "DIR", help, default_of(target),
               [&target](const std::string&, const std::string& word) { target = word; });
  }
  /// Declares one of several words, each with its value. Further words for the same value are other
  /// spellings, which only the parser knows.
  template <class T>
  Options& choice(const std::string& names, T& target,
                  std::vector<std::pair<std::string, PlainType<T>>> choices,
                  const std::string& help) {
    std::vector<std::string> words;
    std::string fallback;
    for (size_t i = 0; i < choices.size(); ++i) {
      bool first = true;
      for (size_t k = 0; k < i; ++k) first = first && !(choices[k].second == choices[i].second);
      if (first) words.push_back(choices[i].first);
      if (first && is(target, choices[i].second)) fallback = choices[i].first;
    }
    add(names, ValueKind::choice, "", help, fallback,
        [&target, choices, words](const std::string& option, const std::string& word) {
          for (const auto& [name, value] : choices)
            if (name == word) {
              target = value;
              return;
            }
          refuse_choice(option, word, words);
        });
    return with_choices(words);
  }
  /// Declares a name that `parse` turns into a value, or refuses with an Error (the registries'
  /// functions, like activation_named); `words` are for --help and completion.
  template <class T, class Parse>
  Options& named(const std::string& names, T& target, Parse parse,
                 const std::vector<std::string>& words, const std::string& default_text,
                 const std::string& help) {
    add(names, ValueKind::choice, "", help, default_text,
        [&target, parse](const std::string&, const std::string& word) { target = parse(word); });
    return with_choices(words);
  }
  /// Declares a value that `set` reads; it throws Error if the word makes no sense.
  Options& value(const std::string& names, const std::string& value, const std::string& help,
                 const std::string& default_text,
                 std::function<void(const std::string& option, const std::string& word)> set);

  /// Declares an option that may come several times: --impl conv2d=reference --impl gemm=reference.
  Options& repeated(const std::string& names, std::vector<std::string>& target,
                    const std::string& value, const std::string& help);
  /// Declares words with commas between them: --type svg,png.
  template <class T>
  Options& words(const std::string& names, T& target, const std::string& value,
                 const std::string& help) {
    return add(names, ValueKind::text, value, help, joined(target),
               [&target](const std::string&, const std::string& word) { target = split(word); });
  }
  /// Declares files with commas between, as listed_files() takes them apart; may come several times.
  Options& files(const std::string& names, std::vector<std::string>& target,
                 const std::string& value, const std::string& help);
  /// Declares numbers with commas between them: --lr-drops 15,22.
  template <class T>
  Options& reals(const std::string& names, T& target, const std::string& value,
                 const std::string& help) {
    return add(names, ValueKind::text, value, help, "",
               [&target](const std::string& option, const std::string& word) {
                 target = numbers(option, word);
               });
  }

  /// Lets the option declared last stand without its value, and then have this one: --serve. The
  /// next word is its value only if it is a number.
  Options& implicitly(const std::string& word);
  /// Makes the option declared last stand for values of other options, {name, value}, which count
  /// unless those are typed: --recipe. given() is false for them.
  Options& presets(
      std::function<std::vector<std::pair<std::string, std::string>>(const std::string&)> settings);
  /// Sets the word for the value of the option declared last in --help.
  Options& shown_value(const std::string& word);
  /// Sets the default that --help shows for the option declared last.
  Options& shown_default(const std::string& text);
  /// Leaves the option declared last out of --help: accepted, without effect.
  Options& hidden();

  /// Declares a positional argument: the next word without a hyphen.
  Options& positional(const std::string& value, std::optional<std::string>& target,
                      const std::string& help = {});
  Options& positional(const std::string& value, std::string& target, const std::string& help = {});
  /// Declares all further words without a hyphen. A comma in a word is part of it.
  Options& positionals(const std::string& value, std::vector<std::string>& target,
                       const std::string& help = {});
  /// Sets what the usage line says in place of the positionals' names.
  Options& usage(const std::string& arguments);
  /// Sets the text behind the options in --help: examples.
  Options& epilogue(const std::string& text);

  /// Makes parse() refuse both together: "--log and --linear contradict each other: leave out one
  /// of them".
  Options& exclude(const std::string& first, const std::string& second, const std::string& why);

  /// Parses the words into the settings; of an option that comes twice, the last one counts.
  /// Underscores in an option's name are hyphens; words behind "--" are no options. Throws
  /// UsageError, or Error for a value that makes no sense.
  void parse(const std::vector<std::string>& words);
  /// Returns whether the option was among the words, in any of its spellings.
  bool given(const std::string& name) const;
  /// Returns what was parsed.
  const ParsedWords& parsed() const { return parsed_; }
  /// Returns whether the option names a file of output_file().
  bool is_output_file(const std::string& name) const;
  /// Claims the files of output_file(), after parse(), before anything is read.
  std::vector<OutputClaim> claim_outputs() const;

  std::string help() const;
  const std::string& program() const { return program_; }
  const std::string& about_text() const { return about_; }
  const std::vector<OptionEntry>& entries() const { return entries_; }
  const std::vector<PositionalEntry>& positional_entries() const { return positional_entries_; }
  const std::string& usage_arguments() const { return usage_; }
  const std::string& epilogue_text() const { return epilogue_; }

  // Readers of values. Each throws Error, naming the option, for a word that makes no sense.
  static int64_t whole_number(const std::string& option, const std::string& word,
                              Range<int64_t> range);
  static double finite_number(const std::string& option, const std::string& word,
                              Range<double> range);
  static uint64_t seed_number(const std::string& option, const std::string& word);
  /// Returns the words between a list's commas; none for an empty list.
  static std::vector<std::string> split(const std::string& list);
  /// Returns the files of a list with commas between. Names have commas, too: where several words
  /// with their commas name something that exists, the most that do are one file.
  static std::vector<std::string> listed_files(const std::string& list);
  static std::vector<double> numbers(const std::string& option, const std::string& list);
  [[noreturn]] static void refuse_choice(const std::string& option, const std::string& word,
                                         const std::vector<std::string>& choices);
  /// Returns the shortest text of a number, as one would type it: 0.1, 1e-8, 10000.
  static std::string number_text(double value);

 private:
  using Setter = std::function<void(const std::string& option, const std::string& word)>;
  using Presets =
      std::function<std::vector<std::pair<std::string, std::string>>(const std::string&)>;
  struct Exclusion {
    std::string first, second, why;
  };

  Options& add(const std::string& names, ValueKind kind, const std::string& value,
               const std::string& help, const std::string& default_text, Setter set);
  Options& with_choices(const std::vector<std::string>& words);
  OptionEntry& last();
  void take_positional(const std::string& word);
  void add_positional(const std::string& value, const std::string& help);
  const OptionEntry* find(const std::string& name) const;
  std::vector<std::string> spelled(const std::vector<std::string>& words) const;
  bool is_option(const std::string& word) const;
  std::string near_option(const std::string& name) const;
  [[noreturn]] void refuse_unknown(const std::string& shown, const std::string& meant) const;
  [[noreturn]] void refuse(const std::string& what) const;

  template <class T>
  static std::string default_of(const T& target) {
    if constexpr (std::is_floating_point_v<T>)
      return number_text(target);
    else
      return topograd::text(target);
  }
  template <class T>
  static std::string default_of(const std::optional<T>& target) {
    return target ? default_of(*target) : std::string();
  }
  template <class T>
  static bool is(const T& target, const PlainType<T>& value) {
    return target == value;
  }
  static std::string joined(const std::vector<std::string>& words);
  static std::string joined(const std::optional<std::vector<std::string>>& words);

  std::string program_, about_, group_, usage_, epilogue_;
  std::vector<OptionEntry> entries_;
  std::vector<Setter> setters_;            // one per entry
  std::map<size_t, Presets> presets_;      // by entry
  std::map<std::string, size_t> by_name_;  // every spelling
  std::vector<PositionalEntry> positional_entries_;
  std::vector<Setter> positionals_;           // one word each
  std::vector<std::string>* rest_ = nullptr;  // all further words
  std::vector<Exclusion> exclusions_;
  /// Files of output_file(): the option, and what it was set to.
  std::vector<std::pair<std::string, std::function<std::optional<std::string>()>>> outputs_;
  ParsedWords parsed_;
  size_t positionals_taken_ = 0;
};

/// Returns what help and manual pages say of an option: its help, choices too many to stand beside
/// its name, older spellings, the default.
std::string described(const OptionEntry& entry);

/// Returns a command line's words as a shell would take them again, quoted where needed.
std::string shell_quoted(const std::vector<std::string>& words);
/// Returns the words of a line of shell_quoted(). Throws Error for a quote without its end.
std::vector<std::string> shell_words(const std::string& line);

}  // namespace topograd::cli
