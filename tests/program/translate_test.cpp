// ./normlab translate: as many lines out as in, the same twice, and what it says when it cannot.
#include <algorithm>
#include <regex>

#include "tests/program/program.h"
#include "tests/support/catch.h"

using namespace normlab_tests;

namespace {

const char* const kConfig = R"({
  "question": "?",
  "model": {"kind": "translation",
            "encoder": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32},
            "decoder": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32},
            "decoding": {"beam": 2, "length_offset": 5}},
  "data": {"kind": "synthetic_translation", "train_pairs": 200, "valid_pairs": 5, "test_pairs": 0,
           "tokens_per_batch": 300},
  "train": {"steps": 20, "optimizer": {"kind": "adam", "rate": 0.01}}
})";

}  // namespace

TEST_CASE("translate: a line for each line, the same whatever stands around it") {
  const Scratch scratch;
  spill(scratch / "config.json", kConfig);
  const std::string run = (scratch / "run").string();
  const Outcome trained = run_program({"run", (scratch / "config.json").string(), "--quiet", "--out", run}, scratch);
  INFO(trained.error);
  REQUIRE(trained.status == 0);

  std::string lines;
  for (int i = 0; i < 40; ++i) lines += i % 7 == 0 ? "\n" : "what is this ?\n";
  spill(scratch / "in.txt", lines);
  spill(scratch / "one.txt", "what is this ?\n");
  const Outcome many = run_program({"translate", run, (scratch / "in.txt").string()}, scratch);
  const Outcome one = run_program({"translate", run, (scratch / "one.txt").string(), "--threads", "1"}, scratch);
  INFO(many.error << one.error);
  CHECK(many.status == 0);
  CHECK(one.status == 0);
  CHECK(std::count(many.out.begin(), many.out.end(), '\n') == 40);
  CHECK(one.out == many.out.substr(many.out.find('\n') + 1, one.out.size()));

  std::string long_line;
  for (int i = 0; i < 500; ++i) long_line += "word ";
  spill(scratch / "long.txt", "short\n" + long_line + "\n");
  const Outcome too_long = run_program({"translate", run, (scratch / "long.txt").string()}, scratch);
  CHECK(too_long.status == 2);
  CHECK_THAT(too_long.error, ContainsSubstring("input, line 2: a sentence must have at most "));
  spill(scratch / "bad.txt", "\xff\n");
  const Outcome invalid = run_program({"translate", run, (scratch / "bad.txt").string()}, scratch);
  CHECK(invalid.status == 2);
  CHECK_THAT(invalid.error, ContainsSubstring("input, line 1: "));
  const Outcome no_file = run_program({"translate", run, (scratch / "nothing.txt").string()}, scratch);
  CHECK(no_file.status == 2);
  CHECK_THAT(no_file.error, ContainsSubstring("nothing.txt: cannot be read"));
  const Outcome averaged = run_program({"translate", run, (scratch / "one.txt").string(), "--average", "1"}, scratch);
  CHECK(averaged.status == 0);
  CHECK(averaged.out == one.out);
  const Outcome too_few = run_program({"translate", run, (scratch / "one.txt").string(), "--average", "2"}, scratch);
  CHECK(too_few.status == 2);
  CHECK_THAT(too_few.error, ContainsSubstring("must hold 2 checkpoints to average, holds 1"));
  spill(fs::path(run) / "run.json", std::regex_replace(slurp(fs::path(run) / "run.json"),
                                                       std::regex("\"data\": \"[^\"]*\""), "\"data\": \"0123\""));
  const Outcome other_data = run_program({"translate", run, (scratch / "one.txt").string()}, scratch);
  CHECK(other_data.status == 2);
  CHECK(other_data.out.empty());
  CHECK_THAT(other_data.error, ContainsSubstring("trained on other data than these (their hash was 0123, is "));
  const Outcome no_run = run_program({"translate", (scratch / "none").string()}, scratch);
  CHECK(no_run.status == 2);
  CHECK_THAT(no_run.error, ContainsSubstring("holds no run"));
}
