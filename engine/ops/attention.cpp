// Scaled dot-product attention over packed sequences.
//
// One work item is one head of one sequence. Its q[n, d], k[m, d] and v[m, d] are slices of the packed matrices and are
// read in place, with the matrices' width as stride. With a = 1 / sqrt(d) and a dropout mask M of 0 and
// 1 / (1 - dropout),
//
//   S = a q k^T            P = softmax(S), row by row            y = (M * P) v
//
//   dv = (M * P)^T dy
//   dP = M * (dy v^T)
//   dS = P * (dP - sum over keys of P * dP)
//   dk = a dS^T q          dq = a dS k
//
// Scores exist for one block of queries at a time: memory grows with the length of a sequence, not with its square.
// Forward keeps two numbers for each query and head, max S and 1 / sum exp(S - max S); from them backward makes P
// again, to the same bits. Under a causal mask a block of queries stops at the last key that its last query sees.
#include "attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../gemm.h"
#include "../parallel.h"
#include "../tape.h"
#include "row_map.inl"

namespace normlab {
namespace {

constexpr Index kBlock = 64;  // queries in a block

// Rows of scores are padded to whole cache lines. All begin aligned and are worked on in whole vectors, so that a
// query's bits depend neither on its place in the batch nor on the thread.
constexpr Index kPad = 16;
constexpr Index padded(Index keys) { return (keys + kPad - 1) / kPad * kPad; }

template <class T>
using ScoreRow = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax>;

// Scratch of the calling thread. It stays with the thread: nothing is allocated once it is large enough.
template <class T>
T* scratch(Index size) {
  thread_local Eigen::Array<T, Eigen::Dynamic, 1> buffer;
  if (buffer.size() < size) buffer.resize(size);
  return buffer.data();
}

// One head of one sequence: where it lies in the packed matrices, which all have the row stride `width`.
struct Item {
  Index n, m, d, width;
  Index query_at, key_at;  // its first element in query and y, and in key and value
  Index statistics_at;     // its first pair in statistics[heads, tokens, 2]
  std::uint64_t number;    // sequence * heads + head
  bool causal;

  // How many keys query i sees.
  Index visible(Index i) const { return causal ? m - n + i + 1 : m; }
};

// All items, those with most work first so that the threads end together.
std::vector<Item> items_of(const Rows& query_rows, const Rows& key_rows, Index width, const AttentionOptions& options) {
  const Index heads = options.heads, d = width / heads;
  std::vector<Item> items;
  for (Index sequence = 0; sequence < query_rows.sequences(); ++sequence) {
    const Index query_row = query_rows.begin(sequence), key_row = key_rows.begin(sequence);
    for (Index head = 0; head < heads; ++head) {
      items.push_back({query_rows.length(sequence), key_rows.length(sequence), d, width, query_row * width + head * d,
                       key_row * width + head * d, 2 * (head * query_rows.tokens() + query_row),
                       static_cast<std::uint64_t>(sequence * heads + head), options.causal});
    }
  }
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.n * a.m > b.n * b.m; });
  return items;
}

bool worth_sharing(const std::vector<Item>& items) {
  Index work = 0;  // multiply-adds of q k^T and P v
  for (const Item& item : items) work += 2 * item.n * item.m * item.d;
  return work >= kProductWorthSharing;
}

// The row of M for one query, a function of (sequence, head, query, key): forward and backward make the same one.
template <class T>
void fill_mask(ScoreRow<T> mask, const Item& item, Index query, double dropout, const RandomStream& stream) {
  // Every query has 2^20 blocks of four words to itself, every head 2^20 queries.
  const std::uint64_t first_block = item.number << 40 | static_cast<std::uint64_t>(query) << 20;
  std::uint32_t* words = scratch<std::uint32_t>(mask.size());
  random_words(stream, first_block, {words, static_cast<std::size_t>(mask.size())});
  const auto threshold = static_cast<std::uint32_t>(dropout * 0x1p32);
  const T kept = static_cast<T>(1 / (1 - dropout));
  for (Index j = 0; j < mask.size(); ++j) mask[j] = words[j] < threshold ? T{0} : kept;
}

