// A run in a process of its own: it shares no thread, pool or tape with another run, gives all its memory back, and
// when something kills it the others go on.
//
// The process is a fork, so the run starts with the config as it stands in memory. It shares a small board with its
// parent: where the run stands, and how many threads it may use, which may change between steps since no bit depends on
// it. It ends with its parent, however that ends.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "../run.h"

namespace normlab {

class RunProcess {
 public:
  // Starts the run. The parent must not have used several threads before: a fork has none of those its parent made,
  // and OpenMP would wait for them.
  RunProcess(const Config& config, const RunSettings& settings, int threads);
  ~RunProcess();  // kills it if it still goes on
  RunProcess(const RunProcess&) = delete;
  RunProcess& operator=(const RunProcess&) = delete;

  struct Steps {
    std::int64_t before, done, all;  // by earlier sessions, by all sessions, to do; all is 0 until the run has begun
  };
  Steps steps() const;
  void set_threads(int threads);
  void ask_to_stop();  // in good order, after a checkpoint

  enum class End : int { done, interrupted, wrong_input, failed };
  struct Ending {
    End end;
    std::string message;  // of whatever was thrown
  };
  // How it ended, or nothing while it goes on. Does not wait.
  std::optional<Ending> ended();

 private:
  struct Board;
  Board* board_;
  pid_t process_ = 0;
  std::optional<Ending> ending_;
};

}  // namespace normlab
