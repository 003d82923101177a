// ./normlab data from a server on loopback: what arrives, what never does, and what it says. The program is the real
// one with the data sets of tests/support/made_up_data_sets.cpp.
#include <sys/file.h>

#include "http_server.h"
#include "program.h"
#include "tests/support/catch.h"
#include "tests/train/full_disk.h"

using namespace normlab_tests;

namespace {

const std::string kPlain = "a b c\n", kPoem = "roses are red\n";

std::string lines(const std::string& before, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += before + std::to_string(i) + "\n";
  return all;
}
const std::string kNumbers = lines("", 1000), kLines = lines("line ", 30000);

std::string thousand_times(const std::string& line) {
  std::string all;
  for (int i = 0; i < 1000; ++i) all += line;
  return all;
}
const std::string kWords = thousand_times("to be or not to be\n");

// A zip archive, uncompressed, with folder/poem.txt.
std::string zip_of_poem() {
  const std::string hex =
      "504b03041400000000000000215ca922c18e0e0000000e0000000f000000666f6c6465722f706f656d2e747874726f736573"
      "20617265207265640a504b010214031400000000000000215ca922c18e0e0000000e0000000f000000000000000000000080"
      "0100000000666f6c6465722f706f656d2e747874504b050600000000010001003d0000003b0000000000";
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// What a program makes of a file.
std::string made_by(const std::string& shell_command) {
  FILE* out = popen(shell_command.c_str(), "r");
  REQUIRE(out);
  std::string bytes;
  char buffer[1 << 12];
  while (const std::size_t count = fread(buffer, 1, sizeof buffer, out)) bytes.append(buffer, count);
  REQUIRE(pclose(out) == 0);
  return bytes;
}

bool installed(const std::string& program) {
  if (std::system(("command -v " + program + " >/dev/null").c_str()) == 0) return true;
  WARN(program << " is not installed: `normlab data` is NOT tested");
  return false;
}

struct World {
  World() {
    spill(scratch / "made/folder/numbers.txt", kNumbers);
    spill(scratch / "made/words.txt", kWords);
    const std::string made = (scratch / "made").string();
    server.put("/steps/plain.txt", {kPlain});
    server.put("/steps/words.txt.gz", {made_by("gzip -c " + made + "/words.txt")});
    server.put("/steps/bundle.tgz", {made_by("tar -C " + made + " -czf - ./folder")});
    server.put("/zipped/poem.zip", {zip_of_poem()});
    server.put("/big/lines.txt", {kLines});
  }

  Outcome fetch(std::vector<std::string> names, Settings settings = {}) {
    std::vector<std::string> arguments{"data", "--to", to().string(), "--from", server.url(), "--timeout", "1"};
    arguments.insert(arguments.end(), names.begin(), names.end());
    return run(arguments, settings);
  }
  Outcome run(const std::vector<std::string>& arguments, Settings settings = {}) {
    settings.program = NORMLAB_MADE_UP;
    for (const std::string name : {"http_proxy", "https_proxy", "all_proxy", "NORMLAB_MIRROR"}) {
      settings.environment.push_back({name, ""});
    }
    return run_program(arguments, scratch, settings);
  }

  fs::path to() const { return scratch / "data"; }
  // All files in the data directory.
  std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(to())) {
      if (entry.is_regular_file()) all.push_back(entry.path().lexically_relative(to()).generic_string());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  Scratch scratch;
  HttpServer server;
};

using Names = std::vector<std::string>;

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
  return found;
}

}  // namespace

TEST_CASE("data: files are downloaded, prepared and checked; what is there is not downloaded again") {
  if (!installed("curl")) return;
  World world;
  const Outcome first = world.fetch({"steps"});
  INFO(first.error);
  REQUIRE(first.status == 0);
  CHECK(world.files() == Names{"many.steps/inner/words.txt", "many.steps/numbers.txt.gz", "many.steps/plain.txt"});
  CHECK(slurp(world.to() / "many.steps/plain.txt") == kPlain);
  CHECK(slurp(world.to() / "many.steps/inner/words.txt") == kWords);
  CHECK(made_by("gzip -dc " + (world.to() / "many.steps/numbers.txt.gz").string()) == kNumbers);
  CHECK_THAT(first.error, ContainsSubstring("licence: free for all"));
  CHECK_THAT(first.out, ContainsSubstring("steps: 3 files in ") && ContainsSubstring("hashes right\n"));
  CHECK(world.server.requests() == Names{"/steps/plain.txt", "/steps/words.txt.gz", "/steps/bundle.tgz"});

  fs::remove(world.to() / "many.steps/plain.txt");
  CHECK(world.fetch({"many.steps"}).status == 0);  // named by its folder
  CHECK(world.server.requests() == Names{"/steps/plain.txt"});
  const Outcome again = world.fetch({"steps"});
  CHECK(again.status == 0);
  CHECK_THAT(again.out, ContainsSubstring("already there"));
  CHECK(world.server.requests().empty());
}

