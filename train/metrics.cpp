// Records to lines and back.
#include "metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "../engine/error.h"
#include "csv.h"

namespace normlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const char* word_for(double not_finite) { return std::isnan(not_finite) ? "nan" : not_finite > 0 ? "inf" : "-inf"; }

Json json_of(const MetricValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* words = std::get_if<std::string>(&value)) return *words;
  const double number = std::get<double>(value);
  if (!std::isfinite(number)) return word_for(number);
  return number;
}

MetricValue value_of(const Json& json) {
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  check(json.is_string(), "a field must be a number or a text, got ", json.dump());
  const std::string words = json.get<std::string>();
  if (words == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (words == "inf") return kInfinity;
  if (words == "-inf") return -kInfinity;
  return words;
}

std::string line_of(const MetricRecord& record) {
  Json json = {{"event", record.event}, {"step", record.step}};
  for (const auto& [name, value] : record.fields) {
    check(!json.contains(name), "metrics: a record of \"", record.event, "\" has the field \"", name, "\" twice");
    json[name] = json_of(value);
  }
  return json.dump();
}

MetricRecord record_of(const std::string& line) {
  try {
    const Json json = Json::parse(line);
    MetricRecord record;
    record.event = json.at("event").get<std::string>();
    record.step = json.at("step").get<std::int64_t>();
    for (const auto& [name, value] : json.items()) {
      if (name != "event" && name != "step") record.fields.emplace_back(name, value_of(value));
    }
    return record;
  } catch (const nlohmann::json::exception& error) {
    throw Error(error.what());
  }
}

// Calls visit(line with its newline, record) for each whole line of a file's content.
template <class Visit>
void for_each_record(const std::filesystem::path& path, const std::string& content, Visit&& visit) {
  std::size_t begin = 0;
  std::size_t number = 1;
  for (std::size_t end; (end = content.find('\n', begin)) != std::string::npos; begin = end + 1, ++number) {
    const std::string line = content.substr(begin, end + 1 - begin);
    MetricRecord record;
    try {
      record = record_of(line);
    } catch (const Error& error) {
      throw Error(text(path.string(), ":", number, ": not a metrics record: ", error.what(),
                       "; remove that line, or train into another folder"));
    }
    visit(line, record);
  }
}

// The file of a run that goes on after `step`, cut back to what it had then.
const std::filesystem::path& cut_back(const std::filesystem::path& path, std::int64_t step) {
  if (!std::filesystem::exists(path)) return path;
  const std::string content = read_file(path);
  std::string kept;
  for_each_record(path, content, [&](const std::string& line, const MetricRecord& record) {
    if (record.step <= step && record.event != "average") kept += line;
  });
  if (kept != content) write_file(path, kept);
  return path;
}

std::string cell_of(const MetricValue& value) {
  const Json json = json_of(value);
  return json.is_string() ? csv_cell(json.get<std::string>()) : json.dump();
}

}  // namespace

std::optional<double> MetricRecord::number(std::string_view field) const {
  for (const auto& [name, value] : fields) {
    if (name != field) continue;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
    if (const auto* real = std::get_if<double>(&value)) return *real;
  }
  return std::nullopt;
}

std::string MetricRecord::word(std::string_view field) const {
  for (const auto& [name, value] : fields) {
    const auto* words = std::get_if<std::string>(&value);
    if (name == field && words) return *words;
  }
  return "";
}

bool is_time_field(std::string_view field) { return field == "seconds" || field == "tokens_per_second"; }

MetricsLog::MetricsLog(const std::filesystem::path& path, std::int64_t step) : file_(cut_back(path, step)) {}

void MetricsLog::write(const MetricRecord& record) { file_.write_line(line_of(record)); }

std::vector<MetricRecord> read_metrics(const std::filesystem::path& path) {
  std::vector<MetricRecord> records;
  for_each_record(path, read_file(path),
                  [&](const std::string&, const MetricRecord& record) { records.push_back(record); });
  return records;
}

void write_csv(const std::filesystem::path& path, const std::vector<MetricFields>& rows) {
  std::vector<std::string> columns;
  for (const MetricFields& row : rows) {
    for (const auto& [name, value] : row) {
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
    }
  }
  std::string table;
  for (const std::string& column : columns) table += csv_cell(column) + (&column == &columns.back() ? '\n' : ',');
  for (const MetricFields& row : rows) {
    for (const std::string& column : columns) {
      for (const auto& [name, value] : row) {
        if (name == column) table += cell_of(value);
      }
      table += &column == &columns.back() ? '\n' : ',';
    }
  }
  write_file(path, table);
}

void write_json(const std::filesystem::path& path, const std::vector<MetricFields>& rows) {
  Json list = Json::array();
  for (const MetricFields& row : rows) {
    Json object = Json::object();
    for (const auto& [name, value] : row) object[name] = json_of(value);
    list.push_back(object);
  }
  write_file(path, list.dump(2) + '\n');
}

void write_metrics_csv(const std::filesystem::path& path, const std::vector<MetricRecord>& records) {
  std::vector<MetricFields> rows;
  for (const MetricRecord& record : records) {
    rows.push_back({{"event", record.event}, {"step", record.step}});
    rows.back().insert(rows.back().end(), record.fields.begin(), record.fields.end());
  }
  write_csv(path, rows);
}

}  // namespace normlab
