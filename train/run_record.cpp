// What a run's folder says of it: see the header.
#include "run_record.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <sstream>

#include "config_reader.h"
#include "environment.h"
#include "files.h"
#include "json_reader.h"
#include "metrics.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

JsonNode number(double value) {
  if (std::isfinite(value)) return JsonNode::of(value);
  return JsonNode::of(std::string(std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"));
}

double number_of(const JsonNode& node) {
  if (node.type == JsonType::integer) return static_cast<double>(node.integer);
  if (node.type == JsonType::real) return node.real;
  return node.string == "inf" ? kInfinity : node.string == "-inf" ? -kInfinity : std::nan("");
}

std::string time_now() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

// What makes the run, and on what; `before` is what run.json said so far, of a run that goes on.
JsonNode made_with(const Config& config, const Data* data, const JsonNode& before, const fs::path& folder) {
  const auto said = [&](const std::string& name) {
    const JsonNode* node = before.find(name);
    return node == nullptr ? std::string() : node->string;
  };
  JsonNode out = JsonNode::object();
  for (const auto& [name, value] : environment()) {
    const std::string so_far = said(name);
    const bool changes = !so_far.empty() && so_far != value && !so_far.ends_with(", then " + value);
    out.add(name, JsonNode::of(changes ? so_far + ", then " + value : so_far.empty() ? value : so_far));
  }
  if (data) {
    const std::string hash = data->fingerprint();
    check(said("data").empty() || said("data") == hash, folder.string(),
          ": the run was begun on other data (their hash was ", said("data"), ", is ", hash,
          "); bring back the files it was begun with, or choose another folder with --out");
    out.add("data", JsonNode::of(hash));
  }
  out.add("seed", JsonNode::of(config.seed));
  out.add("started", JsonNode::of(said("started").empty() ? time_now() : said("started")));
  return out;
}

RunResult read_result(const fs::path& file) {
  const JsonNode in = read_json(file);
  const auto real = [&](const char* name) -> std::optional<double> {
    const JsonNode* node = in.find(name);
    return node ? std::optional(number_of(*node)) : std::nullopt;
  };
  const auto whole = [&](const char* name) { return static_cast<std::int64_t>(real(name).value_or(0)); };
  RunResult result;
  result.steps = whole("steps");
  result.parameters = whole("parameters");
  result.diverged_step = whole("diverged_step");
  check(in.find("status") && (real("final_nll") || !result.trained()), file.string(),
        ": is no result of a run; remove the folder and run again");
  if (const JsonNode* site = in.find("diverged_site")) result.diverged_site = site->string;
  result.averaged = whole("averaged_checkpoints");
  if (result.trained()) {
    result.final_nll = *real("final_nll");
    result.best_nll = real("best_nll").value_or(kInfinity);
  }
  result.best_step = whole("best_step");
  result.test_nll = real("test_nll");
  result.final_nll_by_batch = real("final_nll_by_batch_statistics");
  result.test_nll_by_batch = real("test_nll_by_batch_statistics");
  result.entropy = real("entropy");
  if (const JsonNode* scores = in.find("scores")) {
    for (const JsonNode& score : scores->items) result.scores[score.name] = number_of(score);
  }
  if (const JsonNode* definitions = in.find("score_definitions")) {
    for (const JsonNode& definition : definitions->items) result.score_definitions[definition.name] = definition.string;
  }
  result.seconds = real("seconds").value_or(0);
  return result;
}

// The first line in which two resolved configs differ, for a message.
std::string first_difference(const std::string& a, const std::string& b) {
  std::istringstream left(a), right(b);
  for (std::string x, y;;) {
    const bool more_left = static_cast<bool>(std::getline(left, x));
    const bool more_right = static_cast<bool>(std::getline(right, y));
    if (!more_left && !more_right) return "";
    const auto trimmed = [](const std::string& line) {
      const auto first = line.find_first_not_of(' ');
      return first == std::string::npos ? std::string() : line.substr(first);
    };
    if (x != y || more_left != more_right) return text("there ", trimmed(x), " here ", trimmed(y));
  }
}

// A resolved config as this program writes it. Settings that are newer than the program that wrote it have their
// defaults. As it is where it cannot be read.
std::string as_written_now(const std::string& config, const std::string& file) {
  try {
    Problems problems(file);
    const JsonNode tree = parse_json(config, problems);
    ConfigReader reader(tree, "", problems);
    Config read;
    read.fields(reader);
    reader.finish();
    problems.throw_if_any();
    return to_lines(resolved(read));
  } catch (const Error&) {
    return config;
  }
}

}  // namespace

void require_same_config(const std::string& held, const std::string& own, const fs::path& folder) {
  check(held == own, folder.string(), ": holds another experiment (", first_difference(held, own),
        "); choose another folder with --out, or remove this one");
}

std::string recorded_data(const fs::path& folder) {
  if (!fs::exists(folder / "run.json")) return "";
  const JsonNode record = read_json(folder / "run.json");
  const JsonNode* data = record.find("data");
  return data == nullptr ? "" : data->string;
}

bool holds_run(const Config& config, const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!fs::exists(file)) return false;
  const std::string held = read_file(file), own = to_lines(resolved(config));
  if (held != own) require_same_config(as_written_now(held, file.string()), own, folder);
  return true;
}

