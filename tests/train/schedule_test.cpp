// Ramp and decay against their closed forms, at the steps where an off-by-one would show.
#include "train/schedule.h"

#include <cmath>

#include "tests/support/catch.h"
#include "tests/train/set_options.h"
#include "train/config_writer.h"

using namespace normlab;

namespace {

ScheduleConfig schedule(const std::string& json) {
  ScheduleConfig config;
  test::set_options(config, json);
  return config;
}

}  // namespace

TEST_CASE("The default schedule is constant", "[schedule]") {
  const ScheduleConfig config;
  for (int step : {1, 2, 1000}) CHECK(config.factor(step, 1000) == 1);
  REQUIRE_THROWS_WITH(config.factor(0, 10), ContainsSubstring("steps are counted from 1, got 0"));
}

TEST_CASE("The ramp is step / warmup_steps and full at step warmup_steps", "[schedule]") {
  const ScheduleConfig config = schedule(R"({"warmup_steps": 10})");
  CHECK(config.factor(1, 100) == 0.1);
  CHECK(config.factor(9, 100) == 0.9);
  CHECK(config.factor(10, 100) == 1);
  CHECK(config.factor(11, 100) == 1);
}

TEST_CASE("A ramp of no steps or one step is no ramp", "[schedule]") {
  CHECK(schedule(R"({"warmup_steps": 0})").factor(1, 100) == 1);
  CHECK(schedule(R"({"warmup_steps": 1})").factor(1, 100) == 1);
}

TEST_CASE("Inverse square root decay begins where the ramp ends", "[schedule]") {
  const ScheduleConfig config = schedule(R"({"warmup_steps": 4000, "decay": {"kind": "inverse_sqrt"}})");
  CHECK(config.factor(1, 0) == 1.0 / 4000);
  CHECK(config.factor(3999, 0) == 3999.0 / 4000);
  CHECK(config.factor(4000, 0) == 1);
  CHECK(config.factor(4001, 0) == Approx(std::sqrt(4000.0 / 4001)).epsilon(1e-15));
  CHECK(config.factor(16000, 0) == Approx(0.5).epsilon(1e-15));
  // Vaswani et al. 2017, equation 3, up to the factor sqrt(width * T).
  for (double t : {1.0, 17.0, 3999.0, 4000.0, 4001.0, 50000.0}) {
    const double printed = std::min(1 / std::sqrt(t), t * std::pow(4000.0, -1.5)) * std::sqrt(4000.0);
    CHECK(config.factor(static_cast<std::int64_t>(t), 0) == Approx(printed).epsilon(1e-14));
  }
}

TEST_CASE("The ramp can be dropped with the decay kept, or with the decay collapsed", "[schedule]") {
  const auto kept = schedule(R"({"decay": {"kind": "inverse_sqrt", "decay_steps": 4000}})");
  CHECK(kept.factor(1, 0) == 1);
  CHECK(kept.factor(4000, 0) == 1);
  CHECK(kept.factor(16000, 0) == Approx(0.5).epsilon(1e-15));

  const auto collapsed = schedule(R"({"decay": {"kind": "inverse_sqrt", "decay_steps": 1}})");
  CHECK(collapsed.factor(1, 0) == 1);
  CHECK(collapsed.factor(2, 0) == Approx(std::sqrt(0.5)).epsilon(1e-15));
  CHECK(collapsed.factor(16000, 0) == Approx(1 / std::sqrt(16000.0)).epsilon(1e-15));

  const auto longer = schedule(R"({"warmup_steps": 10, "decay": {"kind": "inverse_sqrt", "decay_steps": 1}})");
  CHECK(longer.factor(4, 0) == Approx(0.4 * 0.5).epsilon(1e-15));  // ramp and decay multiply
}

TEST_CASE("Without a ramp inverse_sqrt asks where it begins", "[schedule]") {
  REQUIRE_THROWS_WITH(schedule(R"({"decay": {"kind": "inverse_sqrt"}})"),
                      ContainsSubstring("decay_steps must be given"));
}

TEST_CASE("The resolved config says where the decay begins", "[schedule]") {
  const auto resolved = [](const std::string& json) {
    ScheduleConfig config = schedule(json);
    ConfigWriter writer;
    config.fields(writer);
    return to_line(writer.object());
  };
  CHECK(resolved(R"({"warmup_steps": 4000, "decay": {"kind": "inverse_sqrt"}})") ==
        R"({"warmup_steps": 4000, "decay": {"kind": "inverse_sqrt", "decay_steps": 4000}})");
  CHECK(resolved(R"({"warmup_steps": 10, "decay": {"kind": "linear"}})") ==
        R"({"warmup_steps": 10, "decay": {"kind": "linear", "final_factor": 0.0, "hold_steps": 10}})");
}

TEST_CASE("Linear decay ends at its final factor at the last step", "[schedule]") {
  const auto config = schedule(R"({"warmup_steps": 10, "decay": {"kind": "linear", "final_factor": 0.2}})");
  CHECK(config.factor(5, 110) == 0.5);
  CHECK(config.factor(10, 110) == 1);
  CHECK(config.factor(11, 110) == Approx(1 - 0.8 / 100).epsilon(1e-15));
  CHECK(config.factor(60, 110) == Approx(0.6).epsilon(1e-15));
  CHECK(config.factor(109, 110) == Approx(0.2 + 0.8 / 100).epsilon(1e-15));
  CHECK(config.factor(110, 110) == 0.2);
  CHECK(schedule(R"({"decay": {"kind": "linear"}})").factor(1, 1) == 0);
}

TEST_CASE("Linear decay without the ramp is the same decay when hold_steps is given", "[schedule]") {
  const auto with = schedule(R"({"warmup_steps": 10, "decay": {"kind": "linear"}})");
  const auto without = schedule(R"({"decay": {"kind": "linear", "hold_steps": 10}})");
  CHECK(without.factor(1, 110) == 1);
  for (int step : {10, 11, 60, 110}) CHECK(with.factor(step, 110) == without.factor(step, 110));
}

TEST_CASE("The rate falls after given steps and stays between them", "[schedule]") {
  const auto config = schedule(R"({"warmup_steps": 2, "decay": {"kind": "steps", "at": [10, 20], "by": 0.5}})");
  CHECK(config.factor(1, 30) == 0.5);
  CHECK(config.factor(10, 30) == 1);
  CHECK(config.factor(11, 30) == 0.5);
  CHECK(config.factor(20, 30) == 0.5);
  CHECK(config.factor(21, 30) == 0.25);
  CHECK(schedule(R"({"decay": {"kind": "steps", "at": [7]}})").factor(8, 30) == Approx(0.1).epsilon(1e-15));
  REQUIRE_THROWS_WITH(schedule(R"({"decay": {"kind": "steps"}})"), ContainsSubstring("at least one step"));
}
