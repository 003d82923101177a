// Each file by the first of its ways that gives the right hash.
#include "fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <system_error>

#include "../../engine/error.h"
#include "../files.h"
#include "../interrupt.h"
#include "../problems.h"
#include "downloader.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

// to/<name>.part, made for one process at a time; taken away at the end unless it holds what the next call can use.
class WorkFolder {
 public:
  explicit WorkFolder(const fs::path& path) : path_(path), lock_(path / ".lock") {
    fs::create_directories(path);
    // Programs inherit the lock: it also holds while one goes on after this process was killed.
    descriptor_ = ::open(lock_.c_str(), O_WRONLY | O_CREAT, 0666);
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      if (descriptor_ >= 0) ::close(descriptor_);
      throw MachineError(text(path.string(), ": cannot be used; is another `normlab data` at work in it?"));
    }
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove(lock_, ignored);
    fs::remove(path_, ignored);  // when it is empty
    ::close(descriptor_);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  fs::path operator/(const std::string& name) const { return path_ / name; }
  // Takes all away but the lock.
  void clear() {
    for (const auto& entry : fs::directory_iterator(path_)) {
      if (entry.path() != lock_) fs::remove_all(entry.path());
    }
  }

 private:
  fs::path path_, lock_;
  int descriptor_;
};

// The first line that is not empty.
std::string first_line(const std::string& lines) {
  const std::size_t begin = std::min(lines.find_first_not_of('\n'), lines.size());
  return lines.substr(begin, lines.find('\n', begin) - begin);
}

// The file's hash, as DataFile says; what is wrong with it when it has none.
std::string hash_of(const fs::path& file, const DataFile& expected) {
  const std::string program = expected.hash.size() == 40 ? "sha1sum" : "sha256sum";
  const bool compressed = fs::path(expected.path).extension() == ".gz";
  const Outcome outcome = run_programs(compressed ? Pipeline{{"gzip", "-dc", file.string()}, {program}}
                                                  : Pipeline{{program, file.string()}});
  return outcome.status == 0 ? outcome.out.substr(0, expected.hash.size()) : "none (" + first_line(outcome.error) + ")";
}

// Did a program fail because of the disk? They print the system's words, in English (LC_ALL=C).
bool disk_failed(const std::string& words) {
  for (const int error : {ENOSPC, EDQUOT, EFBIG, EIO}) {
    if (words.find(std::generic_category().message(error)) != std::string::npos) return true;
  }
  return false;
}

class SetFetcher {
 public:
  SetFetcher(const DataSet& set, const FetchSettings& settings, Downloader& downloader)
      : set_(set), settings_(settings), downloader_(downloader), work_(settings.to / (set.name + ".part")) {}

  // Makes the file at `target`. SourceError when no way leads to it.
  void make(const DataFile& file, const fs::path& target) {
    std::vector<std::string> failures;
    bool unreachable = true;
    for (const Way& way : file.ways) {
      try {
        move_into_place(prepared(file, way), target);
        fmt::print(stderr, "  {}/{} is there, its hash is right\n", set_.folder, file.path);
        return;
      } catch (const Unreachable& error) {
        failures.push_back(error.what());
      } catch (const SourceError& error) {
        failures.push_back(error.what());
        unreachable = false;
      }
    }
    if (unreachable) throw Unreachable(listed(failures));  // told once for all files, by fetch()
    throw SourceError(text(set_.folder, "/", file.path, ": ", fmt::format("{}", fmt::join(failures, "\n  or "))));
  }

  void clear() { work_.clear(); }

 private:
  // The file made in the work folder, with the right hash.
  fs::path prepared(const DataFile& file, const Way& way) {
    std::vector<std::string> urls;
    std::vector<fs::path> downloads;
    for (const Source& source : way.sources) {
      urls.push_back(settings_.from.empty() ? source.url : settings_.from + "/" + set_.name + "/" + source.name);
      downloads.push_back(work_ / source.name);
      if (bad_.count(source.name)) throw SourceError(urls.back() + ": see above");
      downloader_.download(urls.back(), downloads.back());
    }
    std::string wrong;
    fs::path made = downloads.front();
    if (!way.programs.empty()) {
      made = work_ / ".prepared";
      Pipeline programs = way.programs;
      for (Command& command : programs) fill_in(command, downloads);
      const Outcome outcome = run_programs(programs, made);
      if (disk_failed(outcome.error)) throw MachineError(made.string() + ": " + first_line(outcome.error));
      if (outcome.status != 0) wrong = text("`", outcome.name, "` fails on it (", first_line(outcome.error), ")");
    }
    if (wrong.empty()) {
      const std::string found = hash_of(made, file);
      if (found == file.hash) return made;
      wrong = text("must have the hash ", file.hash, ", has ", found);
    }
    for (const Source& source : way.sources) {
      bad_.insert(source.name);
      fs::remove(work_ / source.name);
    }
    fs::remove(work_ / ".prepared");
    throw SourceError(text(listed(urls), ": came damaged or is another version: ", wrong,
                           "; it was deleted, and the same command downloads it anew"));
  }

  // "{0}" -> the path of the first download.
  static void fill_in(Command& command, const std::vector<fs::path>& downloads) {
    for (std::string& word : command) {
      for (std::size_t i = 0; i < downloads.size(); ++i) {
        if (word == text("{", i, "}")) word = downloads[i].string();
      }
    }
  }

