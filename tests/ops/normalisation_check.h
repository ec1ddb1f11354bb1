// Checks that normalisations of an image's own share (kernels/layer_norm/, kernels/group_norm/).
//
// `Norm` is a family of operations: the types of their arguments, Forward, Backward, BackwardSums,
// Tangent, TangentBackward and TangentSums, and complete(args), which sets what else they have.
#pragma once

#include "kernels/core/op.h"
#include "tests/ops/op_check.h"

namespace topograd::test {

/// Returns arguments with what the family has beside tensors.
template <class Norm, class Args>
Args completed(const Norm& norm, Args args) {
  norm.complete(args);
  return args;
}

inline Shape last_axis(const Shape& shape) {
  return {shape[shape.rank() - 1]};
}

/// Holds every implementation of y, and of the gradients both ways of writing, against the
/// reference.
template <class Norm>
void check_normalisation(const Norm& norm, const Shape& shape, double tolerance) {
  const Shape vector = last_axis(shape);
  check_op<typename Norm::Forward>(
      text(Norm::Forward::kOp, ' ', shape),
      [&](Operands& o) {
        return completed(norm, typename Norm::Forward{.y = o.output(shape),
                                                      .x = o.normal(shape),
                                                      .gamma = o.normal(vector),
                                                      .beta = o.normal(vector)});
      },
      tolerance);
  for (Write write : {Write::overwrite, Write::accumulate}) {
    check_op<typename Norm::Backward>(
        text(Norm::Backward::kOp, ' ', shape),
        [&](Operands& o) {
          typename Norm::Backward args{.dx = o.output(shape, write),
                                       .dy = o.normal(shape),
                                       .x = o.normal(shape),
                                       .gamma = o.normal(vector)};
          args.write = write;
          return completed(norm, args);
        },
        tolerance);
    check_op<typename Norm::BackwardSums>(
        text(Norm::BackwardSums::kOp, ' ', shape),
        [&](Operands& o) {
          typename Norm::BackwardSums args{.dgamma = o.output(vector, write),
                                           .dbeta = o.output(vector, write),
                                           .dy = o.normal(shape),
                                           .x = o.normal(shape)};
          args.write = write;
          return completed(norm, args);
        },
        tolerance);
  }
}

/// Holds every implementation of the tangents against the reference.
template <class Norm>
void check_normalisation_tangents(const Norm& norm, const Shape& shape, double tolerance) {
  const Shape vector = last_axis(shape);
  check_op<typename Norm::Tangent>(
      text(Norm::Tangent::kOp, ' ', shape),
      [&](Operands& o) {
        return completed(norm, typename Norm::Tangent{.y_tangent = o.output(shape),
                                                      .x_tangent = o.normal(shape),
                                                      .x = o.normal(shape),
                                                      .gamma = o.normal(vector),
                                                      .gamma_tangent = o.normal(vector),
                                                      .beta_tangent = o.normal(vector)});
      },
      tolerance);
  for (Write write : {Write::overwrite, Write::accumulate}) {
    check_op<typename Norm::TangentBackward>(
        text(Norm::TangentBackward::kOp, ' ', shape),
        [&](Operands& o) {
          typename Norm::TangentBackward args{.dx_tangent = o.output(shape, write),
                                              .dy_tangent = o.normal(shape),
                                              .dy = o.normal(shape),
                                              .x_tangent = o.normal(shape),
                                              .x = o.normal(shape),
                                              .gamma = o.normal(vector),
                                              .gamma_tangent = o.normal(vector)};
          args.write = write;
          return completed(norm, args);
        },
        tolerance);
    check_op<typename Norm::TangentSums>(
        text(Norm::TangentSums::kOp, ' ', shape),
        [&](Operands& o) {
          typename Norm::TangentSums args{.dgamma_tangent = o.output(vector, write),
                                          .dbeta_tangent = o.output(vector, write),
                                          .dy_tangent = o.normal(shape),
                                          .dy = o.normal(shape),
                                          .x_tangent = o.normal(shape),
                                          .x = o.normal(shape)};
          args.write = write;
          return completed(norm, args);
        },
        tolerance);
  }
}

/// Holds every implementation against the reference at x = 1000 + normal: floats of that size lie
/// 6e-5 apart, and the inputs have been rounded to them for all implementations alike.
/// E[x^2] - mean^2 in float would be off by about 1e6 * 6e-8 = 0.06.
template <class Norm>
void check_normalisation_far_from_zero(const Norm& norm, const Shape& shape, double tolerance) {
  const Shape vector = last_axis(shape);
  const Tensor far(shape);
  const Philox random(3, RandomStream::test);
  for (int64_t i = 0; i < far.size(); ++i)
    far.data<float>()[i] = static_cast<float>(1000 + random.normal(static_cast<uint64_t>(i)));
  check_op<typename Norm::Forward>(
      text(Norm::Forward::kOp, " far from 0"),
      [&](Operands& o) {
        return completed(norm, typename Norm::Forward{.y = o.output(shape),
                                                      .x = o.given(far.converted(o.real())),
                                                      .gamma = o.normal(vector),
                                                      .beta = o.normal(vector)});
      },
      tolerance);
}

/// Holds y and the sums against the reference for a tensor of more rows or groups than a grid has
/// warps.
template <class Norm>
void check_many_normalisations(const Norm& norm, const Shape& shape, double tolerance) {
  const Shape vector = last_axis(shape);
  check_op<typename Norm::Forward>(
      text(Norm::Forward::kOp),
      [&](Operands& o) {
        return completed(norm, typename Norm::Forward{.y = o.output(shape),
                                                      .x = o.pattern(shape),
                                                      .gamma = o.normal(vector),
                                                      .beta = o.normal(vector)});
      },
      tolerance);
  check_op<typename Norm::BackwardSums>(
      text(Norm::BackwardSums::kOp),
      [&](Operands& o) {
        return completed(norm, typename Norm::BackwardSums{.dgamma = o.output(vector),
                                                           .dbeta = o.output(vector),
                                                           .dy = o.pattern(shape),
                                                           .x = o.pattern(shape)});
      },
      tolerance);
}

/// Holds the references' gradients and tangents against central differences of y and of the
/// gradients, in double.
template <class Norm>
void check_normalisation_differences(const Norm& norm, const Shape& shape) {
  const Shape vector = last_axis(shape);
  Operands o(7, DType::f64);
  const Tensor x = o.normal(shape), v = o.normal(shape), dy = o.normal(shape), w = o.normal(shape),
               gamma = o.normal(vector), gamma_tangent = o.normal(vector), beta = o.normal(vector),
               beta_tangent = o.normal(vector);
  Context context;
  const auto run = [&](const auto& args) { run_op(completed(norm, args), context); };
  const double h = 1e-5;
  const auto moved = [&](const Tensor& t, double step, const Tensor& direction) {
    const Tensor result = t.clone();
    for (int64_t i = 0; i < t.size(); ++i)
      result.data<double>()[i] += step * direction.data<double>()[i];
    return result;
  };
  const auto check = [&](const char* what, const Tensor& got, const auto& at) {
    const Tensor up = at(h), down = at(-h);
    const Tensor expected = up.clone();
    for (int64_t i = 0; i < up.size(); ++i)
      expected.data<double>()[i] = (up.data<double>()[i] - down.data<double>()[i]) / (2 * h);
    CHECK_MESSAGE(relative_error(expected, got) <= 1e-8, what);  // h^2 f''' / 6 + 1e-16 / h
  };
  const Tensor y_tangent(shape, DType::f64), dx(shape, DType::f64), dx_tangent(shape, DType::f64);
  const Tensor dgamma(vector, DType::f64), dbeta(vector, DType::f64),
      dgamma_tangent(vector, DType::f64), dbeta_tangent(vector, DType::f64);
  run(typename Norm::Tangent{.y_tangent = y_tangent,
                             .x_tangent = v,
                             .x = x,
                             .gamma = gamma,
                             .gamma_tangent = gamma_tangent,
                             .beta_tangent = beta_tangent});
  check("y'", y_tangent, [&](double step) {
    const Tensor y(shape, DType::f64);
    run(typename Norm::Forward{.y = y,
                               .x = moved(x, step, v),
                               .gamma = moved(gamma, step, gamma_tangent),
                               .beta = moved(beta, step, beta_tangent)});
    return y;
  });

  // The gradient's part along a direction is dy times the tangent of y.
  run(typename Norm::Backward{.dx = dx, .dy = dy, .x = x, .gamma = gamma});
  run(typename Norm::BackwardSums{.dgamma = dgamma, .dbeta = dbeta, .dy = dy, .x = x});
  const auto dot = [](const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (int64_t i = 0; i < a.size(); ++i) sum += a.data<double>()[i] * b.data<double>()[i];
    return sum;
  };
  CHECK(dot(dx, v) + dot(dgamma, gamma_tangent) + dot(dbeta, beta_tangent) ==
        doctest::Approx(dot(dy, y_tangent)).epsilon(1e-12));

  run(typename Norm::TangentBackward{.dx_tangent = dx_tangent,
                                     .dy_tangent = w,
                                     .dy = dy,
                                     .x_tangent = v,
                                     .x = x,
                                     .gamma = gamma,
                                     .gamma_tangent = gamma_tangent});
  check("dx'", dx_tangent, [&](double step) {
    const Tensor result(shape, DType::f64);
    run(typename Norm::Backward{.dx = result,
                                .dy = moved(dy, step, w),
                                .x = moved(x, step, v),
                                .gamma = moved(gamma, step, gamma_tangent)});
    return result;
  });
  run(typename Norm::TangentSums{.dgamma_tangent = dgamma_tangent,
                                 .dbeta_tangent = dbeta_tangent,
                                 .dy_tangent = w,
                                 .dy = dy,
                                 .x_tangent = v,
                                 .x = x});
  for (bool scale : {true, false})
    check(scale ? "dgamma'" : "dbeta'", scale ? dgamma_tangent : dbeta_tangent, [&](double step) {
      const Tensor a(vector, DType::f64), b(vector, DType::f64);
      run(typename Norm::BackwardSums{
          .dgamma = a, .dbeta = b, .dy = moved(dy, step, w), .x = moved(x, step, v)});
      return scale ? a : b;
    });
}

/// Holds every implementation against itself with its output in the place of its input: y in x,
/// dx' in dy'.
template <class Norm>
void check_normalisation_in_place(const Norm& norm, const Shape& shape) {
  const Shape vector = last_axis(shape);
  for_each_execution<typename Norm::Forward>(
      [&](const auto& implementation, const Execution&, Context& context) {
        Operands o(1, DType::f32, implementation.device);
        const Tensor x = o.normal(shape), gamma = o.normal(vector), beta = o.normal(vector);
        const Tensor y = o.output(shape);
        auto args =
            completed(norm, typename Norm::Forward{.y = y, .x = x, .gamma = gamma, .beta = beta});
        implementation.run(args, context);
        args.y = x;
        implementation.run(args, context);
        CHECK(relative_error(y.to(Device::cpu), x.to(Device::cpu)) == 0);
      });
  for_each_execution<typename Norm::TangentBackward>([&](const auto& implementation,
                                                         const Execution&, Context& context) {
    Operands o(2, DType::f32, implementation.device);
    const Tensor dy_tangent = o.normal(shape), dx_tangent = o.output(shape);
    auto args = completed(norm, typename Norm::TangentBackward{.dx_tangent = dx_tangent,
                                                               .dy_tangent = dy_tangent,
                                                               .dy = o.normal(shape),
                                                               .x_tangent = o.normal(shape),
                                                               .x = o.normal(shape),
                                                               .gamma = o.normal(vector),
                                                               .gamma_tangent = o.normal(vector)});
    implementation.run(args, context);
    args.dx_tangent = dy_tangent;
    implementation.run(args, context);
    CHECK(relative_error(dx_tangent.to(Device::cpu), dy_tangent.to(Device::cpu)) == 0);
  });
}

}  // namespace topograd::test
