// Every file in configs/ is sound, as an independent validator sees it too, and so is what it resolves to.
#include <filesystem>

#include "schema_validator.h"
#include "tests/support/catch.h"
#include "train/experiment/sweep_config.h"
#include "train/files.h"

using namespace normlab;

TEST_CASE("every config and its resolved form satisfy the schema, and the resolved form gives the same runs") {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(NORMLAB_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    const std::string file = entry.path().string();
    INFO(file);
    const Experiment experiment = read_experiment(file);
    CHECK_FALSE(experiment.config.question.empty());
    CHECK_FALSE(experiment.config.cost.empty());
    const std::string resolved_text = to_lines(experiment.resolved);
    const Experiment again = parse_experiment(resolved_text, "resolved");
    CHECK(to_lines(again.resolved) == resolved_text);
    REQUIRE(again.runs.size() == experiment.runs.size());
    for (const std::string& json : {read_file(file), resolved_text, to_lines(resolved(experiment.runs[0].config))}) {
      const auto complaint = schema_complaint(experiment_schema(), json);
      if (!complaint) {
        WARN("valijson is not installed: not held against the schema");
      } else {
        CHECK(*complaint == "");
      }
    }
  }
  CHECK(files >= 4);
}
