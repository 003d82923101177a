// One run of curl after the other, and what its exit status means (man curl, EXIT CODES).
#include "downloader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "../process.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

const std::set<int> kUnreachable{5, 6, 7};                 // no proxy, no such host, no connection
const std::set<int> kStopped{16, 18, 28, 52, 55, 56, 92};  // the connection ended or stalled before the file did
const std::set<int> kNoRange{33, 36};                      // cannot continue a part
const std::set<int> kCertificate{60, 77};
constexpr int kHttpError = 22, kTimeout = 28, kWriteError = 23;
constexpr int kLaps = 5;  // how often a server that stops is asked to go on

// "https://host:8000/path" -> "host:8000"
std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  return url.substr(begin, url.find('/', begin) - begin);
}

double size_of(const fs::path& file) {
  std::error_code missing;
  const auto size = fs::file_size(file, missing);
  return missing ? 0 : static_cast<double>(size);
}

// curl's own words; on a terminal it has said them there.
std::string reason_of(const Outcome& curl) {
  const std::size_t end = curl.error.find_last_not_of('\n');
  if (end == std::string::npos) return text("curl ended with status ", curl.status);
  const std::size_t newline = curl.error.rfind('\n', end);
  return curl.error.substr(newline == std::string::npos ? 0 : newline + 1, end - newline);
}

}  // namespace

std::string megabytes(double bytes) { return fmt::format("{:.{}f} MB", bytes / 1e6, bytes < 1e5 ? 3 : 1); }

std::vector<std::string> Downloader::unreachable() const {
  std::vector<std::string> all;
  for (const auto& [host, why] : unreachable_) all.push_back(why);
  return all;
}

void Downloader::download(const std::string& url, const fs::path& file) {
  if (fs::exists(file)) return;
  const std::string host = host_of(url);
  if (const auto known = unreachable_.find(host); known != unreachable_.end()) throw Unreachable(known->second);

  const fs::path part = file.string() + ".part";
  const bool terminal = isatty(STDERR_FILENO) == 1;
  Command command{"curl",      "--fail",       "--location",
                  "--globoff", "--show-error", terminal ? "--progress-bar" : "--silent"};
  const Command options{"--connect-timeout", timeout_, "--speed-limit", "1", "--speed-time", timeout_};
  const Command files{"--continue-at", "-", "--output", part.string(), "--write-out", "%{http_code}", url};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), files.begin(), files.end());
  for (int lap = 1;; ++lap) {
    const double before = size_of(part);
    if (before == 0) fmt::print(stderr, "  downloading {}\n", url);
    if (before > 0) fmt::print(stderr, "  going on after {} of {}\n", megabytes(before), url);
    const Outcome curl = run_programs({command}, {}, terminal);
    const int status = curl.status, answer = std::atoi(curl.out.c_str());  // 200, 404; 0 when there was none
    const double after = size_of(part);
    const std::string reason = reason_of(curl);
    if (answer > 0) connected_ = true;

    if (status == 0) {
      connected_ = true;
      if (!fs::exists(part)) std::ofstream{part};  // curl makes no file of nothing
      fs::rename(part, file);
      return;
    }
    const bool refused = kNoRange.count(status) > 0 || (status == kHttpError && answer == 416);
    if (refused && before > 0) {
      fs::remove(part);
      continue;
    }
    if (kUnreachable.count(status) || (status == kTimeout && answer == 0 && after == before)) {
      unreachable_[host] = text(host, " (", reason, ")");
      throw Unreachable(unreachable_[host]);
    }
    if (kStopped.count(status)) {
      if (after > before && lap < kLaps) continue;
      throw SourceError(text(url, ": the server stopped after ", megabytes(after), " (", reason,
                             "); what came is kept, and the same command goes on from there"));
    }
    if (status == kWriteError) {
      throw MachineError(
          text(part.string(), ": cannot be written after ", megabytes(after), " (", reason, "); is the disk full?"));
    }
    if (status == kHttpError) throw SourceError(text(url, ": the server answers ", answer, " instead of a file"));
    const char* hint = kCertificate.count(status) ? "; is the package ca-certificates installed?" : "";
    throw SourceError(text(url, ": ", reason, hint));
  }
}

}  // namespace normlab
