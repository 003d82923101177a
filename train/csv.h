// CSV (RFC 4180): cells that hold commas, quotes or line breaks stand in quotes, in which a quote is doubled.
#pragma once

#include <string>
#include <vector>

namespace normlab {

using CsvRow = std::vector<std::string>;

// A cell as it stands in a file.
std::string csv_cell(const std::string& words);
// The rows of a text, its first line included. Error when a quote is not closed.
std::vector<CsvRow> read_csv(const std::string& text);
// The rows as text, each line ended by a newline.
std::string to_csv(const std::vector<CsvRow>& rows);

}  // namespace normlab
