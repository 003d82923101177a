// The rules of the house, each a walk over the source files. See structure.h.
#include "structure.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>

namespace normlab::structure {
namespace {

namespace fs = std::filesystem;
using Violations = std::vector<std::string>;

// What each folder may include from the house.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"engine", {"engine"}},
    {"nn", {"nn", "engine"}},
    {"data", {"data", "engine"}},
    {"train", {"train", "nn", "data", "engine"}},
};

struct Line {
  std::string file;  // relative to the root, with /
  int number;
  const std::string& text;

  std::string violation(const std::string& what) const { return file + ":" + std::to_string(number) + ": " + what; }
};

// Calls visit for every line of every source file in `folders`, in the order of their names.
void for_each_line(const fs::path& root, const std::vector<std::string>& folders,
                   const std::function<void(const Line&)>& visit) {
  std::vector<fs::path> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const fs::path extension = entry.path().extension();
      if (extension == ".h" || extension == ".cpp" || extension == ".inl") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    std::ifstream in(file);
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
      visit({file.lexically_relative(root).generic_string(), number, text});
    }
  }
}

std::vector<std::string> library_folders() {
  std::vector<std::string> folders;
  for (const auto& [folder, allowed] : kMayInclude) folders.push_back(folder);
  return folders;
}

std::string top_folder(const std::string& file) { return file.substr(0, file.find('/')); }

bool is_header(const std::string& file) { return fs::path(file).extension() == ".h"; }

// Characters, not bytes: the continuation bytes of UTF-8 are not counted.
std::ptrdiff_t characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

Violations upward_includes(const fs::path& root) {
  static const std::regex include(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  Violations found;
  for_each_line(root, library_folders(), [&](const Line& line) {
    std::smatch match;
    if (!std::regex_search(line.text, match, include)) return;
    const std::string target = match[2];
    if (match[1] == "<") {
      if (target.rfind("normlab/", 0) == 0) found.push_back(line.violation("includes the house as <" + target + ">"));
      return;
    }
    const fs::path resolved = (fs::path(line.file).parent_path() / target).lexically_normal();
    if (!fs::exists(root / resolved)) {
      found.push_back(line.violation("\"" + target + "\" is not a path relative to this file"));
      return;
    }
    const std::string from = top_folder(line.file), to = top_folder(resolved.generic_string());
    if (!kMayInclude.at(from).count(to)) {
      found.push_back(line.violation(from + " must not depend on " + to + ": \"" + target + "\""));
    }
  });
  return found;
}

Violations own_header_not_first(const fs::path& root) {
  static const std::regex include(R"re(^\s*#\s*include\s*(\S+))re");
  Violations found;
  std::string done;  // the file whose first include was seen
  for_each_line(root, library_folders(), [&](const Line& line) {
    std::smatch match;
    if (line.file == done || fs::path(line.file).extension() != ".cpp" || !std::regex_search(line.text, match, include))
      return;
    done = line.file;
    const fs::path header = fs::path(line.file).replace_extension(".h");
    if (!fs::exists(root / header)) return;
    const std::string own = "\"" + header.filename().string() + "\"";
    if (match[1] != own) found.push_back(line.violation("the first include must be its own header " + own));
  });
  return found;
}

Violations eigen_in_headers(const fs::path& root) {
  static const std::regex eigen(R"re(#\s*include\s*[<"](unsupported/)?Eigen/|\bEigen::)re");
  Violations found;
  for_each_line(root, library_folders(), [&](const Line& line) {
    if (is_header(line.file) && std::regex_search(line.text, eigen)) {
      found.push_back(line.violation("Eigen in a header"));
    }
  });
  return found;
}

Violations openmp_outside_parallel(const fs::path& root) {
  static const std::regex openmp(
      R"re(^\s*#\s*pragma\s+omp\b|\b_Pragma\s*\(|#\s*include\s*[<"]omp\.h|\bomp_[a-z_]+\s*\()re");
  Violations found;
  for_each_line(root, library_folders(), [&](const Line& line) {
    if (line.file != "engine/parallel.cpp" && std::regex_search(line.text, openmp)) {
      found.push_back(line.violation("OpenMP outside engine/parallel.cpp; use parallel()"));
    }
  });
  return found;
}

