// The commands of the program; each is one file in commands/. A command returns the exit status and throws for the
// rest.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace normlab {

// The exit statuses of the program.
inline constexpr int kDone = 0, kFailed = 1, kUsage = 2, kDiverged = 3, kInterrupted = 130;

// Each adds its subcommand to the program; the subcommand's callback stores the exit status.
void add_run(CLI::App& program, int& status);
void add_check(CLI::App& program, int& status);
void add_list(CLI::App& program, int& status);
void add_report(CLI::App& program, int& status);
void add_schema(CLI::App& program, int& status);
void add_bench(CLI::App& program, int& status);
void add_data(CLI::App& program, int& status);
void add_translate(CLI::App& program, int& status);

// Where corpora are looked up when neither --data nor NORMLAB_DATA says: the user's cache folder.
std::string default_data_directory();

}  // namespace normlab
