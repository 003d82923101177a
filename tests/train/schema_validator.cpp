// The validator apart, for its headers are large.
#include "schema_validator.h"

#if __has_include(<valijson/adapters/nlohmann_json_adapter.hpp>)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"  // g++ 12 sees an overlap in std::string's operator+ where there is none
#endif

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace normlab {

std::optional<std::string> schema_complaint(const std::string& schema_json, const std::string& json) {
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

}  // namespace normlab

#else

namespace normlab {

std::optional<std::string> schema_complaint(const std::string&, const std::string&) { return std::nullopt; }

}  // namespace normlab

#endif
