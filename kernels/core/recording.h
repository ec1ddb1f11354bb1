// A pass over a network, recorded once and replayed: one launch instead of hundreds.
#pragma once

#include <functional>
#include <memory>

#include "kernels/core/context.h"

namespace topograd {

/// Runs the same sequence of operations again and again. On a GPU the first call runs it as it is
/// (libraries choose their algorithms, workspaces grow), the second records it as a CUDA graph, and
/// from then on the graph is launched. Elsewhere every call runs it.
///
/// The work must queue operations on the context alone, on the same tensors each time: no copies to
/// or from the host, no allocation.
class Recording {
 public:
  void run(Context& context, const std::function<void()>& work) {
    const DeviceDriver& driver = driver_of(context.device());
    if (!driver.record || !warm_) {
      work();
      warm_ = true;
      return;
    }
    if (!recorded_) recorded_ = driver.record(context, work);
    driver.replay(context, recorded_.get());
  }

 private:
  bool warm_ = false;
  std::shared_ptr<void> recorded_;
};

}  // namespace topograd
