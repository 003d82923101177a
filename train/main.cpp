// The program: finds the command, runs it, and turns what went wrong into one message and an exit status.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "../engine/error.h"
#include "commands.h"
#include "environment.h"
#include "interrupt.h"
#include "trainer.h"

namespace {

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "normlab: %s\n", message.c_str());
  return status;
}

// OpenMP's threads spin while they wait for work. On a machine that also does other things a spinning thread takes the
// core from the one it waits for: with a compiler running beside it, a small model trained 7 times slower. The runtime
// reads how long to spin when it is loaded, before main, so the program starts itself anew, once, with a short spin.
void wait_patiently(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT") || std::getenv("KMP_BLOCKTIME")) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);  // g++'s runtime: some microseconds
  setenv("KMP_BLOCKTIME", "0", 1);      // clang's
#ifdef __linux__
  execv("/proc/self/exe", argv);
#endif
  // Where that cannot be, the program runs all the same.
}

}  // namespace

int main(int argc, char** argv) {
  using namespace normlab;
  wait_patiently(argv);
  CLI::App program("Normlab: a small deep-learning engine, and a laboratory for normalization in Transformers.",
                   "normlab");
  program.require_subcommand(1);
  program.set_version_flag("--version", environment_line());
  program.footer("Start with:  ./normlab run configs/quick.json");
  int status = kDone;
  add_run(program, status);
  add_check(program, status);
  add_report(program, status);
  add_list(program, status);
  add_translate(program, status);
  add_data(program, status);
  add_bench(program, status);
  add_schema(program, status);
  try {
    program.parse(argc, argv);
    return status;
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" of exit status 0.
    return program.exit(error) == 0 ? kDone : kUsage;
  } catch (const Interrupted& stop) {
    return fail(kInterrupted, stop.what());
  } catch (const Diverged& error) {
    return fail(kDiverged, error.what());
  } catch (const MachineError& error) {
    return fail(kFailed, error.what());
  } catch (const Error& error) {
    return fail(kUsage, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kFailed, "memory: the system has no more; use a smaller model or batch");
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}