  const DataSet& set_;
  const FetchSettings& settings_;
  Downloader& downloader_;
  WorkFolder work_;
  std::set<std::string> bad_;  // names of downloads that came damaged; not tried twice
};

// Fetches what is missing of a set; adds what went wrong to `problems`. Unreachable when no server was.
void fetch_set(const DataSet& set, const FetchSettings& settings, Downloader& downloader,
               std::vector<std::string>& problems) {
  fmt::print(stderr, "{}: {}\n  licence: {}\n", set.name, set.title, set.licence);
  std::vector<const DataFile*> missing;
  const std::size_t problems_before = problems.size();
  for (const DataFile& file : set.files) {
    const fs::path target = settings.to / set.folder / file.path;
    if (!fs::exists(target)) {
      missing.push_back(&file);
      continue;
    }
    const std::string found = hash_of(target, file);
    if (found == file.hash) continue;
    problems.push_back(text(target.string(), ": must have the hash ", file.hash, ", has ", found,
                            "; delete it or move it away, and the same command fetches it"));
  }
  if (!missing.empty()) {
    SetFetcher fetcher(set, settings, downloader);
    for (const DataFile* file : missing) {
      try {
        fetcher.make(*file, settings.to / set.folder / file->path);
      } catch (const Unreachable&) {
        throw;
      } catch (const SourceError& error) {
        problems.push_back(error.what());
      }
    }
    if (problems.size() == problems_before) fetcher.clear();
  }
  if (problems.size() > problems_before) return;
  fmt::print("{}: {} files in {}, hashes right{}\n", set.name, set.files.size(), (settings.to / set.folder).string(),
             missing.empty() ? "; already there" : "");
  if (set.whole.prepare) fmt::print("  {}, by --archive\n", set.whole.note);
}

}  // namespace

std::vector<const DataSet*> find_data_sets(const std::vector<std::string>& words) {
  std::vector<const DataSet*> found;
  std::vector<std::string> names;
  for (const DataSet& set : data_sets()) names.push_back(set.name);
  for (const std::string& word : words) {
    bool known = false;
    for (const DataSet& set : data_sets()) {
      if (word != set.name && word != set.folder && word != *fs::path(set.folder).begin()) continue;
      known = true;
      if (std::count(found.begin(), found.end(), &set) == 0) found.push_back(&set);
    }
    const std::string near = closest(word, names);
    check(known, "data: there is no data set \"", word, "\"", near.empty() ? "" : "; did you mean \"" + near + "\"?",
          "\nThere are: ", listed(names));
  }
  return found;
}

std::string how_to_get(const fs::path& file, const fs::path& data_directory) {
  const auto within = [&](const std::string& folder) {
    const fs::path rest = file.lexically_relative(folder);
    return folder.empty() || rest.empty() || *rest.begin() == ".." ? "" : rest.generic_string();
  };
  for (const DataSet& set : data_sets()) {
    const std::string name = within(set.folder);
    if (name.empty() && within(set.whole.folder).empty()) continue;
    const std::string to = " --to " + data_directory.string(),
                      fetches = "`./normlab data " + set.name + to + "` fetches ";
    std::vector<std::string> names;
    for (const DataFile& one : set.files) names.push_back(one.path);
    if (std::count(names.begin(), names.end(), name) > 0) return fetches + "it";
    if (!set.whole.prepare) return fetches + listed(names);
    return text("of ", set.name, ", ", set.whole.note, ": `./normlab data ", set.name, " --archive FILE", to,
                "` prepares it in ", set.whole.folder);
  }
  return "";
}

void prepare(const DataSet& set, const fs::path& archive, const fs::path& data_directory) {
  check(set.whole.prepare != nullptr, "data: ", set.name, " is made from no archive; leave --archive away");
  const fs::path folder = data_directory / set.whole.folder;
  require_writable_directory(data_directory);
  set.whole.prepare(archive, folder);
  for (const DataFile& file : set.files) {
    const fs::path made = folder / file.path;
    if (!fs::exists(made)) continue;
    fmt::print("{}: {}\n", made.string(),
               hash_of(made, file) == file.hash ? "the usual one, to the byte" : "differs from the usual one");
  }
  fmt::print("{}: prepared in {}\n", set.name, folder.string());
}

void fetch(const std::vector<const DataSet*>& sets, const FetchSettings& given) {
  ::setenv("LC_ALL", "C", 1);
  FetchSettings settings = given;
  settings.to = fs::absolute(given.to);  // so that no program takes a path for an option
  require_writable_directory(settings.to);
  Downloader downloader(settings.timeout);
  std::vector<std::string> problems;
  bool cut_off = false;
  try {
    for (const DataSet* set : sets) {
      try {
        fetch_set(*set, settings, downloader, problems);
      } catch (const Unreachable&) {
        cut_off = true;
      }
    }
  } catch (const Interrupted&) {
    throw Interrupted("stopped; what was downloaded is kept, and the same command goes on from there");
  }
  if (cut_off) {
    problems.push_back(text(downloader.connected()
                                ? "these servers cannot be reached: "
                                : "no server can be reached; is this machine on the network? Tried: ",
                            listed(downloader.unreachable()),
                            ". A proxy is named by the variable https_proxy, a copy of the downloads by --from"));
  }
  if (!problems.empty()) throw MachineError(fmt::format("{}", fmt::join(problems, "\n")));
}

}  // namespace normlab
