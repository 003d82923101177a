// Metrics: what a run measured, as JSON Lines (one object an event) and as CSV.
//
//   {"event":"train","step":100,"loss":5.21,"gradient_norm":0.8,"seconds":3.2,"tokens_per_second":64000.0}
//   {"event":"evaluation","step":100,"split":"valid","statistics":"running","nll":5.02,"perplexity":151.4,…}
//   {"event":"average","step":100,"checkpoints":5,"split":"valid","statistics":"running","nll":4.98,…}
//
// An "average" is an evaluation of the mean of the last checkpoints, at the end of a run.
//
// Two runs of the same config and seed write the same bytes but for the time fields, also when one was killed and went
// on. Numbers are written so that they read back exactly. JSON has no infinity: what is not finite is written as the
// text "inf", "-inf" or "nan", which a diverged run's loss is, and which Python's float() understands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "files.h"

namespace normlab {

using MetricValue = std::variant<std::int64_t, double, std::string>;
using MetricFields = std::vector<std::pair<std::string, MetricValue>>;

struct MetricRecord {
  std::string event;      // "train", "evaluation", "average", "probe"
  std::int64_t step = 0;  // optimizer steps taken when it was measured
  MetricFields fields;    // in the order they are written

  // The number in a field ("inf" and its like included), or nothing when the record has no such number.
  std::optional<double> number(std::string_view field) const;
  // The text in a field; empty when the record has no such text.
  std::string word(std::string_view field) const;
};

// Fields that depend on the clock: "seconds" and "tokens_per_second".
bool is_time_field(std::string_view field);

// Appends records to a file; each is with the system when write() returns.
class MetricsLog {
 public:
  // Goes on after the checkpoint of `step`: what the file holds of later steps and of averages, which come after the
  // last checkpoint, and a last line that was torn, is cut off first. With step 0 a run begins: nothing but records of
  // step 0 stays. Error when a line of the file is not a record; MachineError when the file cannot be written.
  MetricsLog(const std::filesystem::path& path, std::int64_t step);

  void write(const MetricRecord& record);
  // Waits until all records are on the disk; to be called before the checkpoint that follows them is saved.
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
};

// The records of a metrics.jsonl. A torn last line is left out; any other line that is no record is an Error that says
// which.
std::vector<MetricRecord> read_metrics(const std::filesystem::path& path);

// Writes rows as a table: CSV with a column for every field that occurs, in the order of its first appearance, and with
// empty cells where a row lacks it; or a JSON list of objects. Written whole or not at all.
void write_csv(const std::filesystem::path& path, const std::vector<MetricFields>& rows);
void write_json(const std::filesystem::path& path, const std::vector<MetricFields>& rows);

// Writes records as a table: event, step, then every field as write_csv does.
void write_metrics_csv(const std::filesystem::path& path, const std::vector<MetricRecord>& records);

}  // namespace normlab
