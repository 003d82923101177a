// Other programs, run without a shell: their words are never parsed again, and what they say is kept for the message.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace normlab {

// A program's name, looked up in PATH, and its arguments.
using Command = std::vector<std::string>;
// Commands that each read what the one before writes. The first reads nothing.
using Pipeline = std::vector<Command>;

struct Outcome {
  int status = 0;     // 0 when all went well, else the exit status of the first command that failed (128 + n: signal n)
  std::string name;   // of that command
  std::string out;    // what the last command wrote to standard output
  std::string error;  // what all of them wrote to standard error
};

// Runs them to their end. With `out`, the last one writes to that file; with `show`, standard error is the terminal's.
// MachineError when a program is not installed; Interrupted, with the programs ended, when the user asks to stop.
Outcome run_programs(const Pipeline& commands, const std::filesystem::path& out = {}, bool show = false);

}  // namespace normlab
