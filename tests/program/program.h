// Runs the real program as a person would, and tells what came out.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace normlab_tests {

namespace fs = std::filesystem;

inline std::string slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

inline void spill(const fs::path& file, const std::string& content) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
}

using Scratch = normlab::test::TemporaryFolder;

struct Outcome {
  int status = -1;  // exit status; -signal when a signal ended it
  std::string out, error;
};

struct Settings {
  std::vector<std::pair<std::string, std::string>> environment;  // set for the child; an empty value unsets
  double signal_after = -1;                                      // seconds; below 0: never
  int signal = SIGKILL;
  fs::path directory = NORMLAB_SOURCE_DIR;
  std::string program = NORMLAB_PROGRAM;
};

// Runs the program with those arguments; standard output and error are kept in files beside `scratch`.
inline Outcome run_program(const std::vector<std::string>& arguments, const Scratch& scratch,
                           const Settings& settings = {}) {
  const fs::path out = scratch / "stdout.txt", error = scratch / "stderr.txt";
  std::vector<std::string> words{settings.program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out_name = out.string(), error_name = error.string(), directory = settings.directory.string();

  const pid_t child = fork();
  if (child == 0) {
    for (const auto& [name, value] : settings.environment) {
      value.empty() ? unsetenv(name.c_str()) : setenv(name.c_str(), value.c_str(), 1);
    }
    const int to_out = open(out_name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const int to_error = open(error_name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (to_out < 0 || to_error < 0 || chdir(directory.c_str()) != 0) _exit(126);
    dup2(to_out, STDOUT_FILENO);
    dup2(to_error, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int state = 0;
  if (settings.signal_after >= 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(settings.signal_after));
    kill(child, settings.signal);
  }
  waitpid(child, &state, 0);
  Outcome outcome;
  outcome.status = WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
  outcome.out = slurp(out);
  outcome.error = slurp(error);
  return outcome;
}

// The content of a metrics file without the fields that depend on the clock.
inline std::string without_times(std::string lines) {
  for (const std::string field : {"\"seconds\":", "\"tokens_per_second\":"}) {
    for (std::size_t at; (at = lines.find("," + field)) != std::string::npos;) {
      const std::size_t end = lines.find_first_of(",}", at + 1);
      lines.erase(at, end - at);
    }
  }
  return lines;
}

}  // namespace normlab_tests
