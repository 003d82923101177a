// Inference timing: every variant is timed, and folding changes no number.
#include "measuring.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

const char* const kTimes = R"({
  "experiment": {"kind": "inference_time", "beside": ["layer", "batch", "none"], "sequences": 2, "length": 8,
                 "turns": 9},
  "dtype": "f64",
  "model": {"layers": 2, "width": 16, "heads": 2, "feed_forward": 32, "dropout": 0, "norm": {"kind": "batch"}},
  "data": {"kind": "synthetic", "train_tokens": 3000, "valid_tokens": 700, "test_tokens": 0, "clauses": 1, "phrases": 4,
           "batching": {"kind": "sentences", "tokens_per_batch": 256}},
  "train": {"steps": 3, "optimizer": {"kind": "adam", "rate": 1e-2}}
})";

}  // namespace

TEST_CASE("a trained model is timed as it is, folded, and with other norms") {
  const Found found = measured(kTimes);
  int sites = 0;
  for (const MetricRecord& record : found.records()) sites += record.word("quantity") == "seconds_per_token";
  CHECK(sites == 4);  // its own norm is not timed twice
  for (const char* site : {"batch", "batch folded", "layer", "none"}) {
    CHECK(found.value("seconds_per_token", site) > 0);
    CHECK(found.value("seconds_per_token", site) < 1e-2);
    CHECK(found.at("seconds_per_token", site).number("error") >= 0);
    CHECK(found.value("seconds_per_token_spread", site) >= 0);
  }
  CHECK(found.value("folded_difference", "batch folded") < 1e-12);
  CHECK(found.value("folded_difference", "batch folded") > 0);
  CHECK(found.records().front().step == 3);
}

TEST_CASE("what cannot be folded or timed is said") {
  CHECK_THROWS_WITH(measured(kTimes, {"model.norm.kind=layer"}), ContainsSubstring("fold_norms"));
  CHECK_FALSE(measured(kTimes, {"model.norm.kind=layer", "experiment.fold=false"}).has("folded_difference"));
  CHECK_THROWS_WITH(measured(kTimes, {"experiment.length=100000"}), ContainsSubstring("length must be at most"));
  CHECK_THROWS_WITH(config_of(R"({"experiment": {"kind": "inference_time"}, "model": {"kind": "translation"},
                                  "data": {"kind": "synthetic_translation"}})"),
                    ContainsSubstring("inference_time is of a model of the kind language_model, got translation"));
}
