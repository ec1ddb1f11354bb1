#include "apps/landscape/common/checkpoint_flags.h"

namespace topograd {

void add_checkpoint_options(cli::Options& options, CheckpointSelection& selection) {
  constexpr int64_t kMax = 1 << 30;
  options
      .integer("start-epoch", selection.first, {0, kMax},
               "of a run's folder, checkpoints from this epoch on")
      .integer("max-epoch", selection.last, {0, kMax}, "up to this one")
      .shown_default("the last")
      .integer("save-epoch", selection.every, {1, kMax}, "every n-th epoch of them")
      .text("prefix", selection.prefix, "WORD", "what stands before the epoch in the files' names")
      .text("suffix", selection.suffix, "WORD", "what stands behind it");
}

}  // namespace topograd
