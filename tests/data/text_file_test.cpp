// Reading text files: plain and gzip, and what is said of files that cannot be read.
#include "data/text_file.h"

#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

std::string long_text() {
  std::string out;
  for (int i = 0; i < 20000; ++i) out += text("line ", i * 7919 % 20011, '\n');
  return out;
}

}  // namespace

TEST_CASE("a gzip file reads as the plain one, whatever its name") {
  const TemporaryFolder folder;
  const std::string contents = long_text();
  CHECK(read_text(folder.write("plain.gz", contents)) == contents);
  CHECK(read_text(folder.write_gzip("packed.txt", contents)) == contents);

  // Two gzip members one after the other are one text (RFC 1952, section 2.2).
  const std::string twice =
      bytes_of_file(folder.write_gzip("one", "a b\n")) + bytes_of_file(folder.write_gzip("two", "c\n"));
  CHECK(read_text(folder.write("both", twice)) == "a b\nc\n");
}

TEST_CASE("a byte order mark is dropped") {
  const TemporaryFolder folder;
  CHECK(read_text(folder.write("bom", "\xEF\xBB\xBF" "a b\n")) == "a b\n");
}

TEST_CASE("a file that cannot be read says which, why and what to do") {
  const TemporaryFolder folder;
  const std::string missing = folder.path() + "/missing.txt";
  CHECK(message_of([&] { read_text(missing); }) ==
        "text file " + missing +
            ": must be readable, got \"No such file or directory\"; check its name, its folder and its permissions");
  CHECK(message_of([&] { read_text(folder.path()); }) ==
        "text file " + folder.path() + ": must be a file, is a folder; name a file in it");

  const std::string empty = folder.write("empty.txt", "");
  const std::string is_empty = ": must hold text, is empty; fetch or write it again";
  CHECK(message_of([&] { read_text(empty); }) == "text file " + empty + is_empty);
  const std::string nothing = folder.write_gzip("nothing.gz", "");
  CHECK(message_of([&] { read_text(nothing); }) == "text file " + nothing + is_empty);
}

TEST_CASE("a gzip file cut at any byte, or with any byte changed, is an error") {
  const TemporaryFolder folder;
  const std::string contents = "the quick brown fox jumps over the lazy dog, again and again and again\n";
  const std::string packed = bytes_of_file(folder.write_gzip("whole.gz", contents));
  REQUIRE(packed.size() > 30);
  for (std::size_t length = 2; length < packed.size(); ++length) {
    const std::string cut = folder.write("cut.gz", packed.substr(0, length));
    CAPTURE(length);
    CHECK_THAT(message_of([&] { read_text(cut); }),
               ContainsSubstring("text file " + cut + ": must be a whole gzip file, it ends"));
  }
  // Behind the header of 10 bytes, whose time and system mean nothing.
  for (std::size_t place = 10; place < packed.size(); ++place) {
    std::string damaged = packed;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    const std::string file = folder.write("damaged.gz", damaged);
    CAPTURE(place);
    CHECK_THAT(message_of([&] { read_text(file); }),
               ContainsSubstring("text file " + file + ": must be a whole gzip file, it"));
  }
}

TEST_CASE("a data folder that cannot be read is named") {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.txt", "a\n");
  CHECK(locate_text(folder.path(), "a.txt") == file);
  CHECK(locate_text("/nowhere", file) == file);  // an absolute name stands for itself

  const std::string missing = folder.path() + "/none";
  CHECK(message_of([&] { locate_text(missing, "a.txt"); }) ==
        "data folder " + missing +
            ": must be a folder that can be read, got \"No such file or directory\"; looked there for a.txt");
  CHECK(message_of([&] { locate_text(file, "b.txt"); }) ==
        "data folder " + file + ": must be a folder that can be read, got \"Not a directory\"; looked there for b.txt");
  if (geteuid() == 0) {
    WARN("root may read any folder: a folder without permission is not tried");
    return;
  }
  const std::filesystem::path closed = std::filesystem::path(folder.path()) / "closed";
  std::filesystem::create_directory(closed);
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  CHECK_THAT(message_of([&] { locate_text(closed.string(), "a.txt"); }),
             ContainsSubstring("got \"Permission denied\""));
}