TEST_CASE("data: a file of a zip archive, known by its SHA-1") {
  if (!installed("curl") || !installed("unzip")) return;
  World world;
  const Outcome outcome = world.fetch({"zipped"});
  INFO(outcome.error);
  CHECK(outcome.status == 0);
  CHECK(slurp(world.to() / "zipped/poem.txt") == kPoem);
}

TEST_CASE("data: a wrong file that is there is kept and named; the others are fetched") {
  if (!installed("curl")) return;
  World world;
  spill(world.to() / "many.steps/plain.txt", "mine\n");
  const Outcome outcome = world.fetch({"steps"});
  CHECK(outcome.status == 1);
  CHECK_THAT(
      outcome.error,
      ContainsSubstring((world.to() / "many.steps/plain.txt").string()) &&
          ContainsSubstring("must have the hash 1a25953465ab671d54b30108a9951b5500fa40994098ef9463853004da7933e1, "
                            "has fcbc800db3f1867000b852f1ce0044b8f1584f76ade1ed6e65189824f95c3cda") &&
          ContainsSubstring("delete it or move it away"));
  CHECK(slurp(world.to() / "many.steps/plain.txt") == "mine\n");
  CHECK(slurp(world.to() / "many.steps/inner/words.txt") == kWords);
}

TEST_CASE("data: a download with the wrong hash is deleted, the next source tried, and nothing wrong is left") {
  if (!installed("curl")) return;
  World world;
  world.server.put("/mirrored/first.txt", {"another version\n"});
  const Outcome bad = world.fetch({"mirrored"});
  INFO(bad.error);
  CHECK(bad.status == 1);
  CHECK_THAT(bad.error, ContainsSubstring("must have the hash 1a259534") && ContainsSubstring(", has ") &&
                            ContainsSubstring("/first.txt") && ContainsSubstring("/second.txt") &&
                            ContainsSubstring("the server answers 404"));
  CHECK(world.files().empty());
  world.server.put("/mirrored/second.txt", {kPlain});
  CHECK(world.fetch({"mirrored"}).status == 0);
  CHECK(world.files() == Names{"mirrored/plain.txt"});
}

TEST_CASE("data: a damaged archive is named with the program that cannot read it, and downloaded anew") {
  if (!installed("curl")) return;
  World world;
  const std::string bundle = made_by("tar -C " + (world.scratch / "made").string() + " -czf - ./folder");
  world.server.put("/steps/bundle.tgz", {bundle.substr(0, bundle.size() / 2)});
  const Outcome bad = world.fetch({"steps"});
  INFO(bad.error);
  CHECK(bad.status == 1);
  CHECK_THAT(bad.error, ContainsSubstring("many.steps/numbers.txt.gz") && ContainsSubstring("came damaged") &&
                            ContainsSubstring("`gzip` fails on it (gzip: ") &&
                            ContainsSubstring("unexpected end of file"));
  CHECK_FALSE(fs::exists(world.to() / "many.steps/numbers.txt.gz"));
  CHECK_FALSE(fs::exists(world.to() / "steps.part/bundle.tgz"));
  world.server.put("/steps/bundle.tgz", {bundle});
  CHECK(world.fetch({"steps"}).status == 0);
  CHECK(world.files().size() == 3);
}

TEST_CASE("data: a download that breaks off is continued, in the same call and in the next") {
  if (!installed("curl")) return;
  World world;
  Page page{kLines};
  page.stops_after = 100000;
  world.server.put("/big/lines.txt", page);
  const Outcome whole = world.fetch({"big"});
  INFO(whole.error);
  CHECK(whole.status == 0);
  CHECK(world.server.requests() == Names{"/big/lines.txt", "/big/lines.txt from 100000", "/big/lines.txt from 200000",
                                         "/big/lines.txt from 300000"});
  CHECK(slurp(world.to() / "big/lines.txt") == kLines);

  fs::remove_all(world.to());
  page.stops_after = 10000;  // more often than it is asked to go on
  world.server.put("/big/lines.txt", page);
  const Outcome stopped = world.fetch({"big"});
  CHECK(stopped.status == 1);
  CHECK_THAT(stopped.error, ContainsSubstring("the server stopped after 0.050 MB") &&
                                ContainsSubstring("the same command goes on from there"));
  CHECK(world.files() == Names{"big.part/lines.txt.part"});
  world.server.requests();
  world.server.put("/big/lines.txt", {kLines});
  CHECK(world.fetch({"big"}).status == 0);
  CHECK(world.server.requests() == Names{"/big/lines.txt from 50000"});
  CHECK(world.files() == Names{"big/lines.txt"});
}

