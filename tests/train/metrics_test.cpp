// Metrics: their exact text, cutting back on resume, and the table.
#include "train/metrics.h"

#include <cmath>
#include <limits>

#include "tests/support/catch.h"
#include "tests/train/full_disk.h"
#include "tests/support/temporary_folder.h"

using namespace normlab;
using test::TemporaryFolder;

namespace {

const double kInfinity = std::numeric_limits<double>::infinity();

MetricRecord train_record(std::int64_t step) {
  return {"train", step, {{"loss", 1.0 / static_cast<double>(step)}, {"tokens", step * 100}, {"seconds", 0.5}}};
}

}  // namespace

TEST_CASE("Records are lines of JSON whose numbers read back exactly", "[metrics]") {
  const TemporaryFolder folder;
  {
    MetricsLog log(folder / "metrics.jsonl", 0);
    log.write({"train", 1, {{"loss", 0.1}, {"rate", 1e-7}, {"tokens", std::int64_t{1} << 53}, {"note", "a \"b\""}}});
    log.write({"evaluation", 1, {{"loss", kInfinity}, {"perplexity", std::nan("")}, {"x", -kInfinity}}});
    log.sync();
  }
  CHECK(read_file(folder / "metrics.jsonl") ==
        "{\"event\":\"train\",\"step\":1,\"loss\":0.1,\"rate\":1e-07,\"tokens\":9007199254740992,"
        "\"note\":\"a \\\"b\\\"\"}\n"
        "{\"event\":\"evaluation\",\"step\":1,\"loss\":\"inf\",\"perplexity\":\"nan\",\"x\":\"-inf\"}\n");

  const auto records = read_metrics(folder / "metrics.jsonl");
  REQUIRE(records.size() == 2);
  CHECK(records[0].event == "train");
  CHECK(records[0].step == 1);
  CHECK(records[0].number("loss") == 0.1);
  CHECK(records[0].number("tokens") == 9007199254740992.0);
  CHECK_FALSE(records[0].number("note"));
  CHECK_FALSE(records[0].number("perplexity"));
  CHECK(records[1].number("loss") == kInfinity);
  CHECK(std::isnan(*records[1].number("perplexity")));
  CHECK(records[1].number("x") == -kInfinity);
}

TEST_CASE("A record that names a field twice is refused", "[metrics]") {
  const TemporaryFolder folder;
  MetricsLog log(folder / "metrics.jsonl", 0);
  REQUIRE_THROWS_WITH(log.write({"train", 1, {{"loss", 1.0}, {"loss", 2.0}}}), ContainsSubstring("\"loss\" twice"));
  REQUIRE_THROWS_WITH(log.write({"train", 1, {{"step", 1.0}}}), ContainsSubstring("\"step\" twice"));
}

TEST_CASE("A run that was killed and goes on has the bytes of one that was not", "[metrics]") {
  const TemporaryFolder folder;
  {
    MetricsLog log(folder / "never_stopped", 0);
    for (int step = 1; step <= 5; ++step) log.write(train_record(step));
  }
  const std::string wanted = read_file(folder / "never_stopped");
  {
    MetricsLog log(folder / "killed", 0);
    for (int step = 1; step <= 4; ++step) log.write(train_record(step));
  }
  const std::string whole = read_file(folder / "killed");
  // The last checkpoint was of step 2; the process died at any byte after it.
  const std::size_t second = whole.find('\n', whole.find('\n') + 1) + 1;
  for (std::size_t size = second; size <= whole.size(); ++size) {
    write_file(folder / "killed", whole.substr(0, size));
    MetricsLog log(folder / "killed", 2);
    for (int step = 3; step <= 5; ++step) log.write(train_record(step));
    CHECK(read_file(folder / "killed") == wanted);
  }
  MetricsLog anew(folder / "killed", 0);
  CHECK(read_file(folder / "killed").empty());
}

TEST_CASE("A file of something else is not cut but refused", "[metrics]") {
  const TemporaryFolder folder;
  for (const std::string line : {"hello", "[]", "{\"event\":\"train\"}", "{\"event\":1,\"step\":1}",
                                 "{\"event\":\"train\",\"step\":1,\"loss\":null}"}) {
    const std::string content = "{\"event\":\"train\",\"step\":1}\n" + line + "\n";
    write_file(folder / "metrics.jsonl", content);
    REQUIRE_THROWS_WITH(MetricsLog(folder / "metrics.jsonl", 1),
                        ContainsSubstring("metrics.jsonl:2: not a metrics record"));
    CHECK(read_file(folder / "metrics.jsonl") == content);
  }
}

TEST_CASE("The table has a column for each field of any record", "[metrics]") {
  const TemporaryFolder folder;
  write_metrics_csv(folder / "metrics.csv", {{"train", 1, {{"loss", 0.5}, {"tokens", std::int64_t{7}}}},
                                             {"evaluation", 1, {{"perplexity", kInfinity}, {"loss", 0.25}}},
                                             {"end", 2, {{"note", "one, \"two\""}}}});
  CHECK(read_file(folder / "metrics.csv") ==
        "event,step,loss,tokens,perplexity,note\n"
        "train,1,0.5,7,,\n"
        "evaluation,1,0.25,,inf,\n"
        "end,2,,,,\"one, \"\"two\"\"\"\n");
}

TEST_CASE("A disk that is full is an error of the machine", "[metrics]") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "metrics.jsonl");
  AppendFile file(folder / "metrics.jsonl");
  REQUIRE_THROWS_AS(file.write_line("x"), MachineError);
  REQUIRE_THROWS_WITH(file.write_line("x"), ContainsSubstring("metrics.jsonl: cannot be written: No space left"));

  const test::FullDisk full(100);
  MetricsLog log(folder / "other.jsonl", 0);
  log.write(train_record(1));
  REQUIRE_THROWS_AS(log.write(train_record(2)), MachineError);
  CHECK(read_metrics(folder / "other.jsonl").size() == 1);  // the torn line is left out
}

TEST_CASE("Time fields are known by name", "[metrics]") {
  CHECK(is_time_field("seconds"));
  CHECK(is_time_field("tokens_per_second"));
  CHECK_FALSE(is_time_field("tokens"));
}