Violations unkempt_files(const fs::path& root) {
  std::vector<std::string> folders = library_folders();
  folders.push_back("tests");
  Violations found;
  for_each_line(root, folders, [&](const Line& line) {
    if (line.number == 1 && line.text.rfind("// ", 0) != 0) {
      found.push_back(line.violation("the first line must be a comment that says what the file is"));
    }
    if (characters(line.text) > 120) found.push_back(line.violation("longer than 120 characters"));
  });
  return found;
}

Violations stray_entries(const fs::path& root) {
  static const std::set<std::string> folders = {"engine", "nn", "data", "train", "configs", "tests"};
  static const std::set<std::string> files = {"normlab", "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"};
  // .ci, .git, .gitignore and an editor's own folders; what the build, a run or a developer leaves.
  static const std::regex ignored(R"re(\..*|build(-.*)?|runs|compile_commands\.json|CMakeUserPresets\.json)re");
  Violations found;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (std::regex_match(name, ignored)) continue;
    if (entry.is_directory() ? !folders.count(name) : !files.count(name)) {
      found.push_back(name + ": has no place at the top level");
    }
  }
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    if (!fs::exists(root / folder / "README.md")) found.push_back(folder + ": has no README.md");
  }
  std::sort(found.begin(), found.end());
  return found;
}

Violations dead_names_in_readmes(const fs::path& root) {
  static const std::regex name(R"re(`([A-Za-z0-9_./]+\.(h|cpp|inl))`)re");
  static const std::string kExample = "nn/norm/l1.h";  // of a norm that a reader adds
  std::vector<std::string> files, pages = {"/README.md"};
  for (const char* folder : {"configs", "data", "engine", "nn", "tests", "train"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      files.push_back("/" + entry.path().lexically_relative(root).generic_string());
      if (entry.path().filename() == "README.md") pages.push_back(files.back());
    }
  }
  std::sort(pages.begin(), pages.end());
  Violations found;
  for (const std::string& page : pages) {
    const std::string own_folder = page.substr(0, page.rfind('/') + 1);
    const auto is_there = [&](const std::string& named) {
      return std::any_of(files.begin(), files.end(), [&](const std::string& file) {
        return file == "/" + named || (file.starts_with(own_folder) && file.ends_with("/" + named));
      });
    };
    std::ifstream in(root / page.substr(1));
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
      for (std::sregex_iterator match(text.begin(), text.end(), name), end; match != end; ++match) {
        const std::string named = (*match)[1];
        if (named != kExample && !is_there(named)) {
          found.push_back(page.substr(1) + ":" + std::to_string(number) + ": there is no " + named);
        }
      }
    }
  }
  return found;
}

Violations stale_mutations(const fs::path& root) {
  std::vector<fs::path> patches;
  if (fs::exists(root / "tests/mutations")) {
    for (const auto& entry : fs::directory_iterator(root / "tests/mutations")) {
      if (entry.path().extension() == ".patch") patches.push_back(entry.path());
    }
  }
  std::sort(patches.begin(), patches.end());
  Violations found;
  for (const fs::path& patch : patches) {
    std::string file, before;  // what the patch changes; the lines of a hunk as they are without it
    int number = 0, hunk = 0;
    const auto end_hunk = [&] {
      if (hunk == 0) return;
      std::ifstream in(root / file);
      const std::string text = "\n" + std::string(std::istreambuf_iterator<char>(in), {});
      if (text.find("\n" + before) == std::string::npos) {
        found.push_back(patch.lexically_relative(root).generic_string() + ":" + std::to_string(hunk) +
                        ": no longer applies to " + file);
      }
      before.clear();
      hunk = 0;
    };
    std::ifstream in(patch);
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (line.starts_with("diff ") || line.starts_with("@@")) end_hunk();
      if (line.starts_with("--- a/")) {
        file = line.substr(6);
      } else if (line.starts_with("@@")) {
        hunk = number;
      } else if (hunk > 0 && (line.empty() || line.starts_with(" ") || line.starts_with("-"))) {
        before += line.substr(std::min<std::size_t>(1, line.size())) + "\n";
      }
    }
    end_hunk();
  }
  return found;
}

}  // namespace normlab::structure