TEST_CASE("data: a server that falls silent is given up; Ctrl-C ends in good order; both go on") {
  if (!installed("curl")) return;
  World world;
  Page page{kLines};
  page.stops_after = 100000;
  page.stalls = true;
  world.server.put("/big/lines.txt", page);
  Settings settings;
  settings.signal = SIGINT;
  settings.signal_after = 0.5;
  const Outcome interrupted = world.fetch({"big"}, settings);
  CHECK(interrupted.status == 130);
  CHECK_THAT(interrupted.error, ContainsSubstring("the same command goes on from there"));
  CHECK(world.files() == Names{"big.part/lines.txt.part"});
  const std::uintmax_t came = fs::file_size(world.to() / "big.part/lines.txt.part");
  CHECK(came > 0);
  page.stops_after = 0;
  world.server.put("/big/lines.txt", page);
  world.server.requests();
  const Outcome silent = world.fetch({"big"});
  CHECK(silent.status == 1);
  CHECK_THAT(silent.error, ContainsSubstring("the server stopped after "));
  CHECK(world.server.requests() == Names{"/big/lines.txt from " + std::to_string(came)});
  world.server.put("/big/lines.txt", {kLines});
  CHECK(world.fetch({"big"}).status == 0);
  CHECK(slurp(world.to() / "big/lines.txt") == kLines);
}

TEST_CASE("data: a server that cannot continue starts again; a part that is whole is taken") {
  if (!installed("curl")) return;
  World world;
  Page page{kLines};
  page.ranges = false;
  world.server.put("/big/lines.txt", page);
  spill(world.to() / "big.part/lines.txt.part", kLines.substr(0, 1000));
  CHECK(world.fetch({"big"}).status == 0);
  fs::remove_all(world.to());
  world.server.put("/big/lines.txt", {kLines});
  spill(world.to() / "big.part/lines.txt.part", kLines);
  CHECK(world.fetch({"big"}).status == 0);
  CHECK(slurp(world.to() / "big/lines.txt") == kLines);
}

TEST_CASE("data: without a network there is one message") {
  if (!installed("curl")) return;
  World world;
  const Outcome outcome =
      world.run({"data", "steps", "big", "mirrored", "--to", world.to().string(), "--timeout", "1"});
  INFO(outcome.error);
  CHECK(outcome.status == 1);
  CHECK(count(outcome.error, "no server can be reached") == 1);
  CHECK(count(outcome.error, "127.0.0.1:9 (") == 1);
  CHECK(count(outcome.error, "normlab: ") == 1);
  CHECK(world.files().empty());
}

TEST_CASE("data: a full disk, a folder that cannot be, another call at work") {
  if (!installed("curl")) return;
  World world;
  {
    const normlab::test::FullDisk full(65536);
    const Outcome outcome = world.fetch({"big"});
    INFO(outcome.error);
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.error,
               ContainsSubstring("lines.txt.part: cannot be written") && ContainsSubstring("is the disk full?"));
  }
  CHECK(world.fetch({"big"}).status == 0);
  {
    const normlab::test::FullDisk full(4096);
    const Outcome outcome = world.fetch({"steps"});
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.error, ContainsSubstring("steps.part/.prepared: gzip: stdout: File too large"));
  }
  spill(world.to() / "steps.part/.lock", "");
  const int lock = open((world.to() / "steps.part/.lock").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(flock(lock, LOCK_EX) == 0);
  const Outcome second = world.fetch({"steps"});
  close(lock);
  CHECK(second.status == 1);
  CHECK_THAT(second.error, ContainsSubstring("is another `normlab data` at work in it?"));
  CHECK(world.fetch({"steps"}).status == 0);
  spill(world.scratch / "file", "in the way");
  const Outcome outcome = world.run({"data", "big", "--to", (world.scratch / "file/data").string()});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.error, ContainsSubstring("file/data"));
}

TEST_CASE("data: an unknown name, a source that is no URL, a missing program, the list") {
  World world;
  const Outcome unknown = world.fetch({"step"});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.error, ContainsSubstring("did you mean \"steps\"?") &&
                                ContainsSubstring("There are: steps, zipped, mirrored, big"));
  CHECK(world.run({"data", "big", "--from", "here"}).status == 2);
  Settings no_path;
  no_path.environment = {{"PATH", "/nowhere"}};
  const Outcome no_curl = world.fetch({"big"}, no_path);
  CHECK(no_curl.status == 1);
  CHECK_THAT(no_curl.error, ContainsSubstring("apt-get install curl ca-certificates"));
  const Outcome list = world.run({"data"});
  CHECK(list.status == 0);
  CHECK_THAT(list.out, ContainsSubstring("many.steps") && ContainsSubstring("licence: free for all"));
  const Outcome real = run_program({"data", "--list"}, world.scratch);
  CHECK(real.status == 0);
  CHECK_THAT(real.out, ContainsSubstring("\nptb ") && ContainsSubstring("CC BY-NC-ND 3.0"));
}
