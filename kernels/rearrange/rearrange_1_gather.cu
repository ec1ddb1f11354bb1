// y = x's elements in another order, and the gradient back; zeros where there is padding.
//
// Forward, thread i owns elements i, i + step, ... of y: it divides i by the extents of the map's
// axes, innermost first (kernels/core/divisor.h), and asks where its element lies in x. A warp
// writes one line of 128 bytes. What it reads is one line too where the innermost axis is
// contiguous in x (slices, padding); where it is not (a transposed axis), up to 32 lines, of which
// the caches give the other elements to the warps that come next.
// Backward the same way round: a thread reads its element of dy and writes where x's was read. No
// element of x was read twice, so no two threads write one. Elements that were not read are zeroed
// by a kernel before, where there are any.
// Traffic: 8 bytes per element (12 where gradients add). Work: at most six divisions by
// multiplication, some 15 instructions each; axes that are one are merged before. Memory bounds
// slices, padding and shuffles; a transposed axis is bounded by the lines that the L1 cache is
// asked for, eight times as long at worst (predicted). A tile in shared memory would be the next
// rung.
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/rearrange/rearrange.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// One axis, for the device.
struct DeviceAxis {
  Divisor extent;
  int64_t stride, begin, end;

  explicit DeviceAxis(const StridedMap::Axis& axis)
      : extent(axis.extent), stride(axis.stride), begin(axis.begin), end(axis.end) {}
};

/// A map without the axes in front that have one element.
struct DeviceMap {
  DeviceAxis axes[StridedMap::kAxes];
  int first;  // axis
  int64_t offset;
  Divisor size;        // of an image's output
  int64_t input_size;  // of an image's input

  DeviceMap(const StridedMap& map, int64_t input_size_)
      : axes{DeviceAxis(map.axes[0]), DeviceAxis(map.axes[1]), DeviceAxis(map.axes[2]),
             DeviceAxis(map.axes[3]), DeviceAxis(map.axes[4]), DeviceAxis(map.axes[5])},
        first(0),
        offset(map.offset),
        size(map.size()),
        input_size(input_size_) {
    while (first < StridedMap::kAxes && map.axes[static_cast<size_t>(first)] == StridedMap::Axis{})
      ++first;
  }
  /// Returns the input's element for element i of the output of all images, -1 for the padding.
  __device__ int64_t source_of(int64_t i) const {
    const auto [image, within] = size.divide(i);
    int64_t rest = within, element = image * input_size + offset;
    bool inside = true;
    for (int k = StridedMap::kAxes - 1; k >= first; --k) {
      const auto [outer, at] = axes[k].extent.divide(rest);
      inside = inside && at >= axes[k].begin && at < axes[k].end;
      element += (at - axes[k].begin) * axes[k].stride;
      rest = outer;
    }
    return inside ? element : -1;
  }
};

__global__ void __launch_bounds__(kThreads)
    gather_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t n, DeviceMap map) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const int64_t source = map.source_of(i);
    y[i] = source < 0 ? 0.0f : x[source];
  }
}

__global__ void __launch_bounds__(kThreads) zero_kernel(float* dx, int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) dx[i] = 0;
}

__global__ void __launch_bounds__(kThreads)
    scatter_kernel(float* __restrict__ dx, const float* __restrict__ dy, int64_t n, DeviceMap map,
                   bool accumulate) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const int64_t source = map.source_of(i);
    if (source >= 0) dx[source] = accumulate ? dx[source] + dy[i] : dy[i];
  }
}

void forward(const RearrangeArgs& args, Context& context) {
  const int64_t n = args.y.size();
  if (n == 0) return;
  launch(gather_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.x), n, DeviceMap(args.map.merged(), args.x.size() / args.x.dim(0)));
}

void backward(const RearrangeBackwardArgs& args, Context& context) {
  const int64_t n = args.dy.size(), inputs = args.dx.size();
  if (inputs == 0) return;
  const int64_t images = args.dx.dim(0), input_size = inputs / images;
  const bool accumulate = args.write == Write::accumulate;
  if (!accumulate && args.map.read_size() < input_size)
    launch(zero_kernel, grid_for(inputs, kThreads), dim3(kThreads), 0, context,
           pointer<float>(args.dx), inputs);
  if (n == 0) return;
  launch(scatter_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.dx),
         pointer<float>(args.dy), n, DeviceMap(args.map.merged(), input_size), accumulate);
}

}  // namespace

void register_rearrange_1_gather(OpRegistry& registry) {
  registry.add<RearrangeArgs>(
      {"gather", kDevice, [](const RearrangeArgs& args) { return all_f32(args.y); }, forward});
  registry.add<RearrangeBackwardArgs>(
      {"gather", kDevice, [](const RearrangeBackwardArgs& args) { return all_f32(args.dx); },
       backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
