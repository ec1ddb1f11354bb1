// The memory checker's parts, where a kernel does not reach them. Linked with race.cpp only.
#include <doctest/doctest.h>

#include "kernels/simt/race_ordering.h"
#include "kernels/simt/race_shadow.h"
#include "kernels/simt/schedule.h"

using namespace topograd::simt;
using namespace topograd::simt::emulator;

TEST_CASE("race checker: it is linked") {
  CHECK(race_checker_present());
}

TEST_CASE("race checker: cells split as finely as accesses ask, and keep what they know") {
  Region region({0x1000, 23});
  CHECK(region.cells(0x1000, 4).size() == 1);
  CHECK(region.cells(0x1000, 20).size() == 5);
  region.define(0x1004, 8);
  CHECK_FALSE(region.cells(0x1000, 4)[0].defined());
  CHECK(region.cells(0x1004, 4)[0].defined());

  CHECK(region.cells(0x1006, 2).size() == 1);  // 2-byte cells from here on
  CHECK(region.cells(0x1000, 20).size() == 10);
  CHECK_FALSE(region.cells(0x1002, 2)[0].defined());
  for (const Cell& cell : region.cells(0x1004, 8)) CHECK(cell.defined());
  CHECK_FALSE(region.cells(0x100c, 2)[0].defined());

  region.define(0x1016, 1);  // the last byte
  CHECK(region.cells(0x1000, 23).size() == 23);
  CHECK(region.cells(0x1016, 1)[0].defined());
  CHECK_FALSE(region.cells(0x1015, 1)[0].defined());
  for (const Cell& cell : region.cells(0x1004, 8)) CHECK(cell.defined());
}

TEST_CASE("race checker: copies carry over what is undefined") {
  Region source({0x1000, 16});
  Region target({0x2000, 32});
  source.define(0x1004, 4);
  target.define(0x2000, 32);
  target.define_like(0x2008, source, 0x1000, 16);
  const auto is_defined = [](Region& region, uintptr_t address) {
    return region.cells(address, 4)[0].defined();
  };
  CHECK(is_defined(target, 0x2004));
  CHECK_FALSE(is_defined(target, 0x2008));
  CHECK(is_defined(target, 0x200c));
  CHECK_FALSE(is_defined(target, 0x2010));
  CHECK(is_defined(target, 0x2018));

  target.define_like(0x2004, target, 0x2008, 12);  // overlapping itself
  CHECK_FALSE(is_defined(target, 0x2004));
  CHECK(is_defined(target, 0x2008));
  CHECK_FALSE(is_defined(target, 0x200c));
}

TEST_CASE("race checker: when time begins anew, what was written stays written") {
  Region region({0x1000, 8});
  Ordering ordering;
  ordering.start_launch();
  ordering.start_block(32);
  region.cells(0x1000, 4)[0].write_time = ordering.now();
  region.forget_times();
  ordering = Ordering();
  ordering.start_launch();
  ordering.start_block(32);
  CHECK(region.cells(0x1000, 4)[0].defined());
  CHECK_FALSE(ordering.in_launch(region.cells(0x1000, 4)[0].write_time));
  CHECK_FALSE(region.cells(0x1004, 4)[0].defined());
}

TEST_CASE("race checker: what orders accesses, and what does not") {
  Ordering ordering;
  ordering.start_launch();
  ordering.start_block(64);
  const uint32_t start = ordering.now();
  CHECK(ordering.before(3, start, 3));  // itself
  CHECK_FALSE(ordering.before(3, start, 4));

  ordering.warp_barrier(0, 0x0000000c);  // lanes 2 and 3
  CHECK(ordering.before(3, start, 2));
  CHECK_FALSE(ordering.before(3, start, 4));
  CHECK_FALSE(ordering.before(3, ordering.now(), 2));  // after the barrier
  ordering.warp_barrier(0, 0x00000014);                // lanes 2 and 4
  CHECK(ordering.before(3, start, 4));                 // lane 2 has told it
  CHECK_FALSE(ordering.before(3, start, 35));

  ordering.block_barrier();
  CHECK(ordering.before(3, start, 35));

  const uint32_t written = ordering.now();
  ordering.fence(7);
  ordering.atomic(0x1000, 7);
  ordering.start_block(64);
  CHECK_FALSE(ordering.handed_over(7, written, 0));
  ordering.atomic(0x2000, 0);  // another address
  CHECK_FALSE(ordering.handed_over(7, written, 0));
  ordering.atomic(0x1000, 0);
  CHECK(ordering.handed_over(7, written, 0));
  CHECK_FALSE(ordering.handed_over(8, written, 0));  // thread 8 had no fence
  CHECK(ordering.handed_over(8, start, 0));          // but before the block's barrier
  CHECK_FALSE(ordering.handed_over(7, written, 1));  // thread 1 has not looked
  ordering.block_barrier();
  CHECK(ordering.handed_over(7, written, 1));
}
