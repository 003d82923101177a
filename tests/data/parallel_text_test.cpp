// Parallel text from files: every form it comes in, what is left out, what is wrong with it, and Multi30k's counts.
#include "data/parallel_text.h"

#include <cstdlib>

#include "data/bpe.h"
#include "data/hash.h"
#include "data/tokenizer.h"
#include "tests/data/cache_folder.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

using Strings = std::vector<std::string>;

ParallelOptions small_options() {
  ParallelOptions options;
  options.train = "train.{}";
  options.source = "de";
  options.target = "en";
  options.batching.tokens_per_batch = 18;
  return options;
}

// The words of a split's sentences, <eos> left out.
Strings words(const PairCorpus& corpus, const Vocabulary& vocabulary, const SentenceList& sentences) {
  Strings out;
  for (Index i = 0; i < sentences.size(); ++i) {
    std::string& sentence = out.emplace_back();
    for (std::int32_t id : sentences[i]) {
      if (id != corpus.source_vocabulary->end_of_line()) sentence += (sentence.empty() ? "" : " ") + vocabulary[id];
    }
  }
  return out;
}
Strings sources(const PairCorpus& corpus, Split split) {
  return words(corpus, *corpus.source_vocabulary, corpus[split].sources);
}
Strings targets(const PairCorpus& corpus, Split split) {
  return words(corpus, *corpus.target_vocabulary, corpus[split].targets);
}

void write_small(const TemporaryFolder& folder) {
  folder.write("train.de", "ein Haus\nzwei Häuser\nein Haus am See\nein See\nzwei Seen\n");
  folder.write("train.en", "a house\ntwo houses\na house by the lake\na lake\ntwo lakes");
}

}  // namespace

TEST_CASE("the fingerprint tells pairs apart, also by references that the vocabulary cannot say") {
  const TemporaryFolder folder;
  ParallelOptions options = small_options();
  options.valid = "valid.{}";
  options.test = "test.{}";
  const auto fingerprint = [&](const std::string& target, const std::string& of_test = "a lake\n") {
    for (const char* source : {"valid.de", "test.de"}) folder.write(source, "ein See\n");
    folder.write("valid.en", target);
    folder.write("test.en", of_test);
    return options.load_pairs(folder.path(), 1)->fingerprint();
  };
  write_small(folder);
  const std::string first = fingerprint("a lake\n");
  CHECK(first.size() == 16);
  CHECK(fingerprint("a lake\n") == first);
  CHECK(fingerprint("a house\n") != first);
  CHECK(fingerprint("a pond\n") != fingerprint("a pool\n"));
  CHECK(fingerprint("a lake\n", "a house\n") != first);
  // Training pairs in another order, which have the same vocabulary.
  folder.write("train.de", "zwei Häuser\nein Haus\nein Haus am See\nein See\nzwei Seen\n");
  folder.write("train.en", "two houses\na house\na house by the lake\na lake\ntwo lakes");
  CHECK(fingerprint("a lake\n") != first);
}

TEST_CASE("a change of tokens or codes is noticed: caches need another kTokens or kCodes in parallel_text.cpp then") {
  std::string tokens;
  for (const Language language : {Language::english, Language::german}) {
    for (const char* line : {"Dr. Smith's dog, Mr. Jones' cat & No. 5 don't eat 3.5 kg (or 1,000 g) a day.",
                             "z. B. „Straße“ – d.h. am 3. Mai, ca. 10 Uhr; usw. Prof. Groß sagte: 'Ja!'"}) {
      tokens += tokenize(normalize_punctuation(line, language), {.language = language}) + "\n";
    }
  }
  WordCounts counts;
  count_words(tokens, "made up", counts);
  CHECK(Hash().add(tokens).text() == "8a593d56bd0454cd");
  CHECK(Hash().add(Bpe(learn_bpe(counts, 20, 1)).codes()).text() == "3ddf4abd6d8725b1");
}

TEST_CASE("two files become pairs") {
  const TemporaryFolder folder;
  write_small(folder);
  folder.write_gzip("valid.de.gz", "ein Dorf\r\n\r\n");
  folder.write_gzip("valid.en.gz", "a village\r\n\r\n");
  ParallelOptions options = small_options();
  options.valid = "valid.{}.gz";
  const PairCorpus corpus = options.read(folder.path());
  CHECK(sources(corpus, Split::train) == Strings{"ein Haus", "zwei Häuser", "ein Haus am See", "ein See", "zwei Seen"});
  CHECK(targets(corpus, Split::train) ==
        Strings{"a house", "two houses", "a house by the lake", "a lake", "two lakes"});
  CHECK(sources(corpus, Split::valid) == Strings{"ein <unk>", ""});  // an evaluation is of every line
  CHECK(corpus[Split::valid].target_lines == Strings{"a village", ""});

  const auto data = options.load_pairs(folder.path(), 1);
  CHECK(data->shared_vocabulary());
  CHECK(data->evaluation_batches(Split::test) == 0);
  CHECK(data->references(Split::valid, 0, TextForm::plain) == Strings{"a village", ""});
  CHECK(data->summary() == folder.path() +
                               "/train.{}, valid.{}.gz; train 5 pairs of 17 and 18 tokens, valid 2 pairs of 4 and 4 "
                               "tokens, one vocabulary of 18");
}

