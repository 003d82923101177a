// Files to pairs: lines, words, subwords; then the vocabulary, which is that of the training pairs that are kept.
#include "parallel_text.h"

#include <algorithm>
#include <filesystem>

#include "cache.h"
#include "text_file.h"

namespace normlab {
namespace {

using Strings = std::vector<std::string>;

constexpr std::size_t kWorthKeeping = 1 << 20;  // bytes of text: less is soon made again
constexpr const char* kLanguageMark = "{}";
// What is kept between runs; another number whenever tokenizer.cpp or bpe.cpp come to give other tokens or codes.
constexpr const char* kTokens = "tokens 1";
constexpr const char* kCodes = "codes 1";

// Line ends are LF or CR LF; a last line needs none.
Strings lines_of(std::string_view contents) {
  Strings lines;
  for (std::size_t begin = 0; begin < contents.size();) {
    const std::size_t end = std::min(contents.find('\n', begin), contents.size());
    std::string_view line = contents.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.emplace_back(line);
    begin = end + 1;
  }
  return lines;
}

std::string join_lines(const Strings& lines) {
  std::string out;
  for (const std::string& line : lines) out.append(line).append("\n");
  return out;
}

Strings read_lines(const std::string& path) {
  const std::string contents = read_text(path);
  check_utf8(contents, path);
  return lines_of(contents);
}

struct RawPairs {
  Strings sources, targets;
};

RawPairs read_two_files(const std::string& source_path, const std::string& target_path) {
  RawPairs pairs{read_lines(source_path), read_lines(target_path)};
  check(pairs.sources.size() == pairs.targets.size(), "parallel text ", source_path, " and ", target_path,
        ": must have as many lines, have ", pairs.sources.size(), " and ", pairs.targets.size());
  return pairs;
}

RawPairs read_columns(const std::string& path, const std::vector<std::int64_t>& numbers) {
  const auto source = static_cast<std::size_t>(numbers[0]), target = static_cast<std::size_t>(numbers[1]);
  RawPairs pairs;
  for (const std::string& line : read_lines(path)) {
    Strings columns = {""};
    for (char c : line) {
      if (c == '\t') {
        columns.emplace_back();
      } else {
        columns.back() += c;
      }
    }
    if (line.empty()) columns.resize(std::max(source, target));  // a pair of nothing
    check(columns.size() >= std::max(source, target), "parallel text ", path, ", line ", pairs.sources.size() + 1,
          ": must have the columns ", source, " and ", target, " between tabs, has ", columns.size(),
          "; two files are named with ", kLanguageMark, " in place of the language");
    pairs.sources.push_back(columns[source - 1]);
    pairs.targets.push_back(columns[target - 1]);
  }
  return pairs;
}

std::string for_language(std::string name, const std::string& language) {
  for (std::size_t at = name.find(kLanguageMark); at != std::string::npos; at = name.find(kLanguageMark, at)) {
    name.replace(at, 2, language);
    at += language.size();
  }
  return name;
}

bool names_two(const std::string& name) { return name.find(kLanguageMark) != std::string::npos; }

// One side of a split on its way from lines to tokens, which are kept between runs. Its words are made when asked for.
class Side {
 public:
  Side(const Segmenter& segmenter, const Strings& sentences)
      : segmenter_(segmenter), sentences_(sentences), hash_(hash_of(sentences)) {
    for (const std::string& sentence : sentences_) bytes_ += sentence.size();
  }

  const Strings& words() {
    if (words_.empty()) words_ = segmenter_.words(sentences_);
    return words_;
  }
  Strings tokens() {
    const auto make = [this] { return segmenter_.tokens(words()); };
    if (!worth_keeping()) return make();
    return lines_of(cached("tokens", key(kTokens), [&] { return join_lines(make()); }));
  }

  bool worth_keeping() const { return bytes_ >= kWorthKeeping; }
  // Of `what` is made from the sentences by the segmenter.
  Hash key(const std::string& what) const {
    return Hash().add(what).add(segmenter_.description()).add(std::to_string(hash_));
  }

 private:
  static std::uint64_t hash_of(const Strings& sentences) {
    Hash key;
    for (const std::string& sentence : sentences) key.add(sentence);
    return key.value();
  }

