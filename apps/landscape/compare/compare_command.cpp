#include "apps/landscape/compare/compare_command.h"

#include <cmath>
#include <iostream>

#include "apps/common/table.h"
#include "apps/landscape/compare/compare_networks.h"
#include "kernels/core/format.h"
#include "landscape/surface/surface_comparison.h"

namespace topograd {

namespace {

/// "-" for what is not there.
std::string number(double value) {
  return std::isfinite(value) ? significant(value) : "-";
}

std::string extent(const Surface& surface) {
  std::string shown = text("x from ", surface.x().front(), " to ", surface.x().back(), " in ",
                           surface.nx(), " points");
  if (!surface.is_line())
    shown +=
        text(", y from ", surface.y().front(), " to ", surface.y().back(), " in ", surface.ny());
  return shown;
}

std::string position(const Surface& surface, int64_t point) {
  if (point < 0) return "-";
  const std::string x = number(surface.x()[static_cast<size_t>(point % surface.nx())]);
  if (surface.is_line()) return x;
  return text("(", x, ", ", number(surface.y()[static_cast<size_t>(point / surface.nx())]), ")");
}

std::string value_of(const LargestDifference& difference) {
  return difference.point < 0 ? "-" : number(difference.value);
}

void print_quantities(const Surface& a, const std::vector<PlaneComparison>& comparisons) {
  std::vector<std::vector<std::string>> values = {
      {"values", "min", "min", "max", "max", "mean", "mean", "correlation"}};
  std::vector<std::vector<std::string>> differences = {
      {"largest difference", "", "at", "relative", "at", "in standard errors", "at"}};
  for (const PlaneComparison& c : comparisons) {
    values.push_back({c.name, number(c.a.min), number(c.b.min), number(c.a.max), number(c.b.max),
                      number(c.a.mean), number(c.b.mean), number(c.correlation)});
    const LargestDifference errors = c.standard_errors.value_or(LargestDifference{});
    differences.push_back({c.name, value_of(c.absolute), position(a, c.absolute.point),
                           value_of(c.relative), position(a, c.relative.point), value_of(errors),
                           position(a, errors.point)});
  }
  print_table(values);
  print_table(differences);
  for (const PlaneComparison& c : comparisons)
    if (c.not_finite > 0)
      std::cout << c.name << ": left out " << c.not_finite
                << " points where a value is not finite\n";
}

void print_provenance(const Surface& a, const Surface& b) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [key, value] : a.provenance) both[key].first = value;
  for (const auto& [key, value] : b.provenance) both[key].second = value;
  both.erase("command");  // differs if the files' names do
  std::erase_if(both, [](const auto& entry) { return entry.second.first == entry.second.second; });
  std::cout << (both.empty() ? "the same provenance\n" : "provenance that differs:\n");
  for (const auto& [key, values] : both)
    std::cout << "  " << key << ": " << (values.first.empty() ? "-" : values.first) << " | "
              << (values.second.empty() ? "-" : values.second) << '\n';
}

void print_comparison(const Surface& a, const std::string& path_a, const std::string& path_b) {
  const Surface b = Surface::load(path_b);
  require(a.same_points(b), path_b, " has other points than ", path_a, ": ", extent(b), "; ",
          path_a, " has ", extent(a));
  const auto comparisons = compare_surfaces(a, b);
  require(!comparisons.empty(), path_b, " and ", path_a, " have no quantity in common");
  std::cout << path_a << " | " << path_b << ": " << extent(a);
  if (a.done_count() < a.points() || b.done_count() < b.points())
    std::cout << "; done are " << a.done_count() << " | " << b.done_count();
  std::cout << '\n';
  print_quantities(a, comparisons);
  print_provenance(a, b);
}

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options compare_flags() {
  cxxopts::Options options(
      "landscape compare",
      "Surfaces on the same points: how each further file differs from the first.\n\n"
      "Of every quantity that both have: minimum, maximum and mean of the one and the other, the\n"
      "largest difference, absolute, relative to the first and in units of the standard error of a\n"
      "difference (sqrt(se1^2 + se2^2): over the same images it is smaller), with the points where\n"
      "they are, and the correlation. Then what differs in how they were made.\n\n"
      "Files of landscape sharpness: networks side by side, and from three networks on the rank\n"
      "correlation of every measure with --against. Which of the two it is, the files say.\n");
  options.positional_help("FIRST.h5 OTHER.h5...").set_width(100);
  options.add_options()
      ("files", "surfaces, or files of landscape sharpness", cxxopts::value<std::vector<std::string>>())
      ("against", "networks: the measure that the others are held against",
       cxxopts::value<std::string>()->default_value("test_error"))
      ("seed", "networks: of random permutations and samples",
       cxxopts::value<std::string>()->default_value("1"))
      ("json", "networks: write their numbers here too", cxxopts::value<std::string>())
      ("help", "print this");
  options.parse_positional({"files"});
  return options;
}
// clang-format on

int run_compare(const cxxopts::ParseResult& flags) {
  const auto files = flags.count("files") ? flags["files"].as<std::vector<std::string>>()
                                          : std::vector<std::string>();
  require(files.size() >= 2, "nothing to compare: write landscape compare FIRST.h5 OTHER.h5");
  if (are_networks(files)) return compare_networks(flags, files);
  for (const char* flag : {"against", "seed", "json"})
    require(flags.count(flag) == 0, "--", flag, " is of networks; ", files.front(),
            " is not a file of landscape sharpness");
  const Surface first = Surface::load(files.front());
  for (size_t i = 1; i < files.size(); ++i) {
    if (i > 1) std::cout << '\n';
    print_comparison(first, files.front(), files[i]);
  }
  return 0;
}

}  // namespace topograd
