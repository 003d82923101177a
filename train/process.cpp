// posix_spawn, pipes between the programs, and one loop that reads what they say.
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "../engine/error.h"
#include "interrupt.h"

extern char** environ;

namespace normlab {
namespace {

// Throws for an error number that one of the calls below returned; 0 is none.
void require(int error, const std::string& what) {
  if (error != 0) throw MachineError(text("cannot ", what, ": ", std::generic_category().message(error)));
}

// An open file that closes itself; no program inherits it but under the number it is given there.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

struct Pipe {
  Pipe() {
    int ends[2];
    require(::pipe(ends) == 0 ? 0 : errno, "make a pipe");
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  Descriptor read, write;
};

Descriptor opened(const std::string& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  require(file.number() >= 0 ? 0 : errno, "open " + path);
  return file;
}

// What a program comes in, on Debian and Ubuntu.
std::string packages_of(const std::string& program) {
  if (program == "curl") return "curl ca-certificates";
  if (program == "gnuplot") return "gnuplot-nox";
  return program;
}

pid_t spawn(const Command& command, int in, int out, int error) {
  posix_spawn_file_actions_t actions;
  require(posix_spawn_file_actions_init(&actions), "start a program");
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
  Command words = command;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failure = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    throw MachineError(text("the program `", command[0], "` is needed and not installed; on Debian and Ubuntu: ",
                            "apt-get install ", packages_of(command[0])));
  }
  require(failure, "start " + command[0]);
  return child;
}

// The programs that run; those still running when an error is thrown are ended.
struct Children {
  ~Children() {
    for (const pid_t child : list) {
      ::kill(child, SIGTERM);
      ::waitpid(child, nullptr, 0);
    }
  }
  std::vector<pid_t> list;
};

// Reads both to their end. A program that the user has asked to stop is told so.
void read_all(std::array<Descriptor*, 2> from, std::array<std::string*, 2> into, const Children& children) {
  std::array<pollfd, 2> watched;
  for (std::size_t i = 0; i < 2; ++i) watched[i] = {from[i]->number(), POLLIN, 0};
  bool told = false;
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    if (::poll(watched.data(), watched.size(), 100) < 0 && errno != EINTR) require(errno, "wait for a program");
    if (interrupted() && !std::exchange(told, true)) {
      for (const pid_t child : children.list) ::kill(child, SIGTERM);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (watched[i].revents == 0) continue;
      char buffer[1 << 12];
      const ssize_t count = ::read(watched[i].fd, buffer, sizeof buffer);
      if (count > 0) into[i]->append(buffer, static_cast<std::size_t>(count));
      if (count == 0) watched[i].fd = -1;  // poll passes over it
    }
  }
}

}  // namespace

Outcome run_programs(const Pipeline& commands, const std::filesystem::path& out, bool show) {
  Outcome outcome;
  Children children;
  Pipe said, errors;
  {
    // Our own copies of what the programs hold are closed at the end of this block, so that we see when they are done.
    const Descriptor to_out = out.empty() ? std::move(said.write) : opened(out.string(), O_WRONLY | O_CREAT | O_TRUNC);
    const Descriptor to_error = std::move(errors.write);
    said.write.close();
    Descriptor in = opened("/dev/null", O_RDONLY);
    for (const Command& command : commands) {
      const bool last = &command == &commands.back();
      Pipe next;
      children.list.push_back(spawn(command, in.number(), last ? to_out.number() : next.write.number(),
                                    show ? STDERR_FILENO : to_error.number()));
      in = std::move(next.read);
    }
  }
  read_all({&said.read, &errors.read}, {&outcome.out, &outcome.error}, children);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    int state = 0;
    ::waitpid(children.list[i], &state, 0);
    const int status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    // One that was cut off because the next one failed is not the culprit.
    if (outcome.status != 0 || status == 0 || status == 128 + SIGPIPE) continue;
    outcome.status = status;
    outcome.name = commands[i][0];
  }
  children.list.clear();
  if (interrupted()) throw Interrupted("stopped");
  return outcome;
}

}  // namespace normlab
