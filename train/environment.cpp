// The environment, as the system tells it.
#include "environment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "../data/hash.h"
#include "../engine/gemm.h"
#include "../engine/parallel.h"
#include "files.h"

namespace normlab {
namespace {

// The value of the first line "name : value" of a file in /proc.
std::string proc_value(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name, 0) != 0) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto first = line.find_first_not_of(" \t", colon + 1);
    return first == std::string::npos ? "" : line.substr(first);
  }
  return "";
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

// As the launcher tells it: compiled in, it would make another program of every commit.
std::string commit() {
  const char* told = std::getenv("NORMLAB_COMMIT");
  return told == nullptr || *told == '\0' ? "unknown" : told;
}

std::string vector_unit() {
#if defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__)
  return "AVX2";
#elif defined(__SSE2__)
  return "SSE2";
#elif defined(__ARM_NEON)
  return "NEON";
#else
  return "none";
#endif
}

std::string processor() {
  const std::string name = proc_value("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown processor" : name;
}

// A hash of the program as it stands on the disk: another build has another one, the same source and compiler the same.
std::string program() {
#ifdef __linux__
  return Hash().add(read_file("/proc/self/exe")).text();
#else
  return "unknown";
#endif
}

}  // namespace

std::vector<std::pair<std::string, std::string>> environment() {
  return {{"version", NORMLAB_VERSION},
          {"commit", commit()},
          {"program", program()},
          {"build", NORMLAB_BUILD},
          {"compiler", compiler()},
          {"processor", processor()},
          {"cores", fmt::format("{}", sysconf(_SC_NPROCESSORS_ONLN))},
          {"vector_unit", vector_unit()},
          {"threads", fmt::format("{}", threads())},
          {"gemm", gemm_backend()}};
}

std::string environment_line() {
  return fmt::format("normlab {} · {} · {} thread{} · {} · {} {}", NORMLAB_VERSION, processor(), threads(),
                     threads() == 1 ? "" : "s", gemm_backend(), NORMLAB_BUILD, vector_unit());
}

double available_memory() {
  std::istringstream value(proc_value("/proc/meminfo", "MemAvailable"));
  double kilobytes = 0;
  value >> kilobytes;
  const double machine = kilobytes > 0 ? kilobytes * 1024 : std::numeric_limits<double>::infinity();
  const double left = std::min(machine, memory_left_to("/sys/fs/cgroup"));
  return std::isfinite(left) ? left : 0;
}

double memory_left_to(const std::filesystem::path& group) {
  std::ifstream limit(group / "memory.max"), current(group / "memory.current"), details(group / "memory.stat");
  double most = 0, used = 0, files = 0;
  if (!(limit >> most)) return std::numeric_limits<double>::infinity();  // no such file, or "max"
  current >> used;
  std::string name;
  for (double value = 0; details >> name >> value;) {
    if (name == "inactive_file") files = value;
  }
  return std::max(0.0, most - std::max(0.0, used - files));
}

}  // namespace normlab