void begin_record(const Config& config, const Data* data, const fs::path& folder, bool goes_on) {
  const fs::path file = folder / "run.json";
  const JsonNode before = goes_on && fs::exists(file) ? read_json(file) : JsonNode::object();
  write_file(file, to_lines(made_with(config, data, before, folder)));
  write_file(folder / "config.json", to_lines(resolved(config)));
}

RunResult summarize(const fs::path& folder) {
  RunResult result;
  for (const MetricRecord& record : read_metrics(folder / "metrics.jsonl")) {
    if (const auto seconds = record.number("seconds")) result.seconds = std::max(result.seconds, *seconds);
    const bool average = record.event == "average";  // they come last, and are the final figures
    if (record.event != "evaluation" && !average) continue;
    if (average) result.averaged = static_cast<std::int64_t>(record.number("checkpoints").value_or(0));
    const double nll = record.number("nll").value_or(kInfinity);
    const bool test = record.word("split") == "test";
    if (record.word("statistics") == "batch") {
      (test ? result.test_nll_by_batch : result.final_nll_by_batch) = nll;
      continue;
    }
    for (const auto& [name, value] : record.fields) {
      if (name.rfind("score.", 0) != 0) continue;
      result.scores[record.word("split") + "_" + name.substr(6)] = record.number(name).value_or(std::nan(""));
    }
    if (test) {
      result.test_nll = nll;
      continue;
    }
    result.final_nll = nll;
    if (!average && (nll < result.best_nll || std::isnan(result.best_nll))) {
      result.best_nll = nll;
      result.best_step = record.step;
    }
  }
  return result;
}

void write_result(const RunResult& result, const fs::path& file) {
  JsonNode out = JsonNode::object();
  out.add("status", JsonNode::of(std::string(result.diverged() ? "diverged" : "finished")));
  out.add("steps", JsonNode::of(result.steps));
  out.add("parameters", JsonNode::of(result.parameters));
  if (result.diverged()) {
    out.add("diverged_step", JsonNode::of(result.diverged_step));
    out.add("diverged_site", JsonNode::of(result.diverged_site));
  }
  if (result.averaged > 0) out.add("averaged_checkpoints", JsonNode::of(result.averaged));
  if (result.trained()) {
    out.add("final_nll", number(result.final_nll));
    out.add("final_perplexity", number(std::exp(result.final_nll)));
    out.add("best_nll", number(result.best_nll));
    out.add("best_step", JsonNode::of(result.best_step));
  }
  if (result.test_nll) out.add("test_nll", number(*result.test_nll));
  if (result.test_nll) out.add("test_perplexity", number(std::exp(*result.test_nll)));
  if (result.final_nll_by_batch) out.add("final_nll_by_batch_statistics", number(*result.final_nll_by_batch));
  if (result.test_nll_by_batch) out.add("test_nll_by_batch_statistics", number(*result.test_nll_by_batch));
  if (result.entropy) out.add("entropy", number(*result.entropy));
  JsonNode scores = JsonNode::object();
  for (const auto& [name, score] : result.scores) scores.add(name, number(score));
  if (!result.scores.empty()) out.add("scores", scores);
  JsonNode definitions = JsonNode::object();
  for (const auto& [name, definition] : result.score_definitions) definitions.add(name, JsonNode::of(definition));
  if (!result.score_definitions.empty()) out.add("score_definitions", definitions);
  out.add("seconds", JsonNode::of(result.seconds));
  write_file(file, to_lines(out));
}

std::optional<RunResult> finished_run(const Config& config, const fs::path& folder) {
  if (!holds_run(config, folder)) return std::nullopt;
  if (!fs::exists(folder / "result.json")) return std::nullopt;
  return read_result(folder / "result.json");
}

}  // namespace normlab
