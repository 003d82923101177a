// Public data sets as a table: where each file comes from, how it is made from what is downloaded, and how it is known
// to be right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "../process.h"

namespace normlab {

// A download. Its name is the last part of the URL, or a name of its own where two of a set would share that.
struct Source {
  Source(std::string where, std::string own_name = "")
      : url(std::move(where)), name(own_name.empty() ? url.substr(url.rfind('/') + 1) : std::move(own_name)) {}
  std::string url, name;
};

// One way to make a file: what to download, and the programs that turn it into the file. "{0}" stands for the first
// download, "{1}" for the second, and so on. Without programs the one download is the file.
struct Way {
  std::vector<Source> sources;
  Pipeline programs;
};

struct DataFile {
  std::string path;  // in the folder of the data set
  // Of the content: a file whose name ends in .gz is decompressed first, since two versions of gzip need not write the
  // same bytes. 64 digits are SHA-256, 40 are SHA-1.
  std::string hash;
  std::int64_t bytes;     // about, for lists
  std::vector<Way> ways;  // tried in this order
};

// What of a data set no server gives, made from an archive of the user's own.
struct FromArchive {
  std::string folder = {};  // in the data directory: all that training needs, valid and test too
  std::string note = {};    // what it is, and which archive
  void (*prepare)(const std::filesystem::path& archive, const std::filesystem::path& folder) = nullptr;
};

struct DataSet {
  std::string name;     // on the command line: "wikitext2"
  std::string folder;   // in the data directory, and in a config: "wikitext-2"
  std::string title;    // one line
  std::string licence;  // one line
  std::vector<DataFile> files;
  FromArchive whole = {};  // without `prepare` the files are all
};

// All data sets that `./normlab data` knows.
const std::vector<DataSet>& data_sets();

// The usual ways.
inline Way as_it_is(Source source) { return {{source}, {}}; }
inline Way decompressed(Source source) { return {{source}, {{"gzip", "-dc", "{0}"}}}; }
inline Way from_tar(Source source, std::string member) {
  return {{source}, {{"gzip", "-dc", "{0}"}, {"tar", "-xOf", "-", "--wildcards", member}}};
}
inline Way from_zip(Source source, std::string member) { return {{source}, {{"unzip", "-p", "{0}", member}}}; }
// What the way makes, in gzip's smallest form without name and time.
inline Way compressed(Way way) {
  way.programs.push_back(way.programs.empty() ? Command{"gzip", "-9nc", "{0}"} : Command{"gzip", "-9n"});
  return way;
}

}  // namespace normlab
