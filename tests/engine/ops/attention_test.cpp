// Attention against its composition from plain matrix products and softmax, finite differences, and what it promises
// about sequences, causality and caches.
#include "engine/ops/attention.h"

#include <cmath>
#include <set>

#include "engine/gradcheck.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/product.h"
#include "engine/ops/softmax.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

struct Problem {
  std::vector<Index> query_lengths, key_lengths;
  Index width, heads;
  bool causal;
  double dropout = 0;

  Rows query_rows() const { return Rows::of_lengths(query_lengths); }
  Rows key_rows() const { return Rows::of_lengths(key_lengths); }
  AttentionOptions options() const { return {heads, causal, dropout, random_stream(7, "attention")}; }
  std::vector<Tensor> inputs(Dtype dtype = Dtype::f64) const {
    return {gaussian({query_rows().tokens(), width}, "query", dtype),
            gaussian({key_rows().tokens(), width}, "key", dtype),
            gaussian({key_rows().tokens(), width}, "value", dtype)};
  }
  TensorFunction function() const {
    return [*this](const std::vector<Tensor>& in) {
      return attention(in[0], in[1], in[2], query_rows(), key_rows(), options());
    };
  }

  // The twin, from products with matrices of zeros and ones that pick the rows of a sequence and the columns of a head.
  TensorFunction twin() const {
    return [*this](const std::vector<Tensor>& in) {
      Tensor y = Tensor::zeros(in[0].shape(), in[0].dtype());
      const Index d = width / heads;
      for (Index s = 0; s < query_rows().sequences(); ++s) {
        const Index n = query_rows().length(s), m = key_rows().length(s);
        if (n == 0) continue;
        const Tensor query_picker = picker(n, query_rows().begin(s), in[0].rows());
        const Tensor key_picker = picker(m, key_rows().begin(s), in[1].rows());
        Tensor hidden = Tensor::zeros({n, m}, Dtype::f64);
        for (Index i = 0; i < n; ++i) {
          for (Index j = 0; j < m; ++j) hidden.set(i * m + j, causal && j > m - n + i ? -1e9 : 0);
        }
        for (Index head = 0; head < heads; ++head) {
          const Tensor columns = picker(d, head * d, width);
          const Tensor q = matmul(matmul(query_picker, in[0]), columns, false, true);
          const Tensor k = matmul(matmul(key_picker, in[1]), columns, false, true);
          const Tensor v = matmul(matmul(key_picker, in[2]), columns, false, true);
          const Tensor scores = scale(matmul(q, k, false, true), 1 / std::sqrt(static_cast<double>(d)));
          const Tensor head_y = matmul(softmax(add(scores, hidden)), v);
          y = add(y, matmul(matmul(query_picker, head_y, true), columns));
        }
      }
      return y;
    };
  }
  static Tensor picker(Index count, Index from, Index of) {
    Tensor picks = Tensor::zeros({count, of}, Dtype::f64);
    for (Index i = 0; i < count; ++i) picks.set(i * of + from + i, 1);
    return picks;
  }
};

const std::vector<std::string> kNames = {"query", "key", "value"};
const std::vector<Problem> kSmall = {
    {{5}, {5}, 6, 2, false},  // self attention
    {{5}, {5}, 6, 2, true},
    {{3, 1, 4}, {3, 1, 4}, 6, 3, true},   // several sequences, one of length 1
    {{3, 1, 4}, {2, 5, 1}, 6, 1, false},  // cross attention
    {{1, 2}, {6, 2}, 4, 2, true},         // a cache: queries at the end of the keys
    {{2, 0, 3}, {2, 4, 3}, 4, 4, true},   // keys that nobody asks
    {{4, 2}, {4, 2}, 6, 2, true, 0.3},
    {{4, 2}, {3, 5}, 6, 2, false, 0.6},
};
const Problem kLong = {{150, 1, 64, 65}, {150, 1, 64, 65}, 12, 2, true};  // several blocks of queries

Tensor slice(const Tensor& x, Index begin, Index end) {
  const auto values = x.values<double>().subspan(static_cast<std::size_t>(begin * x.columns()),
                                                 static_cast<std::size_t>((end - begin) * x.columns()));
  return Tensor::from<double>({end - begin, x.columns()}, values);
}

}  // namespace

TEST_CASE("attention: gradients") {
  for (const Problem& problem : kSmall) {
    const GradcheckResult result = gradcheck(problem.function(), problem.inputs(), {.names = kNames});
    INFO(result.report);
    CHECK(result);
  }
}

TEST_CASE("attention: gradients across blocks of queries") {
  for (const double dropout : {0.0, 0.2}) {
    Problem problem = kLong;
    problem.dropout = dropout;
    const GradcheckResult result = gradcheck(problem.function(), problem.inputs(), {.elements = 20, .names = kNames});
    INFO(result.report);
    CHECK(result);
  }
}

