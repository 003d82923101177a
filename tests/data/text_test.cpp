// Text files as language data: from files to batches, and Penn Treebank's known counts.
#include "data/text.h"

#include <cstdlib>

#include "data/ngram.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

TextOptions small_options() {
  TextOptions options;
  options.train = "train.txt";
  options.valid = "valid.txt.gz";
  dynamic_cast<ContinuousOptions&>(*options.batching).sequence_length = 2;
  dynamic_cast<ContinuousOptions&>(*options.batching).sequences = 2;
  return options;
}

}  // namespace

TEST_CASE("text files become batches") {
  const TemporaryFolder folder;
  folder.write("train.txt", "a b a\nc a\n");  // a 3, <eos> 2, b 1, c 1
  folder.write_gzip("valid.txt.gz", "b c\n");
  const auto data = small_options().load_text(folder.path(), 1);
  CHECK(data->vocabulary_size() == 4);
  CHECK(data->longest_sequence() == 2);
  CHECK(data->batches_per_epoch() == 1);
  CHECK(data->training_batch(0).rows.tokens() == 4);
  CHECK(data->evaluation_batches(Split::valid) == 1);
  CHECK(data->evaluation_batches(Split::test) == 0);
  CHECK(!data->entropy(Split::valid));
  const Batch batch = data->evaluation_batch(Split::valid, 0);
  CHECK(batch.inputs.at(0) == 2);
  CHECK(batch.targets.at(0) == 3);
  CHECK(batch.targets.at(1) == 1);
  CHECK(data->summary() ==
        "words of " + folder.path() + "/train.txt, valid.txt.gz; train 7, valid 3, vocabulary 4");
  CHECK(message_of([&] { data->evaluation_batch(Split::test, 0); }) ==
        "evaluation batch: needs a test text, there is none");
  CHECK(message_of([&] { data->evaluation_batch(Split::valid, 1); }) ==
        "evaluation batch: index must be in [0, 1), got 1");
}

TEST_CASE("each option of a text is heeded") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() + "/inner");
  folder.write("inner/train.txt", "A b a b\nc a\n");
  folder.write("inner/valid.txt.gz", "z\n");
  TextOptions options = small_options();
  options.folder = "inner";
  CHECK_THAT(message_of([&] { options.load_text(folder.path(), 1); }),
             ContainsSubstring("line 1: every word must be in the training text's vocabulary, \"z\" is not"));
  options.valid = "";
  CHECK(options.load_text(folder.path(), 1)->vocabulary_size() == 5);
  options.lowercase = true;
  CHECK(options.load_text(folder.path(), 1)->vocabulary_size() == 4);
  options.minimum_count = 2;
  CHECK(options.read(folder.path()).vocabulary.entries() == std::vector<std::string>{"a", "b", "<eos>", "<unk>"});
  options.vocabulary_order = "alphabetical";
  options.largest_vocabulary = 3;
  CHECK(options.read(folder.path()).vocabulary.entries() == std::vector<std::string>{"<eos>", "<unk>", "a"});
  options.valid = "valid.txt.gz";
  CHECK(options.load_text(folder.path(), 1)->evaluation_batches(Split::valid) == 1);
  options.unknown = "error";
  CHECK_THAT(message_of([&] { options.load_text(folder.path(), 1); }), ContainsSubstring("set \"unknown\" to \"unk\""));
  options = small_options();
  options.folder = "inner";
  options.valid = "";
  options.unit = "character";
  CHECK(options.read(folder.path()).vocabulary.entries() ==
        std::vector<std::string>{" ", "b", "a", "<eos>", "A", "c"});
}

TEST_CASE("Penn Treebank has its known counts and bigram perplexity", "[slow]") {
  const char* directory = std::getenv("NORMLAB_DATA");
  if (directory == nullptr) {
    WARN("NORMLAB_DATA is not set to a folder that holds ptb/: Penn Treebank is NOT tested");
    return;
  }
  TextOptions options;
  options.folder = "ptb";
  options.train = "ptb.train.txt";
  options.valid = "ptb.valid.txt";
  options.test = "ptb.test.txt";
  const auto data = options.load_text(directory, 1);
  const Corpus& corpus = dynamic_cast<const CorpusData&>(*data).corpus();
  CHECK(corpus[Split::train].stream.tokens.size() == 929589);
  CHECK(corpus[Split::valid].stream.tokens.size() == 73760);
  CHECK(corpus[Split::test].stream.tokens.size() == 82430);
  CHECK(data->vocabulary_size() == 10000);
  CHECK(corpus.vocabulary[0] == "the");
  CHECK(data->batches_per_epoch() == 453);

  const NgramPerplexity perplexity = ngram_perplexity(*data, Split::valid);
  CHECK(perplexity.tokens == 73759);
  CHECK(perplexity.unigram == Approx(685.71).epsilon(1e-4));  // as first measured
  CHECK(perplexity.bigram == Approx(201.56).epsilon(1e-4));
}
