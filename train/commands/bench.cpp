// ./normlab bench: training steps, products, ops or norms, timed. What is measured and how stands in ../bench.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "../../engine/gemm.h"
#include "../../engine/parallel.h"
#include "../bench/ops.h"
#include "../bench/products.h"
#include "../bench/step.h"
#include "../commands.h"
#include "../environment.h"

namespace normlab {
namespace {

// Calls body() in a process of its own, so that the peak memory it sees is its own. To be called before any thread has
// been started: a fork takes none along.
template <class Body>
void in_own_process(Body&& body) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) throw MachineError("bench: the system starts no further process");
  if (child == 0) {
    int status = kDone;
    try {
      body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "normlab: %s\n", error.what());
      status = kFailed;
    }
    std::fflush(stdout);
    _exit(status);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw MachineError("bench: a workload came to no end");
}

}  // namespace

void add_bench(CLI::App& program, int& status) {
  struct Arguments {
    std::string what = "step";
    std::vector<std::string> workloads;
    std::string gemm;
    std::vector<std::string> recompute;
    int repeat = 21, threads = 0;
    Index rows = 32768, features = 512;
    bool json = false;
  };
  std::vector<std::string> names;
  for (const NamedWorkload& workload : workloads()) names.push_back(workload.name);
  auto* command = program.add_subcommand("bench", "Time whole training steps, matrix products, ops or norms");
  auto a = std::make_shared<Arguments>();
  command->add_option("what", a->what, "What to time")
      ->check(CLI::IsMember({"step", "products", "ops", "norms"}))
      ->capture_default_str();
  command->add_option("workloads", a->workloads, "Of `bench step`: which ones; by default all")
      ->check(CLI::IsMember(names));
  command->add_option("--gemm", a->gemm, "Of `bench step`: the library behind products, where it is built in")
      ->check(CLI::IsMember({"eigen", "onednn"}));
  command->add_option("--recompute", a->recompute, "Of `bench step`: what backward makes again, not to keep it")
      ->check(CLI::IsMember({"attention", "feed_forward"}));
  command->add_option("--repeat,--steps", a->repeat, "How many times, the first not counted")
      ->check(CLI::Range(2, 100000))
      ->capture_default_str();
  const auto* rows = command->add_option("--rows", a->rows, "Rows of the matrix of ops and norms")
                         ->check(CLI::Range(Index{1}, Index{1} << 24))
                         ->capture_default_str();
  const auto* features = command->add_option("--features", a->features, "Columns of the matrix of ops and norms")
                             ->check(CLI::Range(Index{1}, Index{1} << 24))
                             ->capture_default_str();
  command->add_option("--threads", a->threads, "Threads; by default all cores")->check(CLI::Range(1, 1024));
  command->add_flag("--json", a->json, "Print JSON, one object a line");
  command->callback([a, rows, features, &status] {
    const bool step = a->what == "step", ops = a->what == "ops" || a->what == "norms";
    check(ops || rows->count() + features->count() == 0,
          "bench: --rows and --features are of `bench ops` and `bench norms`, got bench ", a->what);
    check(step || (a->workloads.empty() && a->gemm.empty() && a->recompute.empty()),
          "bench: workloads, --gemm and --recompute are of `bench step`, got bench ", a->what);
    if (!a->gemm.empty()) set_gemm_library(a->gemm == "eigen" ? GemmLibrary::eigen : GemmLibrary::onednn);
    if (a->threads > 0) set_threads(a->threads);
    if (!a->json) fmt::print("{}\n", environment_line());
    const auto print = [a](const auto& figures) { fmt::print("{}", a->json ? as_json(figures) : as_text(figures)); };
    if (ops) print(measure_ops(a->rows, a->features, a->repeat, /*norms_alone=*/a->what == "norms"));
    if (a->what == "products") print(measure_products(a->repeat));
    const auto given = [a](const char* name) {
      return std::find(a->recompute.begin(), a->recompute.end(), name) != a->recompute.end();
    };
    const StackConfig::Recompute recompute{given("attention"), given("feed_forward")};
    for (const NamedWorkload& workload : workloads()) {
      const auto& chosen = a->workloads;
      if (!step || (!chosen.empty() && std::find(chosen.begin(), chosen.end(), workload.name) == chosen.end()))
        continue;
      in_own_process([&] { print(measure_step(workload, a->repeat, recompute)); });
    }
    status = kDone;
  });
}

}  // namespace normlab
