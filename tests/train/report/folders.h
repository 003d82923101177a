// Experiments' folders as runs leave them, without the training.
#pragma once

#include <cmath>
#include <filesystem>
#include <random>
#include <string>

#include "engine/error.h"
#include "train/experiment/experiment_config.h"
#include "train/experiment/observations.h"
#include "train/experiment/verdict.h"
#include "train/files.h"
#include "train/report/report.h"

namespace normlab::made_up {

// Eight arms of two axes, each with that many seeds, and two claims, of which the first holds and the second does not.
// What a person writes holds markup, which must stay words.
inline std::string experiment_json(int seeds) {
  std::string list;
  for (int seed = 1; seed <= seeds; ++seed) list += (seed == 1 ? "" : ", ") + std::to_string(seed);
  return R"json({
    "question": "Does <b>Post-LN</b> end \"higher\" & later than Pre-LN?",
    "claims": [
      {"id": "X1", "claim": "Post-LN ends <i>higher</i>", "source": "Nobody et al. 2020, figure 1", "paper": 0.8,
       "differs": "made-up numbers </p><script>alert(1)</script>",
       "measure": {"kind": "difference", "of": {"arms": ["Post-LN", "rate=0.001"], "quantity": "valid_nll"},
                   "minus": {"arms": ["Pre-LN", "rate=0.001"], "quantity": "valid_nll"}},
       "held": {"at_least": 0.5}},
      {"id": "X2", "claim": "Pre-LN ends higher", "source": "Somebody et al. 2021, table 2",
       "measure": {"kind": "difference", "of": {"arms": ["Pre-LN", "rate=0.001"], "quantity": "valid_nll"},
                   "minus": {"arms": ["Post-LN", "rate=0.001"], "quantity": "valid_nll"}},
       "held": {"at_least": 0.1}, "evidence": false}
    ],
    "figures": [
      {"name": "loss", "title": "Validation loss", "source": "Nobody et al. 2020, figure 1", "quantity": "valid_nll",
       "arms": ["rate=0.001", "rate=0.004"], "y_label": "validation loss (nats per token)"},
      {"name": "gradients", "title": "Gradients by layer", "kind": "bars", "quantity": "weight_gradient_norm",
       "x": "site", "arms": ["rate=0.001"], "x_label": "layer", "y_label": "norm of the gradient",
       "paper": [{"label": "Post-LN (paper)", "x": [1, 2, 3], "y": [0.5, 1, 2]}]},
      {"name": "distances", "title": "Gradients of the last layer over training", "kind": "boxes",
       "quantity": "weight_gradient_norm", "sites": "layers.2.*",
       "arms": ["rate=0.001"], "log_y": true}
    ],
    "model": {"layers": 3, "width": 16, "heads": 2, "feed_forward": 32},
    "data": {"kind": "synthetic"},
    "train": {"steps": 1000, "evaluate_every": 50},
    "sweep": {"seeds": [)json" +
         list + R"json(], "axes": [
      {"Post-LN": {"model.placement": "post", "model.final_norm": false}, "Pre-LN": {"model.placement": "pre"}},
      {"train.optimizer.rate": [0.001, 0.002, 0.004, 0.008]}
    ]}
  })json";
}

// Writes what a run leaves: `steps` of 1000 are done, and it is over when all are.
inline void write_run(const Run& run, const std::filesystem::path& folder, int steps = 1000) {
  std::filesystem::create_directories(folder);
  write_file(folder / "config.json", to_lines(resolved(run.config)));
  write_file(folder / "run.json", R"({"version": "0.1.0", "commit": "0123456789ab", "processor": "a <fast> one",
                                      "threads": "2", "seed": 1, "started": "2026-11-21T10:00:00Z"})");
  const bool post = run.arms.at(0) == "Post-LN";
  const double lag = std::log2(std::stod(run.arms.at(1).substr(5)) / 0.001) / 2;
  std::mt19937 random(static_cast<unsigned>(2 * run.seed + (post ? 1 : 0)));
  const auto noise = [&random] { return static_cast<double>(random()) / 2147483648.0 - 1; };  // from -1 to 1
  const double end = (post ? 4 : 3) + 0.2 * lag + 0.1 * noise();
  const auto loss_at = [&](int step) { return end + 4 * std::exp(-step / (100.0 + 60 * lag)) + 0.02 * noise(); };
  std::string metrics, probes;
  for (int step = 1; step <= steps; step += 10) {
    const double loss = loss_at(step);
    metrics +=
        text("{\"event\":\"train\",\"step\":", step, ",\"loss\":", loss, ",\"nll\":", loss, ",\"rate\":0.001}\n");
  }
  double last = 0;
  for (int step = 50; step <= steps; step += 50) {
    last = loss_at(step);
    metrics += text("{\"event\":\"evaluation\",\"step\":", step,
                    ",\"split\":\"valid\",\"statistics\":\"running\",\"nll\":", last,
                    ",\"perplexity\":", std::exp(last), ",\"seconds\":", step / 100.0, "}\n");
    for (int layer = 0; layer < 3; ++layer) {
      const double size = 0.5 * std::exp((post ? 0.6 : -0.2) * layer + 0.2 * noise());
      probes += text("{\"event\":\"probe\",\"step\":", step, ",\"site\":\"layers.", layer,
                     ".feed_forward.outer.weight\",\"quantity\":\"weight_gradient_norm\",\"value\":", size, "}\n");
    }
  }
  write_file(folder / "metrics.jsonl", metrics);
  write_file(folder / "probes.jsonl", probes);
  if (steps < 1000) return;
  write_file(folder / "result.json", text("{\"status\":\"finished\",\"steps\":1000,\"parameters\":5000,\"final_nll\":",
                                          last, ",\"best_nll\":", last, ",\"best_step\":1000,\"seconds\":10}"));
}

struct MadeUp {
  Experiment experiment;
  std::filesystem::path folder;
  std::vector<ObservedRun> runs;
  std::vector<ClaimResult> results;
};

// Eight runs for each seed; the first `missing` are not begun and the one after them is in the middle.
inline MadeUp make_experiment(const std::filesystem::path& folder, int seeds, std::size_t missing = 0) {
  MadeUp made{parse_experiment(experiment_json(seeds), "made up"), folder, {}, {}};
  std::filesystem::create_directories(folder);
  write_file(folder / "experiment.json", to_lines(made.experiment.resolved));
  for (std::size_t i = missing; i < made.experiment.runs.size(); ++i) {
    const Run& run = made.experiment.runs[i];
    write_run(run, run_folder(run, folder), missing > 0 && i == missing ? 400 : 1000);
  }
  made.runs = observe(made.experiment, folder);
  made.results = judge(made.experiment, made.runs);
  return made;
}

}  // namespace normlab::made_up
