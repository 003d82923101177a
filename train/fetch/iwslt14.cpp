// From the archive's files to lines, to words, to splits.
#include "iwslt14.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "../../data/segmenter.h"
#include "../../data/text_file.h"
#include "../../data/words.h"
#include "../../engine/error.h"
#include "../files.h"
#include "../process.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr std::array kLanguages = {"de", "en"};
constexpr Index kMostWords = 175;
constexpr double kLargestRatio = 1.5;
constexpr std::size_t kLongestWord = 1000;  // clean-corpus-n.perl leaves out pairs with a longer one
constexpr std::size_t kValidEvery = 23;

// The lines of a file of the archive that `wanted` takes; it may change them.
template <class Wanted>
Strings lines_of(const fs::path& archive, const std::string& name, Wanted&& wanted) {
  const Outcome outcome =
      run_programs({{"gzip", "-dc", fs::absolute(archive).string()}, {"tar", "-xOf", "-", "--wildcards", "*/" + name}});
  check(outcome.status == 0, archive.string(), ": must be the archive de-en.tgz of WIT3's release 2014-01; ", name,
        " cannot be read from it (", outcome.name, ": ", outcome.error.substr(0, outcome.error.find('\n')), ")");
  check_utf8(outcome.out, name);
  Strings lines;
  for (std::size_t begin = 0; begin < outcome.out.size();) {
    const std::size_t end = std::min(outcome.out.find('\n', begin), outcome.out.size());
    std::string line = outcome.out.substr(begin, end - begin);
    if (wanted(line)) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

bool holds(const std::string& line, const std::string& part) { return line.find(part) != std::string::npos; }

void replace_all(std::string& line, const std::string& part, const std::string& by) {
  for (std::size_t at = 0; (at = line.find(part, at)) != std::string::npos; at += by.size()) {
    line.replace(at, part.size(), by);
  }
}

// A line of train.tags: a sentence, a title or a description; not what else is told of a talk.
bool training_line(std::string& line) {
  for (const char* tag : {"<url>", "<talkid>", "<keywords>"}) {
    if (holds(line, tag)) return false;
  }
  for (const char* tag : {"<title>", "</title>", "<description>", "</description>"}) replace_all(line, tag, "");
  return true;
}

// <seg id="7"> A sentence. </seg>
bool test_line(std::string& line) {
  const std::size_t segment = line.find("<seg id");
  if (segment == std::string::npos) return false;
  const std::size_t begin = std::min(line.find('>', segment), line.size() - 1) + 1;
  line = line.substr(begin, line.find("</seg>") - begin);
  replace_all(line, "’", "'");
  return true;
}

struct Pairs {
  std::array<Strings, 2> sides;  // as kLanguages

  std::size_t size() const { return sides[0].size(); }
  void add(const Pairs& other, std::size_t i) {
    for (std::size_t side : {0u, 1u}) sides[side].push_back(other.sides[side][i]);
  }
};

// Lines that belong together, as words in lower case. `name` is the file's, up to the language.
template <class Wanted>
Pairs words_of(const fs::path& archive, const std::string& name, const std::string& extension, Wanted&& wanted) {
  WordRules rules;
  rules.kind = "moses";
  rules.normalize_punctuation = false;
  rules.lowercase = true;
  Pairs pairs;
  for (std::size_t side : {0u, 1u}) {
    const std::string language = kLanguages[side];
    pairs.sides[side] = Segmenter(rules, language).words(lines_of(archive, name + language + extension, wanted));
  }
  check(pairs.sides[0].size() == pairs.sides[1].size(), archive.string(), ": ", name,
        " must have as many lines in both languages, has ", pairs.sides[0].size(), " and ", pairs.sides[1].size());
  return pairs;
}

bool clean(const std::string& german, const std::string& english) {
  std::array<double, 2> counts{};
  std::size_t longest = 0;
  const auto count = [&](const std::string& sentence, double& words) {
    for_each_word(sentence, [&](std::string_view word) {
      ++words;
      longest = std::max(longest, word.size());
    });
  };
  count(german, counts[0]);
  count(english, counts[1]);
  const auto [fewer, more] = std::minmax(counts[0], counts[1]);
  return fewer > 0 && more <= kMostWords && more <= kLargestRatio * fewer && longest <= kLongestWord;
}

void write_pairs(const Pairs& pairs, const fs::path& folder, const std::string& split) {
  for (std::size_t side : {0u, 1u}) {
    std::string contents;
    for (const std::string& sentence : pairs.sides[side]) contents += sentence + '\n';
    write_file(folder / (split + "." + kLanguages[side]), contents);
  }
}

}  // namespace

void prepare_iwslt14(const fs::path& archive, const fs::path& folder) {
  const Pairs all = words_of(archive, "train.tags.de-en.", "", training_line);
  Pairs train, valid, test;
  for (std::size_t i = 0, kept = 0; i < all.size(); ++i) {
    if (!clean(all.sides[0][i], all.sides[1][i])) continue;
    (++kept % kValidEvery == 0 ? valid : train).add(all, i);
  }
  for (const std::string set : {"TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012"}) {
    const Pairs more = words_of(archive, "IWSLT14." + set + ".de-en.", ".xml", test_line);
    for (std::size_t i = 0; i < more.size(); ++i) test.add(more, i);
  }
  fs::create_directories(folder);
  write_pairs(test, folder, "test");
  write_pairs(valid, folder, "valid");
  write_pairs(train, folder, "train");
}

}  // namespace normlab
