// ./normlab data: public data sets, downloaded, prepared and checked.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "../commands.h"
#include "../fetch/downloader.h"
#include "../fetch/fetch.h"
#include "../interrupt.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> names;
  std::string to = default_data_directory(), from, archive;
  int timeout = 30;
  bool list = false;
};

void list(const fs::path& to) {
  fmt::print("{:<10}  {:<15}{:>9}  what it is\n", "name", "folder", "size");
  for (const DataSet& set : data_sets()) {
    double bytes = 0;
    bool there = true;
    for (const DataFile& file : set.files) {
      bytes += static_cast<double>(file.bytes);
      there = there && fs::exists(to / set.folder / file.path);
    }
    fmt::print("{:<10}  {:<15}{:>9}  {}{}\n{:38}licence: {}\n", set.name, set.folder, megabytes(bytes), set.title,
               there ? " (there)" : "", "", set.licence);
    if (set.whole.prepare) fmt::print("{:38}{}\n", "", set.whole.note);
  }
  fmt::print("\nThe data directory is {}. Fetch a set with: ./normlab data NAME\n", to.string());
}

int data(Arguments a) {
  while (!a.from.empty() && a.from.back() == '/') a.from.pop_back();
  check(a.from.empty() || a.from.find("://") != std::string::npos,
        "data: --from must be a URL, such as https://host/folder or file:///folder, got ", a.from);
  const auto sets = find_data_sets(a.names);
  if (a.list || sets.empty()) {
    list(a.to);
    return kDone;
  }
  catch_interrupts();
  if (!a.archive.empty()) {
    check(sets.size() == 1, "data: --archive goes with one data set, got ", sets.size());
    prepare(*sets.front(), a.archive, a.to);
    return kDone;
  }
  fetch(sets, {a.to, a.from, a.timeout});
  return kDone;
}

}  // namespace

void add_data(CLI::App& program, int& status) {
  auto* command = program.add_subcommand("data", "Fetch public data sets: download, prepare, check their hashes");
  auto a = std::make_shared<Arguments>();
  command->add_option("names", a->names, "Which; without a name, all are listed");
  command->add_option("--to", a->to, "The data directory (also NORMLAB_DATA)")->capture_default_str();
  command->add_flag("--list", a->list, "List them, with their licences");
  command->add_option("--from", a->from, "Take each download from FROM/<name of the set>/<name of the file>")
      ->envname("NORMLAB_MIRROR");
  command->add_option("--archive", a->archive,
                      "Prepare what no server gives from this archive of your own; the list says which");
  command->add_option("--timeout", a->timeout, "Seconds until a silent server is given up")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->callback([a, &status] { status = data(*a); });
}

}  // namespace normlab
