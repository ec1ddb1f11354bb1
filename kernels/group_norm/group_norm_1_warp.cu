// y = gamma xhat + beta, dx = i (g - mean of g - xhat (mean of g xhat)) with g = gamma dy, and the
// tangents y' and dx' of layer_norm_tangent.h, where xhat = (x - mean) i standardises a group: K
// neighbouring channels of all pixels of an image.
//
// As in layer_norm_1_warp.cu, with a group for a row: a warp owns group r of all images' groups,
// then r + warps of the grid, ...; its lane l owns the group's elements l, l + 32, ..., counted
// pixel by pixel. Every sum over a group is five exchanges between lanes; there is no shared memory
// and no barrier. What is new is where an element lies: element i is channel i % K of pixel i / K,
// so a warp reads 32 / K pieces of K floats. With K below 8, sectors of 32 bytes have floats of
// several groups: the eight warps of a block own neighbouring groups and find them in the L1 cache.
//
// Traffic, from memory: forward 8 bytes per element, backward 12, y' 12, dx' 20 (4 more where it
// adds). The passes after the first read a group again: it is as large as an image over the number
// of groups, 64 KB for 32x32 pixels of 16 channels, so from the L2 cache. Work per element:
// forward 7 FLOP in double, backward 15, y' 17, dx' 49, and some 20 instructions to find its place
// in each pass. Memory bounds it where there are thousands of groups; 128 images of 8 groups are
// 1024 warps, an eighth of what a GPU has room for, and each waits for its elements in turn
// (predicted). A rung with a block per group would be next.
#include "kernels/group_norm/group_elements.h"
#include "kernels/group_norm/group_norm_tangent.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Forward kernel; y may be x. Null parameters: gamma 1, beta 0.
__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* y, const float* x, const float* __restrict__ gamma,
                   const float* __restrict__ beta, Groups groups, double epsilon) {
  // This thread's warp owns groups r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = first_element() / kWarp; r < groups.count; r += element_step() / kWarp) {
    const int64_t begin = groups.begin(r), channel = groups.first_channel(r);
    const RowStatistics row =
        row_statistics(GroupElements{x + begin, groups}, groups.size, epsilon, lane);
    for (int64_t i = lane; i < groups.size; i += kWarp) {
      const auto [offset, k] = groups.place(i);
      y[begin + offset] =
          static_cast<float>(element_or(gamma, channel + k, 1.0f) * row.xhat(x[begin + offset]) +
                             element_or(beta, channel + k, 0.0f));
    }
  }
}

/// Backward kernel; dx may be dy: a lane writes only the elements it owns, after the group's sums
/// are complete.
__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* dx, const float* dy, const float* __restrict__ x,
                    const float* __restrict__ gamma, Groups groups, double epsilon,
                    bool accumulate) {
  // This thread's warp owns groups r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const double per_element = 1 / static_cast<double>(groups.size);
  for (int64_t r = first_element() / kWarp; r < groups.count; r += element_step() / kWarp) {
    const int64_t begin = groups.begin(r), channel = groups.first_channel(r);
    const RowStatistics row =
        row_statistics(GroupElements{x + begin, groups}, groups.size, epsilon, lane);
    double sum = 0, products = 0;
    for (int64_t i = lane; i < groups.size; i += kWarp) {
      const auto [offset, k] = groups.place(i);
      const double g =
          static_cast<double>(element_or(gamma, channel + k, 1.0f)) * dy[begin + offset];
      sum += g;
      products += g * row.xhat(x[begin + offset]);
    }
    const double m = sum_over_warp(sum) * per_element;
    const double q = sum_over_warp(products) * per_element;
    for (int64_t i = lane; i < groups.size; i += kWarp) {
      const auto [offset, k] = groups.place(i);
      const int64_t at = begin + offset;
      const double g = static_cast<double>(element_or(gamma, channel + k, 1.0f)) * dy[at];
      const double value = row.inverse * (g - m - row.xhat(x[at]) * q);
      dx[at] = static_cast<float>(accumulate ? dx[at] + value : value);
    }
  }
}

/// Kernel of y'; y_tangent may be x_tangent. Null parameters: gamma 1, all others 0.
__global__ void __launch_bounds__(kThreads)
    tangent_kernel(float* y_tangent, const float* x_tangent, const float* __restrict__ x,
                   const float* __restrict__ gamma, const float* __restrict__ gamma_tangent,
                   const float* __restrict__ beta_tangent, Groups groups, double epsilon) {
  // This thread's warp owns groups r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = first_element() / kWarp; r < groups.count; r += element_step() / kWarp) {
    const int64_t begin = groups.begin(r), channel = groups.first_channel(r);
    const GroupElements in{x + begin, groups};
    const RowStatistics row = row_statistics(in, groups.size, epsilon, lane);
    const RowTangent moved =
        row_tangent(row, GroupElements{x_tangent + begin, groups}, in, groups.size, lane);
    for (int64_t i = lane; i < groups.size; i += kWarp) {
      const auto [offset, k] = groups.place(i);
      const double xhat = row.xhat(x[begin + offset]);
      const double xhat_tangent = moved.xhat_tangent(row, x_tangent[begin + offset], xhat);
      y_tangent[begin + offset] =
          static_cast<float>(element_or(gamma, channel + k, 1.0f) * xhat_tangent +
                             element_or(gamma_tangent, channel + k, 0.0f) * xhat +
                             element_or(beta_tangent, channel + k, 0.0f));
    }
  }
}