TEST_CASE("a tab-separated file becomes pairs, by the numbers of its columns") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "a house\tein Haus\t1\ntwo houses\tzwei Häuser\n");
  ParallelOptions options = small_options();
  options.train = "pairs.tsv";
  options.columns = {2, 1};
  CHECK(sources(options.read(folder.path()), Split::train) == Strings{"ein Haus", "zwei Häuser"});
  CHECK(targets(options.read(folder.path()), Split::train) == Strings{"a house", "two houses"});
  options.columns = {1, 3};
  CHECK(message_of([&] { options.read(folder.path()); }) ==
        "parallel text " + folder.path() +
            "/pairs.tsv, line 2: must have the columns 1 and 3 between tabs, has 2; two files are named with {} in "
            "place of the language");
}

TEST_CASE("training pairs with an empty side, too long or too unlike are left out and counted") {
  const TemporaryFolder folder;
  folder.write("train.de", "a\na b c d\na b\n\t \n\na b c\na\nb\n");
  folder.write("train.en", "a\nx y\nx\nx\n\na b c d e\na b c\n\n");
  ParallelOptions options = small_options();
  CHECK(sources(options.read(folder.path()), Split::train) == Strings{"a", "a b c d", "a b", "a b c", "a"});
  CHECK(options.read(folder.path()).left_out == "3 with an empty side");
  options.longest_sentence = 4;
  CHECK(options.read(folder.path()).left_out == "3 with an empty side, 1 of more than 4 tokens");
  options.largest_ratio = 2;
  CHECK(sources(options.read(folder.path()), Split::train) == Strings{"a", "a b c d", "a b"});
  CHECK(options.read(folder.path()).left_out ==
        "3 with an empty side, 1 of more than 4 tokens, 1 of lengths more than 1 to 2");
  options.test = options.train;  // nothing is left out of an evaluation
  CHECK(options.read(folder.path())[Split::test].sources.size() == 8);
  folder.write("train.de", "a b c\na b\na b\na b\n");
  folder.write("train.en", "x\na b\na b\na b\n");
  options.batching.tokens_per_batch = 9;
  CHECK(options.load_pairs(folder.path(), 1)->summary() ==
        folder.path() +
            "/train.{}, train.{}; train 3 pairs of 9 and 9 tokens, test 4 pairs of 13 and 11 tokens, one vocabulary of "
            "5; left out of training: 1 of lengths more than 1 to 2");
  folder.write("train.de", "a b c\n");
  folder.write("train.en", "x\n");
  CHECK(message_of([&] { options.read(folder.path()); }) ==
        "parallel text " + folder.path() +
            "/train.{}: must hold a pair of sentences to train on, has none; left out: 1 of lengths more than 1 to 2");
}

TEST_CASE("tokenizer, case and vocabulary of a parallel text are options") {
  const TemporaryFolder folder;
  folder.write("train.de", "Ein Haus, ein See.\n");
  folder.write("train.en", "A house, it's a lake.\n");
  ParallelOptions options = small_options();
  options.word_rules.kind = "moses";
  CHECK(sources(options.read(folder.path()), Split::train) == Strings{"Ein Haus , ein See ."});
  CHECK(targets(options.read(folder.path()), Split::train) == Strings{"A house , it &apos;s a lake ."});
  options.word_rules.lowercase = true;
  options.vocabulary = "separate";
  const PairCorpus corpus = options.read(folder.path());
  CHECK(corpus.source_vocabulary->entries() == Strings{"ein", "haus", ",", "see", ".", "<eos>", "<bos>", "<unk>"});
  options.minimum_count = 2;
  CHECK(options.read(folder.path()).source_vocabulary->entries() == Strings{"ein", "<eos>", "<bos>", "<unk>"});
  options.minimum_count = 1;
  options.largest_vocabulary = 5;
  CHECK(options.read(folder.path()).target_vocabulary->entries() == Strings{"a", "house", "<eos>", "<bos>", "<unk>"});

  options.batching.tokens_per_batch = 27;
  options.largest_vocabulary = 0;
  folder.write("train.de", "Ein Haus, ein See.\nEin Haus, ein See.\nEin Haus, ein See.\n");
  folder.write("train.en", "A house, it's a lake.\nA house, it's a lake.\nA house, it's a lake.\n");
  const auto data = options.load_pairs(folder.path(), 1);
  const auto& target = *dynamic_cast<const PairData&>(*data).corpus().target_vocabulary;
  CHECK(data->target_text({target.find("a"), target.find("house"), target.find(".")}, TextForm::plain) == "a house.");
  CHECK(data->references(Split::train, 0, TextForm::plain)[0] == "a house, it's a lake.");
  CHECK(data->references(Split::train, 0, TextForm::words)[0] == "a house , it &apos;s a lake .");
  CHECK(data->source_tokens("Ein Haus!").size() == 4);
}

