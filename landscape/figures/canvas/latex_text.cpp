#include "landscape/figures/canvas/latex_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <utility>
#include <vector>

namespace topograd::drawing {

namespace {

constexpr char32_t kAsterisk = U'*';

/// Returns the character that begins at `at`, and moves `at` behind it.
char32_t next_character(std::string_view words, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(words[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? U' ' : static_cast<char32_t>(first);
  const size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : 0;
  if (more == 0 || first > 0xF4 || at + more > words.size()) return U'?';
  char32_t character = first & (0x3FU >> more);
  for (size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80) return U'?';
    character = character << 6U | (byte(at + i) & 0x3FU);
  }
  at += more;
  return character;
}

struct LatexCommand {
  char32_t character;
  const char* latex;
};

constexpr LatexCommand kInText[] = {
    {U'#', "\\#"},
    {U'$', "\\$"},
    {U'%', "\\%"},
    {U'&', "\\&"},
    {U'_', "\\_"},
    {U'{', "\\{"},
    {U'}', "\\}"},
    {U'\\', "\\textbackslash{}"},
    {U'^', "\\textasciicircum{}"},
    {U'~', "\\textasciitilde{}"},
    // By number: a shorthand in German, part of a ligature in all languages.
    {U'"', "\\char34{}"},
    {U'`', "\\char96{}"},
    {U'…', "\\ldots{}"},
    {U'–', "--"},
    {U'—', "---"},
    {U'‘', "`"},
    {U'’', "'"},
    {U'“', "``"},
    {U'”', "''"},
    {U'\u00A0', "~"},
};

/// What TeX's usual fonts have in math alone.
constexpr LatexCommand kInMath[] = {
    {U'<', "<"},          {U'>', ">"},          {U'|', "|"},          {U'−', "-"},
    {U'×', "\\times "},   {U'±', "\\pm "},      {U'·', "\\cdot "},    {U'∞', "\\infty "},
    {U'≤', "\\le "},      {U'≥', "\\ge "},      {U'≈', "\\approx "},  {U'≠', "\\ne "},
    {U'→', "\\to "},      {U'‖', "\\|"},        {U'√', "\\surd "},    {U'∇', "\\nabla "},
    {U'∂', "\\partial "}, {U'∈', "\\in "},      {U'α', "\\alpha "},   {U'β', "\\beta "},
    {U'γ', "\\gamma "},   {U'δ', "\\delta "},   {U'ε', "\\epsilon "}, {U'ζ', "\\zeta "},
    {U'η', "\\eta "},     {U'θ', "\\theta "},   {U'ι', "\\iota "},    {U'κ', "\\kappa "},
    {U'λ', "\\lambda "},  {U'μ', "\\mu "},      {U'µ', "\\mu "},      {U'ν', "\\nu "},
    {U'ξ', "\\xi "},      {U'π', "\\pi "},      {U'ρ', "\\rho "},     {U'σ', "\\sigma "},
    {U'τ', "\\tau "},     {U'υ', "\\upsilon "}, {U'φ', "\\phi "},     {U'χ', "\\chi "},
    {U'ψ', "\\psi "},     {U'ω', "\\omega "},   {U'Γ', "\\Gamma "},   {U'Δ', "\\Delta "},
    {U'Θ', "\\Theta "},   {U'Λ', "\\Lambda "},  {U'Ξ', "\\Xi "},      {U'Π', "\\Pi "},
    {U'Σ', "\\Sigma "},   {U'Φ', "\\Phi "},     {U'Ψ', "\\Psi "},     {U'Ω', "\\Omega "},
};

/// Raised characters, and what they stand for in an exponent.
constexpr LatexCommand kRaised[] = {
    {U'⁰', "0"}, {U'¹', "1"}, {U'²', "2"}, {U'³', "3"}, {U'⁴', "4"}, {U'⁵', "5"},       {U'⁶', "6"},
    {U'⁷', "7"}, {U'⁸', "8"}, {U'⁹', "9"}, {U'⁻', "-"}, {U'⁺', "+"}, {U'°', "\\circ "},
};

template <size_t n>
const char* found_in(const LatexCommand (&commands)[n], char32_t character) {
  const auto found =
      std::find_if(std::begin(commands), std::end(commands),
                   [&](const LatexCommand& command) { return command.character == character; });
  return found == std::end(commands) ? nullptr : found->latex;
}

bool is_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}

bool is_greek(char32_t c) {
  return c >= U'Α' && c <= U'ω';
}

bool needs_math(char32_t c) {
  return found_in(kInMath, c) != nullptr || found_in(kRaised, c) != nullptr;
}

std::string as_utf8(char32_t c) {
  const auto byte = [](char32_t value) {
    return static_cast<char>(static_cast<unsigned char>(value));
  };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0U | c >> 6U), byte(0x80U | (c & 0x3FU))};
  if (c < 0x10000)
    return {byte(0xE0U | c >> 12U), byte(0x80U | (c >> 6U & 0x3FU)), byte(0x80U | (c & 0x3FU))};
  return {byte(0xF0U | c >> 18U), byte(0x80U | (c >> 12U & 0x3FU)), byte(0x80U | (c >> 6U & 0x3FU)),
          byte(0x80U | (c & 0x3FU))};
}

