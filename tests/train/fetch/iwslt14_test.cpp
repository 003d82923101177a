// IWSLT14 from a made-up archive: which lines are taken, how they are spelled, and which split they go to.
#include "train/fetch/iwslt14.h"

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/fetch/fetch.h"
#include "train/files.h"
#include "train/process.h"

using namespace normlab;
namespace fs = std::filesystem;

namespace {

std::string segments(const std::string& sentence) {
  return "<doc docid=\"1\">\n<title>No sentence</title>\n<seg id=\"1\"> " + sentence + " </seg>\n</doc>\n";
}

// The archive as WIT3 packs it, with `pairs` sentences to train on.
fs::path archive(const test::TemporaryFolder& folder, int pairs) {
  const fs::path inside = folder / "de-en";
  std::string german, english;
  const auto add = [&](const std::string& a, const std::string& b) {
    german += a + "\n";
    english += b + "\n";
  };
  add("<url>http://www.ted.com/</url>", "<url>http://www.ted.com/</url>");
  add("<keywords>a, b</keywords>", "<keywords>a, b</keywords>");
  add("<talkid>1</talkid>", "<talkid>1</talkid>");
  add("<title>Ein Titel!</title>", "<title>A title!</title>");
  add("<description>Über \"alles\".</description>", "<description>About \"it\".</description>");
  add("", "Nothing said.");                                         // left out: an empty side
  add("Eins zwei drei vier", "One two three four five six seven");  // left out: 4 words and 7
  add("Eins zwei drei vier", "One two three four five six");        // 4 and 6 stay
  std::string long_side;
  for (int i = 0; i < 176; ++i) long_side += "x ";
  add(long_side, long_side);  // left out: too long
  for (int i = 0; i < pairs; ++i) add("Satz " + std::to_string(i) + ".", "Sentence " + std::to_string(i) + ".");
  fs::create_directories(inside);
  write_file(inside / "train.tags.de-en.de", german);
  write_file(inside / "train.tags.de-en.en", english);
  for (const std::string set : {"TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012"}) {
    write_file(inside / ("IWSLT14." + set + ".de-en.de.xml"), segments("Das ist " + set + "."));
    write_file(inside / ("IWSLT14." + set + ".de-en.en.xml"), segments("It’s " + set + "."));
  }
  const fs::path path = folder / "de-en.tgz";
  REQUIRE(run_programs({{"tar", "-C", folder.path().string(), "-czf", path.string(), "de-en"}}).status == 0);
  return path;
}

}  // namespace

TEST_CASE("iwslt14: tags, lengths, case, every 23rd pair, and the five test sets in their order") {
  const test::TemporaryFolder folder;
  const fs::path made = folder / "made";
  prepare_iwslt14(archive(folder, 25), made);
  const std::string german = read_file(made / "train.de"), english = read_file(made / "train.en");
  CHECK(german.substr(0, german.find("satz")) == "ein titel !\nüber &quot; alles &quot; .\neins zwei drei vier\n");
  CHECK(english.substr(0, english.find("sentence")) ==
        "a title !\nabout &quot; it &quot; .\none two three four five six\n");
  // 28 pairs are left, of which the 23rd is the sentence with number 19.
  CHECK(std::count(german.begin(), german.end(), '\n') == 27);
  CHECK(std::count(english.begin(), english.end(), '\n') == 27);
  CHECK(read_file(made / "valid.de") == "satz 19 .\n");
  CHECK(read_file(made / "valid.en") == "sentence 19 .\n");
  CHECK(german.find("satz 19 .") == std::string::npos);
  CHECK(read_file(made / "test.de") ==
        "das ist ted.dev2010 .\ndas ist tedx.dev2012 .\ndas ist ted.tst2010 .\ndas ist ted.tst2011 .\ndas ist "
        "ted.tst2012 .\n");
  CHECK_THAT(read_file(made / "test.en"), ContainsSubstring("it &apos;s ted.dev2010 .\nit &apos;s tedx.dev2012 .\n"));
}

TEST_CASE("iwslt14: an archive that is another, or does not fit together, is named with what it lacks") {
  const test::TemporaryFolder folder;
  const fs::path whole = archive(folder, 3);
  fs::remove(folder / "de-en/IWSLT14.TED.tst2011.de-en.en.xml");
  const fs::path lacking = folder / "lacking.tgz";
  REQUIRE(run_programs({{"tar", "-C", folder.path().string(), "-czf", lacking.string(), "de-en"}}).status == 0);
  CHECK_THROWS_WITH(prepare_iwslt14(lacking, folder / "made"),
                    ContainsSubstring("lacking.tgz: must be the archive de-en.tgz of WIT3's release 2014-01; "
                                      "IWSLT14.TED.tst2011.de-en.en.xml cannot be read from it (tar: "));
  CHECK_THROWS_WITH(prepare_iwslt14(folder / "nothing.tgz", folder / "made"), ContainsSubstring("(gzip: "));
  CHECK_FALSE(fs::exists(folder / "made"));

  write_file(folder / "de-en/train.tags.de-en.de", "Ein Satz.\n");
  REQUIRE(run_programs({{"tar", "-C", folder.path().string(), "-czf", lacking.string(), "de-en"}}).status == 0);
  CHECK_THROWS_WITH(prepare_iwslt14(lacking, folder / "made"),
                    ContainsSubstring("train.tags.de-en. must have as many lines in both languages, has 1 and "));
}

TEST_CASE("a file of a data set that is not there comes with the command that brings it") {
  CHECK(how_to_get("ptb/ptb.train.txt", "/data") == "`./normlab data ptb --to /data` fetches it");
  CHECK(how_to_get("glue/RTE/train.tsv", "/data") == "`./normlab data rte --to /data` fetches it");
  CHECK(how_to_get("ptb/train.txt", "/data") ==
        "`./normlab data ptb --to /data` fetches ptb.train.txt, ptb.valid.txt, ptb.test.txt");
  CHECK(how_to_get("iwslt14.de-en/valid.de", "/data") == "`./normlab data iwslt14 --to /data` fetches it");
  for (const char* file : {"iwslt14.de-en/train.de", "iwslt14.full.de-en/valid.de"}) {
    CHECK_THAT(how_to_get(file, "/data"),
               ContainsSubstring("`./normlab data iwslt14 --archive FILE --to /data` prepares "
                                 "it in iwslt14.full.de-en"));
  }
  CHECK(how_to_get("mine/train.txt", "/data") == "");
  CHECK(how_to_get("../ptb.train.txt", "/data") == "");
}
