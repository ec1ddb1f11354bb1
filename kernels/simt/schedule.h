// The emulator's schedule, the order in which threads of a block run, and what watches them.
#pragma once

namespace topograd::simt {

/// Chooses the order of threads. 0, the default: threads start and continue in their natural order,
/// and cp.async copies at the latest possible moment. Any other seed: random orders, in which one
/// random warp of each block runs as far ahead as it can, and cp.async copies early or late. A
/// correct kernel gives the same result under every seed.
void set_schedule_seed(unsigned seed);

/// Whether this program was linked with the memory checker (race.cpp), and its kernels compiled for
/// it: races and reads of undefined memory are then errors of the launch.
bool race_checker_present();

}  // namespace topograd::simt
