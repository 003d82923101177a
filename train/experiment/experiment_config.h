// Experiment: what a config file states. A question, the runs that are to answer it, and what is claimed of them.
//
// What decides the bits of a run is in its Config; the question, the claims and the figures are only said about the
// runs, may change when they are done, and are no part of a run's own config. So experiments can share runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../report/figure_config.h"
#include "claim.h"
#include "sweep_config.h"

namespace normlab {

struct Experiment {
  std::string question;
  std::string cost;  // in words: "half an hour on 2 cores"
  std::vector<ClaimConfig> claims;
  std::vector<FigureConfig> figures;
  Config config;  // without the sweep
  std::optional<Sweep> sweep;
  std::vector<Run> runs;  // the first axis outermost, seeds innermost; one when there is no sweep
  // What to write beside the results: read again it gives the same experiment. With a sweep it leaves out the defaults
  // that differ between the runs (a default may depend on what an arm sets); each run's own resolved(run.config) has
  // those.
  JsonNode resolved;

  // Lists the question, the cost, the claims and the figures.
  void fields(Fields& f);
};

// The resolved experiment without what is only said about its runs: two of the same text have the same runs.
std::string text_of_runs(JsonNode resolved);

// Reads a config file with the overrides of a command line. Error with all problems of the config, of the sweep and of
// each run it makes, and of the claims.
Experiment read_experiment(const std::string& file, const std::vector<std::string>& overrides = {});
// The same of a text; `name` stands for the file in messages.
Experiment parse_experiment(const std::string& json, const std::string& name,
                            const std::vector<std::string>& overrides = {});

// The JSON Schema (draft-07) of a config file.
std::string experiment_schema();

}  // namespace normlab
