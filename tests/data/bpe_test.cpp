// Learning and applying merges: by hand, and as subword-nmt does it.
#include "data/bpe.h"

#include <zlib.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "data/text_file.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

using Merges = std::vector<Merge>;

std::string reference(const std::string& name) { return read_text(NORMLAB_SOURCE_DIR "/tests/reference/" + name); }

std::string segment_lines(Bpe& bpe, const std::string& source) {
  std::istringstream in(source);
  std::string out;
  for (std::string line; std::getline(in, line);) out += bpe.segment(line) + '\n';
  return out;
}

Bpe learned_from(const std::string& source, Index merges) {
  WordCounts counts;
  count_words(source, "t", counts);
  return Bpe(learn_bpe(counts, merges));
}

std::string sum_of(const std::string& contents) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx",
                crc32(0, reinterpret_cast<const Bytef*>(contents.data()), static_cast<uInt>(contents.size())));
  return digits;
}

}  // namespace

TEST_CASE("words are counted") {
  WordCounts counts;
  count_words("b a\n a\u00A0 b\n\n", "t", counts);
  count_words("b", "t", counts);
  CHECK(counts == WordCounts{{"a", 1}, {"a\u00A0", 1}, {"b", 3}});
  CHECK_THAT(message_of([&] { count_words("a\nb\xFF", "t", counts); }),
             ContainsSubstring("text file t: must be UTF-8, has the byte 0xFF out of place at byte 3, line 2"));
}

TEST_CASE("the most frequent pair is merged, again and again") {
  // l o w</w> 5; l o w e r</w> 2; n e w e r</w> 3. First (e r</w>) 5, (l o) 7, (w e) 5, ...
  const WordCounts counts{{"low", 5}, {"lower", 2}, {"newer", 3}};
  CHECK(learn_bpe(counts, 3) == Merges{{"l", "o"}, {"w", "e"}, {"we", "r</w>"}});
  CHECK(learn_bpe(counts, 4).back() == Merge{"lo", "w</w>"});
  CHECK(learn_bpe(counts, 0).empty());
  CHECK(learn_bpe({}, 5).empty());
}

TEST_CASE("of equally frequent pairs the greatest goes first") {
  CHECK(learn_bpe({{"ab", 2}, {"äb", 2}, {"ac", 2}}, 3) == Merges{{"ä", "b</w>"}, {"a", "c</w>"}, {"a", "b</w>"}});
}

TEST_CASE("rare pairs are left alone") {
  const WordCounts counts{{"ab", 2}, {"cd", 1}};
  CHECK(learn_bpe(counts, 5) == Merges{{"a", "b</w>"}});
  CHECK(learn_bpe(counts, 5, 1) == Merges{{"a", "b</w>"}, {"c", "d</w>"}});
  CHECK(learn_bpe(counts, 5, 3).empty());
}

TEST_CASE("runs of one symbol are merged from the left") {
  // a a a a a</w>: (a a) 3 becomes aa aa a</w>.
  CHECK(learn_bpe({{"aaaaa", 2}}, 3) == Merges{{"a", "a"}, {"aa", "aa"}, {"aaaa", "a</w>"}});
  Bpe bpe(Merges{{"a", "a"}});
  CHECK(bpe.segment("aaaaaa aaa a") == "aa@@ aa@@ a@@ a aa@@ a a");
}

TEST_CASE("a word is cut by the earliest merges it allows, and joined again") {
  Bpe bpe(Merges{{"l", "o"}, {"e", "r</w>"}, {"lo", "w"}, {"low", "er</w>"}, {"o", "w"}, {"l", "o"}});
  CHECK(bpe.segment("lower low  owl\tö") == "lower lo@@ w ow@@ l ö");
  CHECK(bpe.segment("lower 漢字 xow") == "lower 漢@@ 字 x@@ o@@ w");
  CHECK(bpe.segment("") == "");
  CHECK(join_subwords("lo@@ w ow@@ l 漢@@ 字 @@") == "low owl 漢字");
  CHECK(join_subwords("a@@") == "a");
  CHECK(join_subwords("") == "");
  CHECK(message_of([&] { bpe.segment("a b\xFF"); }) ==
        "segment: must be UTF-8, has the byte 0xFF out of place at byte 3");
}

