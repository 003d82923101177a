// ./normlab bench: the training step, or every norm, timed. What is measured and how stands in ../bench.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "../../engine/parallel.h"
#include "../bench/norms.h"
#include "../bench/step.h"
#include "../commands.h"
#include "../environment.h"

namespace normlab {

void add_bench(CLI::App& program, int& status) {
  struct Arguments {
    std::string what = "step";
    int repeat = 21, threads = 0;
    Index rows = 32768, features = 512;
    bool json = false;
  };
  auto* command = program.add_subcommand("bench", "Time a whole training step, or every norm");
  auto a = std::make_shared<Arguments>();
  command->add_option("what", a->what, "What to time")->check(CLI::IsMember({"step", "norms"}))->capture_default_str();
  command->add_option("--repeat,--steps", a->repeat, "How many times, the first not counted")
      ->check(CLI::Range(2, 100000))
      ->capture_default_str();
  const auto* rows = command->add_option("--rows", a->rows, "Rows of the norms' matrix")
                         ->check(CLI::Range(Index{1}, Index{1} << 24))
                         ->capture_default_str();
  const auto* features = command->add_option("--features", a->features, "Columns of the norms' matrix")
                             ->check(CLI::Range(Index{1}, Index{1} << 24))
                             ->capture_default_str();
  command->add_option("--threads", a->threads, "Threads; by default all cores")->check(CLI::Range(1, 1024));
  command->add_flag("--json", a->json, "Print JSON, one object a line");
  command->callback([a, rows, features, &status] {
    const bool norms = a->what == "norms";
    check(norms || rows->count() + features->count() == 0,
          "bench: --rows and --features are of `bench norms`, got bench ", a->what);
    if (a->threads > 0) set_threads(a->threads);
    if (!a->json) fmt::print("{}\n", environment_line());
    const auto print = [a](const auto& figures) { fmt::print("{}", a->json ? as_json(figures) : as_text(figures)); };
    if (norms) {
      print(measure_norms(a->rows, a->features, a->repeat));
    } else {
      print(measure_step(a->repeat));
    }
    status = kDone;
  });
}

}  // namespace normlab
