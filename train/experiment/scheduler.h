// The runs of an experiment: which are done, which another experiment has done, and the others side by side.
//
// Side by side is faster than one run on all threads: threads of one run wait for each other in every op. So there are
// as many runs at once as threads, each with one, as long as memory suffices; towards the end, when fewer runs are left
// than threads, those have the threads to themselves. No bit of a result depends on it.
#pragma once

#include <vector>

#include "experiment.h"

namespace normlab {

// Writes experiment.json and does each run that is not finished; those of a sweep in processes of their own. The
// results are in the order of the experiment's runs. On Ctrl-C all of them save a checkpoint and stop, then
// Interrupted; when one fails the others stop so too, and its error is thrown with its name.
std::vector<RunResult> run_all(const Experiment& experiment, const ExperimentSettings& settings);

}  // namespace normlab