TEST_CASE("attention: one tensor may be query, key and value at once") {
  const Rows rows = Rows::of_lengths({5, 70});
  const GradcheckResult result = gradcheck(
      [&](const std::vector<Tensor>& in) {
        const Tensor x = scale(in[0], 2);  // not a leaf: its gradient is written before it is added to
        return attention(x, x, x, rows, rows, {2, true, 0, {}});
      },
      {gaussian({75, 4}, "x")}, {.elements = 60, .names = {"x"}});
  INFO(result.report);
  CHECK(result);
}

TEST_CASE("attention: gradient for some of the inputs only") {
  const Problem problem = kSmall[2];
  const std::vector<Tensor> in = problem.inputs();
  for (std::size_t wanted = 0; wanted < 3; ++wanted) {
    const auto one = [&](const std::vector<Tensor>& leaf) {
      std::vector<Tensor> mixed = in;
      mixed[wanted] = leaf[0];
      return problem.function()(mixed);
    };
    const GradcheckResult result = gradcheck(one, {in[wanted].clone()});
    INFO(result.report);
    CHECK(result);
  }
}

TEST_CASE("attention and its composition from products and softmax agree") {
  for (const Problem& problem : kSmall) {
    if (problem.dropout == 0) CHECK(difference(problem.function(), problem.twin(), problem.inputs()) < 1e-12);
  }
  CHECK(difference(kLong.function(), kLong.twin(), kLong.inputs()) < 1e-12);
}

TEST_CASE("attention in f32 keeps up with f64") {
  Problem problem = kLong;
  CHECK(difference_of_f32(problem.function(), problem.inputs()) < 1e-5);
  problem.dropout = 0.1;
  CHECK(difference_of_f32(problem.function(), problem.inputs()) < 1e-5);
}

TEST_CASE("attention: large scores do not overflow") {
  const Problem problem = {{20}, {20}, 4, 1, true};
  std::vector<Tensor> in = problem.inputs(Dtype::f32);
  for (Index i = 0; i < in[0].size(); ++i) in[0].set(i, 1e4 * in[0].at(i));
  for (const Tensor& result : value_and_gradients(problem.function(), in)) CHECK(result.all_finite());
}

TEST_CASE("attention lets NaN be seen") {
  const Problem problem = {{20}, {20}, 4, 1, true};
  for (std::size_t input = 0; input < 3; ++input) {
    for (const Index row : {0, 7, 19}) {
      std::vector<Tensor> in = problem.inputs(Dtype::f32);
      in[input].set(row * 4 + 1, std::nan(""));
      CHECK_FALSE(problem.function()(in).all_finite());
    }
  }
}

TEST_CASE("attention: a sequence does not depend on its neighbours in the batch") {
  for (const double dropout : {0.0, 0.4}) {
    Problem problem = kLong;
    problem.dropout = dropout;
    const std::vector<Tensor> in = problem.inputs();
    const Tensor all = problem.function()(in);
    // Other numbers in the neighbours, the same bits here.
    std::vector<Tensor> other = problem.inputs();
    const Rows rows = problem.query_rows();
    for (Tensor& x : other) {
      for (Index row = 0; row < rows.tokens(); ++row) {
        if (row >= rows.begin(2) && row < rows.end(2)) continue;
        for (Index c = 0; c < x.columns(); ++c) x.set(row * x.columns() + c, 1e3);
      }
    }
    const Tensor changed = problem.function()(other);
    CHECK(same_bits(slice(all, rows.begin(2), rows.end(2)), slice(changed, rows.begin(2), rows.end(2))));
    // No neighbours at all. (With dropout the place of a sequence in the batch chooses its random numbers.)
    const Problem first = {{150}, {150}, 12, 2, true, dropout};
    const Tensor alone = first.function()({slice(in[0], 0, 150), slice(in[1], 0, 150), slice(in[2], 0, 150)});
    CHECK(difference(slice(all, 0, 150), alone) < 1e-14);
  }
}

TEST_CASE("attention, causal: a later token changes nothing earlier") {
  const Problem problem = {{130}, {130}, 6, 2, true};
  const std::vector<Tensor> in = problem.inputs();
  const Tensor y = problem.function()(in);
  for (const Index token : {1, 63, 64, 129}) {
    std::vector<Tensor> other = problem.inputs();
    for (Tensor& x : other) {
      for (Index c = 0; c < 6; ++c) x.set(token * 6 + c, -5);
    }
    const Tensor changed = problem.function()(other);
    CHECK(same_bits(slice(y, 0, token), slice(changed, 0, token)));
    for (Index later = token; later < 130; ++later) {
      CHECK_FALSE(same_bits(slice(y, later, later + 1), slice(changed, later, later + 1)));
    }
  }
}

