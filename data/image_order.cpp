#include "data/image_order.h"

#include <algorithm>
#include <map>

#include "kernels/core/philox.h"

namespace topograd {

namespace {

/// Random stream of this order; shuffles' epochs count from 0 and do not reach it.
constexpr uint32_t kSubstream = 0xFFFFFFFF;

/// Place of an image in its class: the `rank`-th of `size`, in random order.
struct Seat {
  int32_t image = 0;
  uint64_t rank = 0, size = 1;
  double lot = 0;  // random, for ranks and ties
};

/// Returns whether a comes before b: compares (2 rank + 1) / size without rounding.
bool comes_before(const Seat& a, const Seat& b) {
  const uint64_t left = (2 * a.rank + 1) * b.size, right = (2 * b.rank + 1) * a.size;
  if (left != right) return left < right;
  return a.lot != b.lot ? a.lot < b.lot : a.image < b.image;
}

}  // namespace

std::vector<int32_t> stratified_order(std::span<const int32_t> labels, uint64_t seed) {
  const Philox random(seed, RandomStream::shuffle, kSubstream);
  std::map<int32_t, std::vector<Seat>> classes;
  for (size_t i = 0; i < labels.size(); ++i)
    classes[labels[i]].push_back(
        {.image = static_cast<int32_t>(i), .lot = random.uniform(static_cast<uint64_t>(i))});
  std::vector<Seat> seats;
  for (auto& [label, members] : classes) {
    std::sort(members.begin(), members.end(), [](const Seat& a, const Seat& b) {
      return a.lot != b.lot ? a.lot < b.lot : a.image < b.image;
    });
    for (size_t rank = 0; rank < members.size(); ++rank) {
      members[rank].rank = rank;
      members[rank].size = members.size();
    }
    seats.insert(seats.end(), members.begin(), members.end());
  }
  std::sort(seats.begin(), seats.end(), comes_before);
  std::vector<int32_t> order;
  for (const Seat& seat : seats) order.push_back(seat.image);
  return order;
}

}  // namespace topograd