  const Segmenter& segmenter_;
  const Strings& sentences_;
  std::uint64_t hash_;
  std::size_t bytes_ = 0;
  Strings words_;
};

// Codes learned from both sides together, kept between runs.
Bpe learn_codes(const SubwordOptions& options, Side& source, Side& target) {
  const auto learn = [&] {
    WordCounts counts;
    count_words(join_lines(source.words()), "training text", counts);
    count_words(join_lines(target.words()), "training text", counts);
    const std::vector<Merge> merges = learn_bpe(counts, options.merges, options.minimum_count);
    check(!merges.empty(), "bpe: the training text must hold a pair of characters at least ", options.minimum_count,
          " times, has none");
    return Bpe(merges).codes();
  };
  Hash key = source.key(text(kCodes, " ", options.merges, " ", options.minimum_count));
  key.add(std::to_string(target.key("").value()));
  const bool keep = source.worth_keeping() && target.worth_keeping();
  return Bpe::parse(keep ? cached("codes", key, learn) : learn(), "learned from training text");
}

Index count_tokens(const std::string& segmented) {
  return segmented.empty() ? 0 : 1 + std::count(segmented.begin(), segmented.end(), ' ');
}

// Which training pairs are taken, and how many are not, by reason.
class LengthFilter {
 public:
  LengthFilter(Index longest, double ratio) : longest_(longest), ratio_(ratio) {}

  bool takes(Index source, Index target) {
    const auto [shorter, longer] = std::minmax(source, target);
    if (shorter == 0) return ++empty_, false;
    if (longest_ > 0 && longer > longest_) return ++too_long_, false;
    if (ratio_ > 0 && static_cast<double>(longer) > ratio_ * static_cast<double>(shorter)) return ++unlike_, false;
    return true;
  }

  // "" when all were taken.
  std::string left_out() const {
    std::string out;
    const auto say = [&](Index count, const std::string& reason) {
      if (count > 0) out += text(out.empty() ? "" : ", ", count, " ", reason);
    };
    say(empty_, "with an empty side");
    say(too_long_, text("of more than ", longest_, " tokens"));
    say(unlike_, text("of lengths more than 1 to ", ratio_));
    return out;
  }

