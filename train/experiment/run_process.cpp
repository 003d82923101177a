// RunProcess by fork and shared memory: see the header.
#include "run_process.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

#include "../../engine/parallel.h"
#include "../interrupt.h"

namespace normlab {

struct RunProcess::Board {
  std::atomic<std::int64_t> before{0}, done{0}, steps{0};
  std::atomic<int> threads{1};
  char message[4096] = "";
};

namespace {

using End = RunProcess::End;

[[noreturn]] void fail(const char* what) {
  throw MachineError(text("run: cannot ", what, ": ", std::generic_category().message(errno)));
}

// Ends this process, to be called now and then, when it has lost its parent.
void end_with(pid_t parent) {
  if (::getppid() != parent) ::_exit(static_cast<int>(End::failed));
}

End run_in_child(const Config& config, const RunSettings& settings, std::string& message) {
  try {
    run_one(config, settings);
    return End::done;
  } catch (const Interrupted& stop) {
    message = stop.what();
    return End::interrupted;
  } catch (const MachineError& error) {
    message = error.what();
    return End::failed;
  } catch (const Error& error) {
    message = error.what();
    return End::wrong_input;
  } catch (const std::bad_alloc&) {
    message = "memory: the system has no more; use a smaller model or batch, or fewer runs with --side-by-side";
    return End::failed;
  } catch (const std::exception& error) {
    message = error.what();
    return End::failed;
  }
}

}  // namespace

RunProcess::RunProcess(const Config& config, const RunSettings& settings, int threads) {
  static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);
  void* memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("share memory with its process");
  board_ = new (memory) Board;
  board_->threads = threads;
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) {
    ::munmap(memory, sizeof(Board));
    fail("start its process");
  }
  if (process_ > 0) return;

#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // Linux does it at once
#endif
  end_with(parent);
  obey_parent();
  normlab::set_threads(threads);
  RunSettings own = settings;
  own.watch = [this, parent](std::int64_t before, std::int64_t done, std::int64_t steps) {
    end_with(parent);
    board_->before = before;
    board_->done = done;
    board_->steps = steps;
    normlab::set_threads(board_->threads);
  };
  std::string message;
  const End end = run_in_child(config, own, message);
  std::strncpy(board_->message, message.c_str(), sizeof(board_->message) - 1);
  ::_exit(static_cast<int>(end));  // what the parent has not yet written to its streams is the parent's
}

RunProcess::~RunProcess() {
  if (!ending_) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ::munmap(board_, sizeof(Board));
}

RunProcess::Steps RunProcess::steps() const { return {board_->before, board_->done, board_->steps}; }

void RunProcess::set_threads(int threads) { board_->threads = threads; }

void RunProcess::ask_to_stop() {
  if (!ending_) ::kill(process_, SIGTERM);
}

std::optional<RunProcess::Ending> RunProcess::ended() {
  int state = 0;
  if (ending_ || ::waitpid(process_, &state, WNOHANG) != process_) return ending_;
  if (WIFEXITED(state)) {
    ending_ = {static_cast<End>(WEXITSTATUS(state)), board_->message};
  } else {
    ending_ = {End::failed,
               text("its process was ended by signal ", WTERMSIG(state), " (", ::strsignal(WTERMSIG(state)),
                    WTERMSIG(state) == SIGKILL ? "; it may be that memory ran out)" : ")")};
  }
  return ending_;
}

}  // namespace normlab
