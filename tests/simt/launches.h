// Kernels for the tests of launching: what they do wrong is in their names.
#pragma once

#include <cstdint>

#include "kernels/core/context.h"

namespace topograd::simt::test {

/// Launches a kernel that counts its threads, in a grid and block of these sizes.
int64_t count_threads(const int64_t (&grid)[3], const int64_t (&block)[3], int64_t shared_bytes,
                      Context& context);
/// Every thread writes its coordinates, mixed; true if all are as CUDA numbers them.
bool coordinates_are_right(Context& context);

// Each throws Error.
void launch_from_inside(Context& context);
void allocate_from_inside(Context& context);
void throw_after_barrier(Context& context);
void throw_not_an_exception(Context& context);
void wait_in_1023_of_1024(Context& context);

/// Uses more stack than a thread has.
void overflow_the_stack(Context& context);

/// out[i] = the sum over all blocks of a block-wide reduction, through shared memory.
float sum_of_counts(int blocks, Context& context);

/// A kernel's parameters are each thread's own; returns what the last thread saw.
int changed_parameter(Context& context);

/// The launcher's own use of standard containers, in a file compiled as kernels are.
int host_containers();

}  // namespace topograd::simt::test