 private:
  Index longest_;
  double ratio_;
  Index empty_ = 0, too_long_ = 0, unlike_ = 0;
};

}  // namespace

void SubwordOptions::fields(Fields& f) {
  const auto choose = [this](const char* chosen) {
    return [this, chosen] {
      *this = {};
      kind = chosen;
    };
  };
  f.variant("bpe", kind,
            {{"none", "words stay whole", choose("none"), [](Fields&) {}},
             {"codes", "by the codes in a file, as subword-nmt writes them", choose("codes"),
              [this](Fields& g) {
                g.string("codes", codes, "file of the codes, in the folder of the text");
                g.require(!codes.empty(), "codes", "must name the file of the codes");
              }},
             {"learn", "by codes learned from the training text of both languages", choose("learn"),
              [this](Fields& g) {
                g.integer("merges", merges, {.at_least = 1, .at_most = 1e7}, "most merges");
                g.integer("minimum_count", minimum_count, {.at_least = 1, .at_most = 1e9},
                          "pairs seen less often are not merged");
              }}},
            "byte pair encoding: which subwords words are cut into");
}

void ParallelOptions::fields(Fields& f) {
  f.string("folder", folder, "folder of the files, in the data directory");
  f.string("train", train,
           "training text, plain or gzip: \"{}\" in the name stands for the language and so names two files, whose "
           "lines belong together; without it the file has tab-separated columns");
  f.string("valid", valid, "validation text, named in the same way; empty for none");
  f.string("test", test, "test text, named in the same way; empty for none");
  f.string("source", source, "language to translate from, as the tokenizer and the files' names know it");
  f.string("target", target, "language to translate into");
  f.integers("columns", columns, {.at_least = 1, .at_most = 1000},
             "columns of source and target, from 1, in a tab-separated file");
  word_rules.fields(f);
  subwords.fields(f);
  f.choice("vocabulary", vocabulary, {"shared", "separate"}, "one vocabulary for both languages or one for each");
  f.integer("largest_vocabulary", largest_vocabulary, {.at_least = 0, .at_most = 1e9},
            "most entries of a vocabulary, <bos>, <eos> and <unk> included; the rarest tokens become <unk>; 0 for no "
            "limit");
  f.integer("minimum_count", minimum_count, {.at_least = 1, .at_most = 1e9},
            "tokens seen less often in the training text become <unk>");
  f.integer("longest_sentence", longest_sentence, {.at_least = 0, .at_most = 1e6},
            "most tokens of a side of a training pair, <eos> aside; longer ones are left out; 0 for no limit");
  f.real("largest_ratio", largest_ratio, {.at_least = 0, .at_most = 1e6},
         "how many times as many tokens one side of a training pair may have as the other; others are left out; 0 for "
         "no limit");
  batching.fields(f);
  f.require(!train.empty(), "train", "must name the training text");
  f.require(columns.size() == 2 && columns[0] != columns[1], "columns", "must be two different columns");
  const bool two = names_two(train) || names_two(valid) || names_two(test);
  const bool two_named = !source.empty() && !target.empty() && source != target;
  f.require(!two || two_named, "source", "must name a language, and \"target\" another, to stand for {} in file names");
  const bool known = (source == "en" || source == "de") && (target == "en" || target == "de");
  f.require(word_rules.kind != "moses" || known, "source",
            text("and \"target\" must be languages that the tokenizer \"moses\" knows, en or de, got \"", source,
                 "\" and \"", target, "\""));
  f.require(largest_vocabulary == 0 || largest_vocabulary >= 4, "largest_vocabulary",
            text("must be 0 or leave room for <bos>, <eos>, <unk> and a token, got ", largest_vocabulary));
  f.require(largest_ratio == 0 || largest_ratio >= 1, "largest_ratio",
            text("must be 0 or at least 1, got ", largest_ratio));
}

PairCorpus ParallelOptions::read(const std::string& directory) const {
  const std::string where = (std::filesystem::path(directory) / folder).string();
  PairCorpus corpus;
  corpus.source_segmenter = Segmenter(word_rules, source);
  corpus.target_segmenter = Segmenter(word_rules, target);
  if (subwords.kind == "codes") {
    const Bpe bpe = Bpe::read(locate_text(where, subwords.codes));
    corpus.source_segmenter.set_subwords(bpe);
    corpus.target_segmenter.set_subwords(bpe);
  }

  LengthFilter filter(longest_sentence, largest_ratio);
  for (Split split : kSplits) {
    const std::string& name = split == Split::train ? train : split == Split::valid ? valid : test;
    if (name.empty()) continue;
    const bool training = split == Split::train;
    const auto path = [&](const std::string& file) { return locate_text(where, file); };
    corpus.origin += training ? path(name) : ", " + name;
    RawPairs raw = names_two(name) ? read_two_files(path(for_language(name, source)), path(for_language(name, target)))
                                   : read_columns(path(name), columns);
    Side source_side(corpus.source_segmenter, raw.sources), target_side(corpus.target_segmenter, raw.targets);
    if (training && subwords.kind == "learn") {
      const Bpe bpe = learn_codes(subwords, source_side, target_side);
      corpus.source_segmenter.set_subwords(bpe);
      corpus.target_segmenter.set_subwords(bpe);
    }
    Strings sources = source_side.tokens(), targets = target_side.tokens();

    SegmentedPairs kept;
    Strings lines;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (training && !filter.takes(count_tokens(sources[i]), count_tokens(targets[i]))) continue;
      kept.sources.push_back(std::move(sources[i]));
      kept.targets.push_back(std::move(targets[i]));
      lines.push_back(std::move(raw.targets[i]));
    }
    if (training) {
      corpus.left_out = filter.left_out();
      check(!lines.empty(), "parallel text ", path(name), ": must hold a pair of sentences to train on, has none",
            corpus.left_out.empty() ? "" : "; left out: " + corpus.left_out);
      make_vocabularies(corpus, kept, vocabulary == "shared", {largest_vocabulary, minimum_count, false});
    }
    corpus[split] = encode(corpus, kept, std::move(lines));
  }
  return corpus;
}

std::unique_ptr<TranslationData> ParallelOptions::load_pairs(const std::string& directory, std::uint64_t seed) const {
  return std::make_unique<PairData>(read(directory), batching, seed);
}

}  // namespace normlab
