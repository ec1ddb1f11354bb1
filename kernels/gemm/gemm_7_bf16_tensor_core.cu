// C = op(A) op(B) on the tensor cores, for those who ask for Precision::bf16 or bf16x3.
//
// Since rung 6: the same loop over tiles (tile.cuh), another block (tensor_core_block.cuh). The
// operands are rounded to bf16, once or into two parts, where they go from registers to shared
// memory, and a warp multiplies 16 x 8 elements 16 deep in one instruction.
// A block of 4 warps owns 128 x 64 elements of C (128 x 32, 128 x 16 where C is that narrow), warp
// w rows 32 w to 32 w + 31; lane l of it columns 2 (l % 4) and the next of every eight, rows l / 4
// and l / 4 + 8 of every sixteen. Work: 2 M N K FLOP, three times that in bf16x3. Traffic as in
// rung 6, because operands are f32 in memory. Shared memory: two tiles, at most 18,432 bytes (where
// both operands run along K), 36,864 in bf16x3.
// By prediction, for a step of 128 x 64 x 16 on an A100: the tensor cores take 128 clocks; 12 KB
// come from the caches, 6 KB go to shared memory and 12 KB come back as fragments, 240 clocks at
// 128 bytes each. That bounds bf16; in bf16x3, 48 KB and three times the products take 384 either
// way.
#include "kernels/gemm/gemm_tiles.cuh"
#include "kernels/gemm/tensor_core_block.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

void run(const GemmArgs& args, Context& context) {
  with_tensor_core_block(args.precision, args.n(),
                         [&](auto block) { run_gemm_tiles<decltype(block)>(args, context); });
}

}  // namespace

void register_gemm_7_bf16_tensor_core(OpRegistry& registry) {
  registry.add<GemmArgs>(
      {"bf16_tensor_core", kDevice,
       [](const GemmArgs& args) { return args.precision != Precision::f32 && tiles_support(args); },
       run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
