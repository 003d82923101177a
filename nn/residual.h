// Where the norm of a residual branch stands. The only place in the program that knows.
#pragma once

#include <functional>

#include "dropout.h"
#include "norm/norm.h"

namespace normlab {

// Xiong et al. 2020, table 1: Pre-LN normalizes what goes into the branch, Post-LN the sum that comes out.
enum class Placement { pre, post };

// pre:  y = x + dropout(branch(norm(x)))
// post: y = norm(x + dropout(branch(x)))
// x and y are [tokens, features]; the branch keeps that shape.
Tensor residual(Placement placement, Norm& norm, const Tensor& x, const Rows& rows, const Pass& pass,
                const Dropout& dropout, const std::function<Tensor(const Tensor&)>& branch);

}  // namespace normlab
