// Whether a text satisfies a JSON Schema, by valijson, which knows nothing of our own reader.
#pragma once

#include <optional>
#include <string>

namespace normlab {

// "" when it does, else the validator's first complaint; nothing when valijson is not installed.
std::optional<std::string> schema_complaint(const std::string& schema_json, const std::string& json);

}  // namespace normlab