TEST_CASE("words are cut by given codes, or by codes learned from both languages") {
  const TemporaryFolder folder;
  folder.write("train.de", "aab aab aac\n");
  folder.write("train.en", "aac\n");
  folder.write("codes", "#version: 0.2\na a\n");
  ParallelOptions options = small_options();
  options.subwords.kind = "codes";
  options.subwords.codes = "codes";
  CHECK(sources(options.read(folder.path()), Split::train) == Strings{"aa@@ b aa@@ b aa@@ c"});
  options.subwords.kind = "learn";
  options.subwords.merges = 2;  // a a (4 times), then aa c</w>, as often as aa b</w> and greater
  CHECK(sources(options.read(folder.path()), Split::train) == Strings{"aa@@ b aa@@ b aac"});
  CHECK(targets(options.read(folder.path()), Split::train) == Strings{"aac"});
  options.subwords.minimum_count = 3;
  CHECK(targets(options.read(folder.path()), Split::train) == Strings{"aa@@ c"});
  options.subwords.minimum_count = 5;
  CHECK(message_of([&] { options.read(folder.path()); }) ==
        "bpe: the training text must hold a pair of characters at least 5 times, has none");
  options.subwords.kind = "codes";
  folder.write("codes", "a a\n");
  CHECK_THAT(message_of([&] { options.read(folder.path()); }), ContainsSubstring("#version: 0.2"));
}

TEST_CASE("bad parallel text is an error that says where") {
  const TemporaryFolder folder;
  const ParallelOptions options = small_options();
  const std::string de = folder.path() + "/train.de", en = folder.path() + "/train.en";
  CHECK_THAT(message_of([&] { options.read(folder.path()); }),
             ContainsSubstring("text file " + de + ": must be readable, got \"No such file"));
  folder.write("train.de", "a\nb\nc\n");
  folder.write("train.en", "a\nb\n\n\n");
  CHECK(message_of([&] { options.read(folder.path()); }) ==
        "parallel text " + de + " and " + en + ": must have as many lines, have 3 and 4");
  folder.write("train.en", "a\nb\xFF\nc\n");
  CHECK_THAT(
      message_of([&] { options.read(folder.path()); }),
      ContainsSubstring("text file " + en + ": must be UTF-8, has the byte 0xFF out of place at byte 3, line 2"));
  folder.write("train.en", "");
  CHECK_THAT(message_of([&] { options.read(folder.path()); }), ContainsSubstring("must hold text, is empty"));
}

TEST_CASE("prepared text is kept between runs, and not mixed up") {
  const TemporaryFolder folder;
  const CacheFolder cache;
  std::string german, english;
  for (int i = 0; i < 50000; ++i) {
    german += text("Das ist Satz Nr. ", i % 100, ", ja!\n");
    english += text("This is sentence No. ", i % 100, ", isn't it?\n");
  }
  folder.write("train.de", german);
  folder.write("train.en", english);
  ParallelOptions options = small_options();
  options.word_rules.kind = "moses";
  options.subwords.kind = "learn";
  options.subwords.merges = 20;
  const PairCorpus first = options.read(folder.path());
  const auto entries = [&] {
    return std::distance(std::filesystem::directory_iterator(cache.entries()), std::filesystem::directory_iterator());
  };
  CHECK(entries() == 3);  // tokens of two languages, codes
  const PairCorpus again = options.read(folder.path());
  CHECK(entries() == 3);
  CHECK(again[Split::train].sources.tokens == first[Split::train].sources.tokens);
  CHECK(again[Split::train].targets.tokens == first[Split::train].targets.tokens);
  CHECK(again.source_vocabulary->entries() == first.source_vocabulary->entries());
  options.word_rules.escape = false;
  CHECK(options.read(folder.path()).target_vocabulary->entries() != first.target_vocabulary->entries());
  CHECK(entries() == 6);
}

TEST_CASE("Multi30k has its known counts", "[slow]") {
  const char* directory = std::getenv("NORMLAB_DATA");
  if (directory == nullptr) {
    WARN("NORMLAB_DATA is not set to a folder that holds multi30k.de-en/: Multi30k is NOT tested");
    return;
  }
  ParallelOptions options;
  options.folder = "multi30k.de-en/tok";
  options.train = "train.lc.norm.tok.{}";
  options.valid = "val.lc.norm.tok.{}";
  options.test = "test_2016_flickr.lc.norm.tok.{}";
  options.source = "de";
  options.target = "en";
  options.vocabulary = "separate";
  const PairCorpus corpus = options.read(directory);
  struct Counts {
    Split split;
    Index pairs, german, english;
  };
  for (const Counts& known : {Counts{Split::train, 29000, 360706, 377534}, Counts{Split::valid, 1014, 12828, 13308},
                              Counts{Split::test, 1000, 12103, 12968}}) {
    CHECK(corpus[known.split].sources.size() == known.pairs);
    CHECK(static_cast<Index>(corpus[known.split].sources.tokens.size()) == known.german + known.pairs);
    CHECK(static_cast<Index>(corpus[known.split].targets.tokens.size()) == known.english + known.pairs);
  }
  CHECK(corpus.left_out == "");
  CHECK(corpus.target_vocabulary->entries()[0] == "a");
}
