// The products' benchmark: see the header.
#include "products.h"

#include <fmt/format.h>

#include "../../engine/random.h"
#include "../peak.h"
#include "measure.h"

namespace normlab {
namespace {

// The three products of each map y = x W^T, of which x is [2048, in] and W [out, in].
std::vector<ProductFigures> products_of_workloads() {
  struct Map {
    const char* name;
    Index in, out;
  };
  const Index tokens = 2048;
  std::vector<ProductFigures> all;
  for (const auto& [name, in, out] : {Map{"lm attention", 256, 256},
                                      {"lm up", 256, 1024},
                                      {"lm down", 1024, 256},
                                      {"lm logits", 256, 10'000},
                                      {"nmt attention", 512, 512},
                                      {"nmt up", 512, 1024},
                                      {"nmt down", 1024, 512},
                                      {"nmt logits", 512, 10'000}}) {
    all.push_back({text(name, ", y"), tokens, out, in, false, true});
    all.push_back({text(name, ", dx"), tokens, in, out, false, false});
    all.push_back({text(name, ", dW"), out, in, tokens, true, false});
  }
  return all;
}

Tensor random_matrix(Index rows, Index columns, const char* name) {
  Tensor x = Tensor::empty({rows, columns}, Dtype::f32);
  fill_normal(x, random_stream(1, name), 0, 1);
  return x;
}

}  // namespace

ProductsFigures measure_products(int rounds) {
  check(rounds >= 2, "bench products: at least 2 rounds, got ", rounds);
  const auto libraries = gemm_libraries();
  ProductsFigures figures{.rounds = rounds - 1, .peak = measure_peak(), .products = products_of_workloads()};
  for (ProductFigures& p : figures.products) {
    const Tensor a = p.transposed_a ? random_matrix(p.k, p.m, "a") : random_matrix(p.m, p.k, "a");
    const Tensor b = p.transposed_b ? random_matrix(p.n, p.k, "b") : random_matrix(p.k, p.n, "b");
    Tensor c = Tensor::empty({p.m, p.n}, Dtype::f32);
    std::vector<std::vector<double>> seconds(libraries.size());
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < libraries.size(); ++i) {
        set_gemm_library(libraries[i]);
        const double took = seconds_of([&] {
          gemm<float>(p.m, p.n, p.k, 1, {a.data<float>(), a.columns(), p.transposed_a},
                      {b.data<float>(), b.columns(), p.transposed_b}, c.data<float>(), p.n, /*accumulate=*/false);
        });
        if (round > 0) seconds[i].push_back(took);
      }
    }
    for (const auto& of_library : seconds) p.seconds.push_back(median(of_library));
  }
  for (const GemmLibrary library : libraries) {
    set_gemm_library(library);
    figures.libraries.push_back(gemm_backend());
  }
  set_gemm_library(libraries.front());
  return figures;
}

std::string as_text(const ProductsFigures& f) {
  std::string lines = fmt::format("products in f32, median of {} rounds, GFLOP/s and share of the machine's {:.0f}\n\n",
                                  f.rounds, f.peak / 1e9);
  lines += fmt::format("{:22}{:>7}{:>7}{:>7}", "", "m", "n", "k");
  for (const std::string& library : f.libraries) lines += fmt::format("{:>18}", library);
  lines += "\n";
  const auto add_speeds = [&](const auto& speed_of) {
    for (std::size_t i = 0; i < f.libraries.size(); ++i) {
      const double speed = speed_of(i);
      lines += fmt::format("{:12.0f}{:4.0f} %", speed / 1e9, 100 * speed / f.peak);
    }
    lines += "\n";
  };
  for (const ProductFigures& p : f.products) {
    lines += fmt::format("{:22}{:7}{:7}{:7}", p.name, p.m, p.n, p.k);
    add_speeds([&](std::size_t i) { return p.operations() / p.seconds[i]; });
  }
  lines += fmt::format("{:43}", "all, each once");
  add_speeds([&](std::size_t i) {
    double operations = 0, seconds = 0;
    for (const ProductFigures& p : f.products) {
      operations += p.operations();
      seconds += p.seconds[i];
    }
    return operations / seconds;
  });
  return lines;
}

std::string as_json(const ProductsFigures& f) {
  std::string lines;
  for (const ProductFigures& p : f.products) {
    JsonNode out = JsonNode::object();
    out.add("product", JsonNode::of(p.name));
    out.add("m", JsonNode::of(std::int64_t{p.m}));
    out.add("n", JsonNode::of(std::int64_t{p.n}));
    out.add("k", JsonNode::of(std::int64_t{p.k}));
    JsonNode& speeds = out.add("gflops", JsonNode::object());
    for (std::size_t i = 0; i < f.libraries.size(); ++i) {
      speeds.add(f.libraries[i], JsonNode::of(p.operations() / p.seconds[i] / 1e9));
    }
    out.add("peak_gflops", JsonNode::of(f.peak / 1e9));
    add_environment(out);
    lines += to_line(out) + "\n";
  }
  return lines;
}

}  // namespace normlab
