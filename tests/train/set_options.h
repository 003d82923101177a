// Options set from JSON, as a config sets them.
#pragma once

#include <string>

#include "train/config_reader.h"
#include "train/json_reader.h"

namespace normlab::test {

template <class Options>
void set_options(Options& options, const std::string& json) {
  Problems problems("test.json");
  const JsonNode tree = parse_json(json, problems);
  ConfigReader reader(tree, "", problems);
  options.fields(reader);
  reader.finish();
  problems.throw_if_any();
}

}  // namespace normlab::test