/// Replaces names of coordinates that stand as words by their letters.
std::u32string with_greek_letters(const std::u32string& words) {
  constexpr std::array<std::pair<std::u32string_view, char32_t>, 3> kNames = {
      {{U"alpha", U'α'}, {U"beta", U'β'}, {U"theta", U'θ'}}};
  const auto joins = [&](size_t i) {
    // A point between letters belongs to a name: alpha.h5.
    const auto letter = [&](size_t k) {
      return k < words.size() &&
             (words[k] >= 0x80 || std::isalnum(static_cast<unsigned char>(words[k])) != 0 ||
              words[k] == U'_' || words[k] == U'-' || words[k] == U'/');
    };
    return letter(i) || (i < words.size() && words[i] == U'.' && letter(i + 1));
  };
  std::u32string result;
  for (size_t i = 0; i < words.size();) {
    const auto name = std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) {
      return words.compare(i, entry.first.size(), entry.first) == 0 && (i == 0 || !joins(i - 1)) &&
             !joins(i + entry.first.size());
    });
    if (name == kNames.end()) {
      result += words[i++];
      continue;
    }
    result += name->second;
    i += name->first.size();
  }
  return result;
}

/// Returns the end of the stretch from `begin` that may stand in one formula: numbers with what
/// belongs to them, Greek letters with a star.
size_t end_of_formula(const std::u32string& words, size_t begin) {
  size_t end = begin;
  while (end < words.size()) {
    const char32_t c = words[end];
    const bool point = c == U'.' && end + 1 < words.size() && is_digit(words[end + 1]);
    const bool star = c == kAsterisk && end > begin && is_greek(words[end - 1]);
    if (!is_digit(c) && !point && !star && !needs_math(c)) break;
    ++end;
  }
  return end;
}

std::string formula(const std::u32string& words, size_t begin, size_t end) {
  std::string math;
  for (size_t i = begin; i < end;) {
    std::string raised;
    for (; i < end && (words[i] == kAsterisk || found_in(kRaised, words[i])); ++i)
      raised += words[i] == kAsterisk ? "*" : found_in(kRaised, words[i]);
    if (!raised.empty()) {
      math += "^{" + raised + "}";
      continue;
    }
    const char* command = found_in(kInMath, words[i]);
    math += command ? command : as_utf8(words[i]);
    ++i;
  }
  return "$" + math + "$";
}

/// Returns whether TeX would join the two: dashes, quotation marks, French ones.
bool is_ligature(char32_t a, char32_t b) {
  return a == b && (a == U'-' || a == U'\'' || a == U',');
}

}  // namespace

std::string latex_text(std::string_view utf8, GreekWords greek) {
  std::u32string words;
  for (size_t at = 0; at < utf8.size();) words += next_character(utf8, at);
  if (greek == GreekWords::as_symbols) words = with_greek_letters(words);
  std::string result;
  for (size_t i = 0; i < words.size();) {
    const size_t end = end_of_formula(words, i);
    const bool alone = i == 0 && end == words.size();
    if (end > i &&
        (alone || std::any_of(words.begin() + static_cast<std::ptrdiff_t>(i),
                              words.begin() + static_cast<std::ptrdiff_t>(end), needs_math))) {
      result += formula(words, i, end);
      i = end;
      continue;
    }
    const char32_t c = words[i++], before = i > 1 ? words[i - 2] : U'\0';
    if (is_ligature(before, c)) result += "{}";
    const char* command = found_in(kInText, c);
    if (c == U' ' && (before == U' ' || before == U'\0'))
      result += "\\ ";  // TeX makes one space of several, and none at the beginning
    else
      result += command ? command : as_utf8(c);
  }
  return result;
}

}  // namespace topograd::drawing
