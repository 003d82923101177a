// Quoting, and a reader that knows only whether it stands inside quotes.
#include "csv.h"

#include "../engine/error.h"

namespace normlab {

std::string csv_cell(const std::string& words) {
  if (words.find_first_of(",\"\r\n") == std::string::npos) return words;
  std::string quoted = "\"";
  for (const char c : words) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::vector<CsvRow> read_csv(const std::string& text) {
  std::vector<CsvRow> rows;
  CsvRow row;
  std::string cell;
  bool quoted = false;
  const auto end_cell = [&] {
    row.push_back(cell);
    cell.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      cell += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      end_cell();
    } else if (c == '\n' && !quoted) {
      end_cell();
      rows.push_back(std::move(row));
      row.clear();
    } else if (c != '\r' || quoted) {
      cell += c;
    }
  }
  check(!quoted, "csv: every quote must be closed, the one in line ", rows.size() + 1, " is not");
  if (!row.empty() || !cell.empty()) {
    end_cell();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string to_csv(const std::vector<CsvRow>& rows) {
  std::string text;
  for (const CsvRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += ',';
      text += csv_cell(row[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace normlab