/// Operands of dx', [N, ..., C] but gamma and gamma_tangent [C].
struct Gradients {
  const float *dy_tangent, *dy, *x_tangent, *x, *gamma, *gamma_tangent;
  __device__ double g(int64_t at, int64_t c) const {
    return static_cast<double>(element_or(gamma, c, 1.0f)) * dy[at];
  }
  __device__ double g_tangent(int64_t at, int64_t c) const {
    return static_cast<double>(element_or(gamma_tangent, c, 0.0f)) * dy[at] +
           static_cast<double>(element_or(gamma, c, 1.0f)) * dy_tangent[at];
  }
};

/// Kernel of dx'; dx_tangent may be in.dy_tangent: a lane writes only the elements it owns, after
/// the group's sums are complete.
__global__ void __launch_bounds__(kThreads)
    tangent_backward_kernel(float* dx_tangent, Gradients in, Groups groups, double epsilon,
                            bool accumulate) {
  // This thread's warp owns groups r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const double per_element = 1 / static_cast<double>(groups.size);
  for (int64_t r = first_element() / kWarp; r < groups.count; r += element_step() / kWarp) {
    const int64_t begin = groups.begin(r), channel = groups.first_channel(r);
    const GroupElements x{in.x + begin, groups};
    const RowStatistics row = row_statistics(x, groups.size, epsilon, lane);
    const RowTangent moved =
        row_tangent(row, GroupElements{in.x_tangent + begin, groups}, x, groups.size, lane);
    double m = 0, q = 0, m_tangent = 0, q_tangent = 0;
    for (int64_t i = lane; i < groups.size; i += kWarp) {
      const auto [offset, k] = groups.place(i);
      const int64_t at = begin + offset, c = channel + k;
      const double g = in.g(at, c), g_tangent = in.g_tangent(at, c), xhat = row.xhat(in.x[at]);
      m += g;
      q += g * xhat;
      m_tangent += g_tangent;
      q_tangent += g_tangent * xhat + g * moved.xhat_tangent(row, in.x_tangent[at], xhat);
    }
    m = sum_over_warp(m) * per_element;
    q = sum_over_warp(q) * per_element;
    m_tangent = sum_over_warp(m_tangent) * per_element;
    q_tangent = sum_over_warp(q_tangent) * per_element;
    for (int64_t i = lane; i < groups.size; i += kWarp) {
      const auto [offset, k] = groups.place(i);
      const int64_t at = begin + offset, c = channel + k;
      const double xhat = row.xhat(in.x[at]);
      const double dx = row.inverse * (in.g(at, c) - m - xhat * q);
      const double xhat_tangent = moved.xhat_tangent(row, in.x_tangent[at], xhat);
      const double sum =
          in.g_tangent(at, c) - m_tangent - xhat_tangent * q - xhat * q_tangent - moved.b * dx;
      const double value = row.inverse * sum;
      dx_tangent[at] = static_cast<float>(accumulate ? dx_tangent[at] + value : value);
    }
  }
}

template <class Args>
Groups groups_of(const Args& args) {
  return Groups(GroupExtents(args.x, args.groups));
}

void forward(const GroupNormArgs& args, Context& context) {
  const Groups groups = groups_of(args);
  launch(forward_kernel, grid_for(groups.count * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), pointer<float>(args.gamma),
         pointer<float>(args.beta), groups, args.epsilon);
}

void backward(const GroupNormBackwardArgs& args, Context& context) {
  const Groups groups = groups_of(args);
  launch(backward_kernel, grid_for(groups.count * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dx), pointer<float>(args.dy), pointer<float>(args.x),
         pointer<float>(args.gamma), groups, args.epsilon, args.write == Write::accumulate);
}

void tangent(const GroupNormTangentArgs& args, Context& context) {
  const Groups groups = groups_of(args);
  launch(tangent_kernel, grid_for(groups.count * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y_tangent), pointer<float>(args.x_tangent), pointer<float>(args.x),
         pointer<float>(args.gamma), pointer<float>(args.gamma_tangent),
         pointer<float>(args.beta_tangent), groups, args.epsilon);
}

void tangent_backward(const GroupNormTangentBackwardArgs& args, Context& context) {
  const Groups groups = groups_of(args);
  const Gradients in{pointer<float>(args.dy_tangent), pointer<float>(args.dy),
                     pointer<float>(args.x_tangent),  pointer<float>(args.x),
                     pointer<float>(args.gamma),      pointer<float>(args.gamma_tangent)};
  launch(tangent_backward_kernel, grid_for(groups.count * kWarp, kThreads), dim3(kThreads), 0,
         context, pointer<float>(args.dx_tangent), in, groups, args.epsilon,
         args.write == Write::accumulate);
}

template <class Args>
void add(OpRegistry& registry, void (*run)(const Args&, Context&)) {
  registry.add<Args>({"warp", kDevice, [](const Args& args) { return all_f32(args.x); }, run});
}

}  // namespace

void register_group_norm_1_warp(OpRegistry& registry) {
  add<GroupNormArgs>(registry, forward);
  add<GroupNormBackwardArgs>(registry, backward);
  add<GroupNormTangentArgs>(registry, tangent);
  add<GroupNormTangentBackwardArgs>(registry, tangent_backward);
}

}  // namespace topograd::TOPOGRAD_BACKEND