TEST_CASE("codes are written and read") {
  const Merges merges{{"l", "o"}, {"lo", "w</w>"}};
  const std::string codes = Bpe(merges).codes();
  CHECK(codes == "#version: 0.2\nl o\nlo w</w>\n");
  CHECK(Bpe::parse(codes, "c").merges() == merges);
  CHECK(Bpe::parse("#version: 0.2\r\nl o\r\nlo w</w>\n\n", "c").merges() == merges);
  const TemporaryFolder folder;
  CHECK(Bpe::read(folder.write_gzip("codes", codes)).merges() == merges);
}

TEST_CASE("codes that cannot be read say why") {
  const auto message = [](const std::string& codes) { return message_of([&] { Bpe::parse(codes, "c"); }); };
  CHECK(message("e n</w> 120\n") ==
        "bpe codes c: must be in subword-nmt's format with a first line \"#version: 0.2\", got \"e n</w> 120\"");
  CHECK(message("#version: 0.1\ne n\n") ==
        "bpe codes c: must be of version 0.2 (first line \"#version: 0.2\"), got \"#version: 0.1\"; learn them again "
        "with a newer subword-nmt or here");
  CHECK(message("#version: 0.2\na b\na b c\n") ==
        "bpe codes c, line 3: must be two symbols with a blank between, got \"a b c\"");
  CHECK(message("#version: 0.2\na b\n\nc d\n") ==
        "bpe codes c, line 3: must be two symbols with a blank between, got \"\"");
  CHECK(message("#version: 0.2\n") == "bpe codes c: must hold at least one merge, has none");
  CHECK(message("") == "bpe codes c: must hold at least one merge, has none");
  CHECK_THAT(message("#version: 0.2\na \xFF\n"), ContainsSubstring("text file c: must be UTF-8"));
}

TEST_CASE("what cannot be learned from is an error") {
  CHECK(message_of([] { learn_bpe({{"", 1}}, 1); }) == "learn_bpe: a word must not be empty, one is");
  CHECK(message_of([] { learn_bpe({{"a", -1}}, 1); }) == "learn_bpe: a count must not be negative, got -1 of \"a\"");
  CHECK_THAT(message_of([] { learn_bpe({{"a\xFF", 1}}, 1); }), ContainsSubstring("0xFF out of place at byte 1"));
}

TEST_CASE("merges and segmentation equal subword-nmt's on made-up words") {
  const std::string source = reference("bpe.text");
  std::size_t learned = 0;  // the first 60 lines
  for (int line = 0; line < 60; ++line) learned = source.find('\n', learned) + 1;
  Bpe bpe = learned_from(source.substr(0, learned), 250);
  CHECK(bpe.codes() == reference("bpe.codes"));
  CHECK(segment_lines(bpe, source) == reference("bpe.segmented"));
  CHECK(segment_lines(bpe, source) == reference("bpe.segmented"));  // every word known by now
}

TEST_CASE("merges and segmentation equal subword-nmt's on IWSLT14 and Multi30k", "[slow]") {
  const char* directory = std::getenv("NORMLAB_DATA");
  if (directory == nullptr) {
    WARN("NORMLAB_DATA is not set to a folder that holds iwslt14.de-en/ and multi30k.de-en/: they are NOT tested");
    return;
  }
  const std::filesystem::path iwslt = std::filesystem::path(directory) / "iwslt14.de-en";
  const std::filesystem::path multi30k = std::filesystem::path(directory) / "multi30k.de-en" / "tok";
  std::istringstream sums(reference("bpe.sums"));
  for (std::string what, name, sum; sums >> what >> name >> sum;) {
    INFO(what << " " << name);
    if (what == "segmented") {
      Bpe bpe = Bpe::read((iwslt / "bpe.10k.codes").string());
      const std::string source = read_text((iwslt / name).string()), segmented = segment_lines(bpe, source);
      CHECK(sum_of(segmented) == sum);
      std::istringstream in(segmented);
      std::string joined;
      for (std::string line; std::getline(in, line);) joined += join_subwords(line) + '\n';
      CHECK(joined == source);
    } else {
      const std::string source = read_text((multi30k / "train.lc.norm.tok.de").string()) +
                                 read_text((multi30k / "train.lc.norm.tok.en").string());
      CHECK(sum_of(learned_from(source, std::stol(name)).codes()) == sum);
    }
  }

  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  Bpe bpe = Bpe::read((iwslt / "bpe.10k.codes").string());
  for (int pairs = 0; pairs < 160000; pairs += 8639) {
    for (const char* name : {"train.sample.de", "train.sample.en"})
      segment_lines(bpe, read_text((iwslt / name).string()));
  }
  CHECK(std::chrono::duration<double>(Clock::now() - start).count() < 15);
}
