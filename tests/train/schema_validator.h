// Whether a text satisfies a JSON Schema, by valijson, which knows nothing of our own reader.
#pragma once

#if __has_include(<valijson/adapters/nlohmann_json_adapter.hpp>)
#define NORMLAB_HAS_VALIJSON 1
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#else
#define NORMLAB_HAS_VALIJSON 0
#endif

#include <string>

namespace normlab {

#if NORMLAB_HAS_VALIJSON
// "" when it does, else the validator's first complaint.
inline std::string schema_complaint(const std::string& schema_json, const std::string& json) {
  const nlohmann::json schema_tree = nlohmann::json::parse(schema_json);
  const nlohmann::json tree = nlohmann::json::parse(json, nullptr, true, /*ignore_comments=*/true);
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_tree), schema);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(tree), &results)) return "";
  valijson::ValidationResults::Error error;
  return results.popError(error) ? error.description : "not valid";
}
#endif

}  // namespace normlab
