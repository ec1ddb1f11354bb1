// landscape verify: numbers of results computed anew from what the results say of their making.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/command.h"
#include "landscape/results/record.h"

namespace topograd {

struct VerifySettings {
  int64_t sample = 20;             ///< points of a surface, a trajectory or paths
  double tolerance = 1e-4;         ///< relative difference that still counts as agreement
  std::optional<uint64_t> seed{};  ///< of the choice; empty: one that nobody knows beforehand
  std::optional<std::string> model{}, data{};
  std::optional<int> threads{};
};

class VerifyCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  void check(const cli::Options& options) override;
  /// Prints for each result how far it agrees; returns 1 if one does not.
  int run(const std::string& typed) override;

 private:
  std::vector<std::string> files_;
  VerifySettings settings_;
};

}  // namespace topograd
