// ./normlab schema: the JSON Schema of a config, for editors and validators.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "../commands.h"
#include "../experiment/experiment_config.h"

namespace normlab {

void add_schema(CLI::App& program, int& status) {
  auto* command = program.add_subcommand("schema", "The JSON Schema of a config");
  command->callback([&status] {
    std::fputs(experiment_schema().c_str(), stdout);
    status = kDone;
  });
}

}  // namespace normlab
