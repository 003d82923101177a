// Sequences as wholes: a row put in front of each, and the mean of each.
#pragma once

#include "../rows.h"
#include "../tensor.h"

namespace normlab {

// `rows` with each sequence one row longer, at its front. Error when a row of `rows` does not count.
Rows one_longer(const Rows& rows);

// y[tokens + sequences, n], packed as one_longer(rows): each sequence of x[tokens, n], packed as `rows`, behind row[n],
// the same for all (the class token of Devlin et al. 2019 and Dosovitskiy et al. 2021).
Tensor prepend_row(const Tensor& x, const Tensor& row, const Rows& rows);

// y[sequences, n]: the mean over the rows of each sequence of x[tokens, n], packed as `rows`. Error when a sequence has
// none, or a row does not count.
Tensor mean_of_sequences(const Tensor& x, const Rows& rows);

}  // namespace normlab
