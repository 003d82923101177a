// A run that measures, from a text to what it found.
#pragma once

#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "train/experiment/experiment_config.h"
#include "train/metrics.h"
#include "train/run.h"

namespace normlab {

inline Config config_of(const std::string& json, const std::vector<std::string>& overrides = {}) {
  return parse_experiment(json, "test.json", overrides).runs.at(0).config;
}

inline RunSettings quiet_run(const std::filesystem::path& folder) {
  RunSettings settings;
  settings.folder = folder;
  settings.quiet = true;
  return settings;
}

// The lines of measurements.jsonl.
class Found {
 public:
  explicit Found(const std::filesystem::path& folder) : records_(read_metrics(folder / "measurements.jsonl")) {}

  const std::vector<MetricRecord>& records() const { return records_; }
  const MetricRecord& at(const std::string& quantity, const std::string& site = "") const {
    for (const MetricRecord& record : records_) {
      if (record.word("quantity") == quantity && record.word("site") == site) return record;
    }
    throw Error(text("nothing measured as ", quantity, " at \"", site, "\""));
  }
  double value(const std::string& quantity, const std::string& site = "") const {
    return at(quantity, site).number("value").value();
  }
  bool has(const std::string& quantity) const {
    for (const MetricRecord& record : records_) {
      if (record.word("quantity") == quantity) return true;
    }
    return false;
  }

 private:
  std::vector<MetricRecord> records_;
};

inline Found measured(const std::string& json, const std::vector<std::string>& overrides = {}) {
  const test::TemporaryFolder folder;
  run_one(config_of(json, overrides), quiet_run(folder / "run"));
  return Found(folder / "run");
}

}  // namespace normlab
