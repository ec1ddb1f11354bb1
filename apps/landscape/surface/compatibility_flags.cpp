#include "apps/landscape/surface/compatibility_flags.h"

namespace topograd {

namespace {

struct IgnoredOption {
  const char *names, *value, *why;
};

constexpr IgnoredOption kIgnored[] = {
    {"mpi,m", "", "mpirun or srun decides how many processes compute the surface"},
    {"cuda,c", "", "a GPU is used where there is one; --device chooses"},
    {"ngpu", "N", "one GPU computes the surface"},
    {"batch-size", "N", "images are evaluated in chunks that fit the cache"},
    {"raw-data", "", "images are always raw, only normalised"},
    {"vlevel", "X", "contour levels are chosen by the picture"},
    {"show", "", "pictures are files; nothing is opened"},
    {"plot", "", "pictures are always drawn"},
};

std::string first_name(const IgnoredOption& option) {
  const std::string names = option.names;
  return names.substr(0, names.find(','));
}

void require_cifar10(const std::string&, const std::string& word) {
  require(word == "cifar10", "--dataset ", word,
          ": only cifar10 is known by name; --data takes any folder of images");
}

}  // namespace

void CompatibilityFlags::add_to(cli::Options& options) {
  options.group("Accepted from the reference implementation, without effect");
  options.value("dataset", "NAME", "cifar10 alone", "", require_cifar10);
  for (const IgnoredOption& option : kIgnored)
    if (*option.value == 0)
      options.flag(option.names, ignored, option.why);
    else
      options.value(option.names, option.value, option.why, "",
                    [](const std::string&, const std::string&) {});
}

std::vector<std::string> CompatibilityFlags::notes(const cli::Options& options) {
  std::vector<std::string> lines;
  for (const IgnoredOption& option : kIgnored)
    if (options.given(first_name(option)))
      lines.push_back(text("note: --", first_name(option), " has no effect: ", option.why));
  return lines;
}

}  // namespace topograd
