// What every use of oneDNN in this project needs; nothing of oneDNN itself.
#pragma once

namespace topograd {

/// Keeps oneDNN on the calling thread. Its OpenMP runtime would start a team per calling thread,
/// and teams of independent threads fight for the processors; the setting is per thread and costs
/// a store, so every implementation that calls oneDNN calls this first.
void use_one_onednn_thread();

}  // namespace topograd