template <class T>
void attention_forward(const Item& item, const T* query, const T* key, const T* value, double dropout,
                       const RandomStream& stream, T* output, T* statistics) {
  const Index n = item.n, m = item.m, d = item.d, width = item.width;
  const T* q = query + item.query_at;
  const T* k = key + item.key_at;
  const T* v = value + item.key_at;
  T* y = output + item.query_at;
  T* pairs = statistics + item.statistics_at;
  const T a = 1 / std::sqrt(static_cast<T>(d));
  const Index block_size = std::min(n, kBlock) * padded(m);
  T* p = scratch<T>(block_size + padded(m));
  T* mask_row = p + block_size;

  for (Index first = 0; first < n; first += kBlock) {
    const Index rows = std::min(kBlock, n - first);
    const Index keys = item.visible(first + rows - 1), stride = padded(keys);
    gemm_serial<T>(rows, keys, d, a, {q + first * width, width}, {k, width, true}, p, stride, false);
    for (Index i = 0; i < rows; ++i) {
      const Index seen = item.visible(first + i);
      ScoreRow<T> row(p + i * stride, padded(seen));
      row.tail(row.size() - seen) = -std::numeric_limits<T>::infinity();
      const T max = row.maxCoeff();
      exponentials(row.data(), max, row.size(), row.data());
      std::fill(p + i * stride + seen, p + (i + 1) * stride, T{0});
      const T inverse_sum = 1 / row.sum();
      row *= inverse_sum;
      if (dropout > 0) {
        ScoreRow<T> mask(mask_row, row.size());
        fill_mask(mask, item, first + i, dropout, stream);
        row *= mask;
      }
      pairs[2 * (first + i)] = max;
      pairs[2 * (first + i) + 1] = inverse_sum;
    }
    gemm_serial<T>(rows, d, keys, 1, {p, stride}, {v, width}, y + first * width, width, false);
  }
}

// Where a gradient goes; no data when it is not wanted.
template <class T>
struct Target {
  T* data = nullptr;
  bool accumulate = false;
};

// The blocks come in falling order, because the last one sees every key: it writes dk and dv in full, the others add.
// And dq comes after them, so that all three may be the gradient of one tensor, cut into the same sequences.
template <class T>
void attention_backward(const Item& item, const T* query, const T* key, const T* value, const T* statistics,
                        const T* doutput, double dropout, const RandomStream& stream, Target<T> dquery, Target<T> dkey,
                        Target<T> dvalue) {
  const Index n = item.n, m = item.m, d = item.d, width = item.width;
  for (const Target<T>& target : {dkey, dvalue}) {
    if (n > 0 || !target.data || target.accumulate) continue;
    for (Index j = 0; j < m; ++j) std::fill_n(target.data + item.key_at + j * width, d, T{0});
  }
  const T* k = key + item.key_at;
  const T* v = value + item.key_at;
  const T a = 1 / std::sqrt(static_cast<T>(d));
  const Index block_size = std::min(n, kBlock) * padded(m);
  T* p = scratch<T>(2 * block_size + padded(m));
  T* dp = p + block_size;
  T* mask_row = dp + block_size;

  for (Index first = (n - 1) / kBlock * kBlock; n > 0 && first >= 0; first -= kBlock) {
    const Index rows = std::min(kBlock, n - first);
    const Index keys = item.visible(first + rows - 1), stride = padded(keys);
    const Index query_at = item.query_at + first * width;
    const T* q = query + query_at;
    const T* dy = doutput + query_at;
    const T* pairs = statistics + item.statistics_at + 2 * first;
    gemm_serial<T>(rows, keys, d, a, {q, width}, {k, width, true}, p, stride, false);
    gemm_serial<T>(rows, keys, d, 1, {dy, width}, {v, width, true}, dp, stride, false);
    for (Index i = 0; i < rows; ++i) {
      const Index seen = item.visible(first + i);
      ScoreRow<T> p_row(p + i * stride, padded(seen)), dp_row(dp + i * stride, padded(seen));
      // Behind the last key seen stands what the query must not see; it is computed along and then put to zero.
      exponentials(p_row.data(), pairs[2 * i], p_row.size(), p_row.data());
      p_row *= pairs[2 * i + 1];
      std::fill(p + i * stride + seen, p + (i + 1) * stride, T{0});
      std::fill(dp + i * stride + seen, dp + (i + 1) * stride, T{0});
      ScoreRow<T> mask(mask_row, p_row.size());
      if (dropout > 0) {
        fill_mask(mask, item, first + i, dropout, stream);
        dp_row *= mask;
      }
      const T sum = (p_row * dp_row).sum();
      dp_row = p_row * (dp_row - sum);  // dS
      if (dropout > 0) p_row *= mask;
    }
    const bool last = first + rows == n;
    if (dkey.data) {
      gemm_serial<T>(keys, d, rows, a, {dp, stride, true}, {q, width}, dkey.data + item.key_at, width,
                     !last || dkey.accumulate);
    }
    if (dvalue.data) {
      gemm_serial<T>(keys, d, rows, 1, {p, stride, true}, {dy, width}, dvalue.data + item.key_at, width,
                     !last || dvalue.accumulate);
    }
    if (dquery.data) {
      gemm_serial<T>(rows, d, keys, a, {dp, stride}, {k, width}, dquery.data + query_at, width, dquery.accumulate);
    }
  }
}