TEST_CASE("attention, causal: few queries on a cache give the tail of the whole") {
  const Problem whole = {{100, 7}, {100, 7}, 6, 2, true};
  const std::vector<Tensor> in = whole.inputs();
  const Tensor y = whole.function()(in);
  const Problem tail = {{3, 1}, {100, 7}, 6, 2, true};
  Tensor query = Tensor::empty({4, 6}, Dtype::f64), expected = Tensor::empty({4, 6}, Dtype::f64);
  const Index rows[] = {97, 98, 99, 106};
  for (Index i = 0; i < 4; ++i) {
    for (Index c = 0; c < 6; ++c) {
      query.set(i * 6 + c, in[0].at(rows[i] * 6 + c));
      expected.set(i * 6 + c, y.at(rows[i] * 6 + c));
    }
  }
  CHECK(difference(tail.function()({query, in[1], in[2]}), expected) < 1e-14);
}

TEST_CASE("attention: dropout of the probabilities") {
  // Equal scores and values of one: y is the mean over the keys of the mask, 0 or 1 / (1 - dropout) each.
  const Index length = 500, heads = 4;
  const double dropout = 0.2;
  const Rows rows = Rows::equal(2, length);
  const Tensor zeros = Tensor::zeros({2 * length, heads}, Dtype::f64);
  const Tensor ones = Tensor::full({2 * length, heads}, Dtype::f64, 1);
  const auto run = [&](std::uint64_t step) {
    return attention(zeros, zeros, ones, rows, rows, {heads, false, dropout, random_stream(7, "attention", step)});
  };
  const Tensor y = run(1);
  SECTION("its expectation is one, its variance that of independent draws") {
    double mean = 0, variance = 0;
    const auto count = static_cast<double>(y.size());
    for (Index i = 0; i < y.size(); ++i) mean += y.at(i) / count;
    for (Index i = 0; i < y.size(); ++i) variance += std::pow(y.at(i) - 1, 2) / count;
    const double expected = dropout / (1 - dropout) / static_cast<double>(length);
    CHECK(std::abs(mean - 1) < 4 * std::sqrt(expected / count));
    CHECK(std::abs(variance / expected - 1) < 4 * std::sqrt(2 / count));
  }
  SECTION("it is the same for the same stream, another at another step") {
    CHECK(same_bits(y, run(1)));
    CHECK_FALSE(same_bits(y, run(2)));
  }
  SECTION("sequences, heads and queries draw numbers of their own") {
    // Masks seen through random values: equal sums would mean equal masks.
    const Tensor mixed = gaussian({length, 1}, "value");
    Tensor values = Tensor::empty({2 * length, heads}, Dtype::f64);
    for (Index i = 0; i < values.size(); ++i) values.set(i, mixed.at(i / heads % length));
    const Tensor seen =
        attention(zeros, zeros, values, rows, rows, {heads, false, dropout, random_stream(7, "attention")});
    const auto all = seen.values<double>();
    CHECK(std::set<double>(all.begin(), all.end()).size() == all.size());
  }
}

TEST_CASE("attention: the same bits on any number of threads") {
  const Problem problem = {{90, 1, 130, 17, 64}, {90, 1, 130, 17, 64}, 24, 3, true, 0.1};
  CHECK(same_on_any_threads(problem.function(), problem.inputs(Dtype::f32)));
}

TEST_CASE("attention: errors") {
  const Rows five = Rows::single(5), four = Rows::single(4);
  const Tensor x = Tensor::zeros({5, 6}, Dtype::f32), shorter = Tensor::zeros({4, 6}, Dtype::f32);
  const auto fails = [](const Tensor& q, const Tensor& k, const Tensor& v, const Rows& query_rows, const Rows& key_rows,
                        const AttentionOptions& options, const char* message) {
    REQUIRE_THROWS_WITH(attention(q, k, v, query_rows, key_rows, options), ContainsSubstring(message));
  };
  fails(x, x, x, five, five, {4, true, 0, {}}, "attention: width must be divisible by heads, got width 6 and 4 heads");
  fails(x, x, shorter, five, five, {},
        "attention: key and value must have one shape and the query's width, "
        "got query [5, 6], key [5, 6], value [4, 6]");
  fails(x, x.cast(Dtype::f64), x, five, five, {},
        "attention: query, key and value must have one dtype, got f32, f64, f32");
  fails(x, x, x, five, four, {}, "attention: Rows must hold the rows of query [5, 6] and key [5, 6], got 5 and 4");
  fails(x, x, x, five, Rows::of_lengths({2, 3}), {},
        "attention: queries and keys must have the same number of sequences, got 1 and 2");
  fails(x, x, x, five, five, {1, true, 1, {}}, "attention: dropout must be in [0, 1), got 1");
  fails(x, shorter, shorter, five, four, {1, true, 0, {}},
        "attention: every causal query must see a key, got 5 queries and 4 keys in sequence 0");
  fails(x, x, x, Rows::of_lengths({2, 3}), Rows::of_lengths({5, 0}), {},
        "attention: every query must see a key, got 3 queries and 0 keys in sequence 1");
  const Rows three = Rows::of_lengths({3, 2}), two = Rows::of_lengths({2, 3});
  fails(x, x, x, three, two, {}, "attention: a query that is also key or value must have the same rows as both");
  fails(x, x.clone(), x, three, two, {}, "must have the same rows as both");
  CHECK_NOTHROW(attention(x, x.clone(), x.clone(), three, two, {}));
}