void check_inputs(const Tensor& query, const Tensor& key, const Tensor& value, const Rows& query_rows,
                  const Rows& key_rows, const AttentionOptions& options) {
  const Index width = query.columns();
  check(options.heads > 0 && width % options.heads == 0, "attention: width must be divisible by heads, got width ",
        width, " and ", options.heads, " heads");
  check(key.shape() == value.shape() && key.columns() == width,
        "attention: key and value must have one shape and the query's width, got query ", query.shape(), ", key ",
        key.shape(), ", value ", value.shape());
  check(key.dtype() == query.dtype() && value.dtype() == query.dtype(),
        "attention: query, key and value must have one dtype, got ", query.dtype(), ", ", key.dtype(), ", ",
        value.dtype());
  check(query_rows.tokens() == query.rows() && key_rows.tokens() == key.rows(),
        "attention: Rows must hold the rows of query ", query.shape(), " and key ", key.shape(), ", got ",
        query_rows.tokens(), " and ", key_rows.tokens());
  check(query_rows.sequences() == key_rows.sequences(),
        "attention: queries and keys must have the same number of sequences, got ", query_rows.sequences(), " and ",
        key_rows.sequences());
  check(options.dropout >= 0 && options.dropout < 1, "attention: dropout must be in [0, 1), got ", options.dropout);
  for (Index sequence = 0; sequence < query_rows.sequences(); ++sequence) {
    const Index n = query_rows.length(sequence), m = key_rows.length(sequence);
    check(n == 0 || m >= (options.causal ? n : 1), "attention: every ", options.causal ? "causal " : "",
          "query must see a key, got ", n, " queries and ", m, " keys in sequence ", sequence);
  }
  const bool apart = query.raw() != key.raw() && query.raw() != value.raw();
  check(apart || query_rows.offsets() == key_rows.offsets(),
        "attention: a query that is also key or value must have the same rows as both");  // see attention_backward
}

// y of all items; `statistics` are written.
Tensor forward_of(const std::vector<Item>& items, const Tensor& query, const Tensor& key, const Tensor& value,
                  const AttentionOptions& options, Tensor statistics) {
  Tensor y = empty_like(query);
  visit_real("attention", query.dtype(), [&]<class T>() {
    const T *q = query.data<T>(), *k = key.data<T>(), *v = value.data<T>();
    T *out = y.data<T>(), *pairs = statistics.data<T>();
    const auto forward = [&](Index i) {
      attention_forward(items[static_cast<std::size_t>(i)], q, k, v, options.dropout, options.stream, out, pairs);
    };
    parallel(static_cast<Index>(items.size()), forward, worth_sharing(items));
  });
  return y;
}

void add_gradients(const std::vector<Item>& items, const Tensor& query, const Tensor& key, const Tensor& value,
                   const AttentionOptions& options, const Tensor& statistics, const Tensor& dy, Gradients& into) {
  visit_real("attention", query.dtype(), [&]<class T>() {
    const auto target = [&](Index input) {
      if (!into.wants(input)) return Target<T>{};
      const Gradients::Target to = into.target(input);
      return Target<T>{to.gradient.data<T>(), to.accumulate};
    };
    // In this order, which is the order of writing: see attention_backward.
    const Target<T> dkey = target(1), dvalue = target(2), dquery = target(0);
    const T *q = query.data<T>(), *k = key.data<T>(), *v = value.data<T>();
    const T *pairs = statistics.data<T>(), *dout = dy.data<T>();
    const auto backward = [&](Index i) {
      attention_backward(items[static_cast<std::size_t>(i)], q, k, v, pairs, dout, options.dropout, options.stream,
                         dquery, dkey, dvalue);
    };
    parallel(static_cast<Index>(items.size()), backward, worth_sharing(items));
  });
}

}  // namespace

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Rows& query_rows,
                 const Rows& key_rows, const AttentionOptions& options) {
  check_inputs(query, key, value, query_rows, key_rows, options);
  const Tensor statistics = Tensor::empty({options.heads, query.rows(), 2}, query.dtype());
  const std::vector<Item> items = items_of(query_rows, key_rows, query.columns(), options);
  Tensor y = forward_of(items, query, key, value, options, statistics);
  // The probabilities are not saved: to make them again costs a seventh of the products and saves [heads, n, m] a
  // sequence.
  const auto backward = [q = Kept(query), k = Kept(key), v = Kept(value), statistics, items, options](
                            const Tensor& dy, Gradients& into) {
    add_gradients(items, q.get(), k.get(), v.get(), options, statistics, dy, into);
  };
  Kept again;
  if (options.recompute) {
    again = Kept([q = Kept(query), k = Kept(key), v = Kept(value), statistics, items, options] {
      return forward_of(items, q.get(), k.get(), v.get(), options, statistics);
    });
  }
  return record("attention", {&query, &key, &value}, y, backward, again);
}

}  // namespace normlab
